"""Page-locked host memory in the size that was asked for. PyTorch's pinned blocks are rounded up to a power of two."""

import functools
import mmap
import os
import threading
import weakref

import torch
from deepspeed.accelerator import get_accelerator

SMALL = 2 << 20  # bytes: blocks up to this size share a registration
SHARED = 32 << 20  # bytes of a registration that small blocks share
ALIGN = 256  # bytes, of the blocks in it


class Mapping(mmap.mmap):
    """Anonymous memory that lives as long as a tensor in it: the storages of those refer to it, and nothing else does
    for long. Where the accelerator takes registrations (CUDA), it is registered until then."""

    def __new__(cls, size):
        self = super().__new__(cls, -1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.used, self.address = 0, None
        self.begin = torch.frombuffer(self, dtype=torch.uint8, count=1).data_ptr()
        self._advise("MADV_HUGEPAGE")
        return self

    def _advise(self, name):
        try:
            self.madvise(getattr(mmap, name))
        except (AttributeError, OSError):
            pass  # a kernel, or a Python, without it

    def register(self):
        """Raises RuntimeError where CUDA refuses: memory that is not page-locked would be slow without a word."""
        self._advise("MADV_DONTFORK")  # a process that is forked would get a copy of every page that is locked
        try:
            done = get_accelerator().register_host_memory(self.begin, len(self))
        except RuntimeError as error:
            raise RuntimeError(f"superoffload: {len(self) / 2**30:.2f} GiB of host memory could not be registered: "
                               f'{error}. See `ulimit -l`, or set superoffload.host_memory to "published".') from error
        self.address = self.begin if done else None

    def room(self, size):
        """Takes `size` bytes and returns where they begin, or None where so many are not left."""
        begin = -(-self.used // ALIGN) * ALIGN
        if begin + size > len(self):
            return None
        self.used = begin + size
        return begin

    def tensor(self, offset, shape, dtype):
        """A tensor with a storage of its own, just as large as it."""
        return torch.frombuffer(self, dtype=dtype, count=shape.numel(), offset=offset).view(shape)

    def __del__(self):
        if self.address is None:
            return
        try:
            get_accelerator().synchronize()  # copies that nobody waited for
            get_accelerator().unregister_host_memory(self.address)
        except Exception:
            pass  # the process ends, and CUDA has gone before


class RegisteredMemory:
    """What DeepSpeed's accelerators ask instead of PyTorch; see NativePinnedMemory in deepspeed/utils/pin_memory.py."""

    def __init__(self):
        self.mappings, self.shared = weakref.WeakSet(), lambda: None
        self.lock = threading.Lock()

    def pin(self, tensor, make_copy=True, match_shape=True):
        """A copy of `tensor` in page-locked memory. With `make_copy` False only its type and size count."""
        shape = tensor.shape if match_shape else torch.Size([tensor.numel()])
        if not make_copy:
            return self.pin_empty(tensor, shape)
        size = tensor.numel() * tensor.element_size()
        if size == 0:
            return tensor.new_empty(shape, device="cpu")
        source = tensor.detach().reshape(shape)
        if size <= SMALL:
            return self._small(size, shape, tensor.dtype).copy_(source)
        mapping = self._mapping(size)
        block = mapping.tensor(0, shape, tensor.dtype).copy_(source)  # by many threads, sooner than page by page
        mapping.register()
        return block

    def pin_empty(self, template, shape):
        """Scratch memory (activations, a chunk of a sequence) comes and goes in every step, and to register it takes
        longer than to use it: PyTorch's own, which keeps what it once has."""
        return get_accelerator()._torch_empty_pinned(template, shape)

    def is_pinned(self, tensor):
        if tensor.device.type != "cpu":
            return False
        place = tensor.data_ptr()
        return any(mapping.begin <= place < mapping.begin + len(mapping) for mapping in self.mappings)

    def unpin(self, tensor):
        """Memory goes with the last tensor in it, and not before: someone may still hold a view."""

    def held_bytes(self):
        """Of all blocks that are still in use, and of the rest of the registrations that small ones share."""
        return sum(len(mapping) for mapping in self.mappings)

    def _mapping(self, size):
        mapping = Mapping(-(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        self.mappings.add(mapping)
        return mapping

    def _small(self, size, shape, dtype):
        with self.lock:
            mapping = self.shared()
            offset = None if mapping is None else mapping.room(size)
            if offset is None:
                mapping = self._mapping(SHARED)
                mapping.tensor(0, torch.Size([SHARED]), torch.uint8).zero_()
                mapping.register()
                self.shared, offset = weakref.ref(mapping), mapping.room(size)
        return mapping.tensor(offset, shape, dtype)


@functools.cache
def process_memory():
    """The one of this process."""
    if os.environ.get("DS_PIN_MEMORY_BACKEND", "torch").strip().lower() == "native":
        raise ValueError('superoffload.host_memory "registered" and DS_PIN_MEMORY_BACKEND=native both say where pinned '
                         "memory comes from: leave one out")
    return RegisteredMemory()
