"""Host memory in the size that was asked for. PyTorch's pinned blocks are rounded up to a power of two."""

import mmap

import torch
from deepspeed.accelerator import get_accelerator


class HostMemory(mmap.mmap):
    """Anonymous memory of `size` bytes, in whole pages. It lives as long as a tensor in it: the storages of those refer
    to it. Pages that are never written take no memory."""

    def __new__(cls, size):
        whole = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
        self = super().__new__(cls, -1, whole, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.registered = False
        self.begin = torch.frombuffer(self, dtype=torch.uint8, count=1).data_ptr()
        self._advise("MADV_HUGEPAGE")
        return self

    def _advise(self, name):
        try:
            self.madvise(getattr(mmap, name))
        except (AttributeError, OSError):
            pass  # a Python, or a kernel, without it

    def tensor(self, dtype, offset, count):
        """`count` elements that begin at the byte `offset`, in a storage of their own that is just as large."""
        return torch.frombuffer(self, dtype=dtype, count=count, offset=offset)

    def zero(self):
        """Writes to every page, by many threads: sooner than the driver has them one by one when it registers them."""
        self.tensor(torch.uint8, 0, len(self)).zero_()

    def register(self, otherwise):
        """Page-locked for CUDA, where that is the accelerator, until `unregister` or until no tensor is left in it.
        Raises RuntimeError where CUDA refuses, since copies would be slow without a word; `otherwise` is the key of
        the section superoffload, with the value, that does without."""
        # A forked process (a data loader's worker) would get a copy of every page, or, before Linux 5.12, the pages
        # that the GPU goes on writing to, and this process others.
        self._advise("MADV_DONTFORK")
        if get_accelerator().device_name() != "cuda":
            return
        error = torch.cuda.cudart().cudaHostRegister(self.begin, len(self), 0)
        if int(error) != 0:
            raise RuntimeError(f"superoffload: {len(self) / 2**30:.2f} GiB of host memory could not be registered: "
                               f"{error}. See `ulimit -l`, or set superoffload.{otherwise}.")
        self.registered = True

    def unregister(self):
        if self.registered:
            self.registered = False
            get_accelerator().synchronize()  # copies that nobody waited for
            torch.cuda.cudart().cudaHostUnregister(self.begin)

    def __del__(self):
        try:
            self.unregister()
        except Exception:
            pass  # the process ends, and CUDA has gone before
