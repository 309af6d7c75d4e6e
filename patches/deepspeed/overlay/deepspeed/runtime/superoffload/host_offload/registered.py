"""Page-locked host memory in the size that was asked for. PyTorch's pinned blocks are rounded up to a power of two."""

import functools
import os
import threading
import weakref

import torch
from deepspeed.accelerator import get_accelerator

from ..host_memory import HostMemory

OTHERWISE = 'host_memory to "published"'  # for those who cannot have it
SMALL = 2 << 20  # bytes: blocks up to this size share a registration
SHARED = 32 << 20  # bytes of a registration that small blocks share
ALIGN = 256  # bytes, of the blocks in it


class Shared(HostMemory):
    """Where small blocks lie one after another."""

    def __new__(cls, size):
        self = super().__new__(cls, size)
        self.used = 0
        return self

    def room(self, size):
        """Takes `size` bytes and returns where they begin, or None where so many are not left."""
        begin = -(-self.used // ALIGN) * ALIGN
        if begin + size > len(self):
            return None
        self.used = begin + size
        return begin


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
        mapping = self._held(HostMemory(size))
        block = mapping.tensor(tensor.dtype, 0, shape.numel()).view(shape).copy_(source)  # writes to it, as zero() does
        mapping.register(OTHERWISE)
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

    def _held(self, mapping):
        self.mappings.add(mapping)
        return mapping

    def _small(self, size, shape, dtype):
        with self.lock:
            mapping = self.shared()
            offset = None if mapping is None else mapping.room(size)
            if offset is None:
                mapping = self._held(Shared(SHARED))
                mapping.zero()
                mapping.register(OTHERWISE)
                self.shared, offset = weakref.ref(mapping), mapping.room(size)
        return mapping.tensor(dtype, offset, shape.numel()).view(shape)


@functools.cache
def process_memory():
    """The one of this process."""
    if os.environ.get("DS_PIN_MEMORY_BACKEND", "torch").strip().lower() == "native":
        raise ValueError('superoffload.host_memory "registered" and DS_PIN_MEMORY_BACKEND=native both say where pinned '
                         "memory comes from: leave one out")
    return RegisteredMemory()
