"""Host memory in the size that was asked for. PyTorch's pinned blocks are rounded up to a power of two."""

import mmap

import torch

HUGE_PAGE = 2 << 20


class HostMemory:
    """Anonymous memory, page-locked for CUDA where `register`. Pages that are never written take no memory."""

    def __init__(self, size, register=False):
        self.size = max(HUGE_PAGE, -(-size // HUGE_PAGE) * HUGE_PAGE)
        self.map = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._advise("MADV_HUGEPAGE")
        self.bytes = torch.frombuffer(self.map, dtype=torch.uint8)
        self.registered = False
        if register:
            # A forked process (a data loader's worker) would get a copy of every page, or, before Linux 5.12, the pages
            # that the GPU goes on writing to, and this process others.
            self._advise("MADV_DONTFORK")
            self.bytes.zero_()  # by many threads: faster than page faults inside the driver
            error = torch.cuda.cudart().cudaHostRegister(self.bytes.data_ptr(), self.size, 0)
            if int(error) != 0:
                raise RuntimeError(f"superoffload: cudaHostRegister of {self.size / 2**30:.2f} GiB failed: {error}. "
                                   "See `ulimit -l`, or set superoffload.pin_memory to false.")
            self.registered = True

    def _advise(self, name):
        try:
            self.map.madvise(getattr(mmap, name))
        except (AttributeError, OSError):
            pass  # a Python, or a kernel, without it

    def tensor(self, dtype, offset, count):
        """`count` elements that begin at the byte `offset`."""
        return self.bytes[offset : offset + count * dtype.itemsize].view(dtype)

    def close(self):
        if self.registered:
            torch.cuda.cudart().cudaHostUnregister(self.bytes.data_ptr())
            self.registered = False
