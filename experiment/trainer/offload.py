"""Host memory for what activation checkpointing keeps: the input of every block."""

import torch


class HostCopies(torch.autograd.graph.saved_tensors_hooks):
    """Around a checkpointed block, the input that it keeps is a copy in host memory. Ranks that share a sequence keep
    their own part of it each, so that what is kept is partitioned between them already.

    On a GPU the copy is pinned, and on its way while the block computes. The way back overlaps nothing: the backward
    pass waits for it, block by block. PyTorch rounds each pinned copy up to a power of two bytes."""

    def __init__(self):
        self.stream = None
        super().__init__(self.to_host, self.to_device)

    def to_host(self, kept):
        host = torch.empty(kept.shape, dtype=kept.dtype, device="cpu", pin_memory=kept.is_cuda)
        if not kept.is_cuda:
            return kept.device, host.copy_(kept)
        self.stream = self.stream or torch.cuda.Stream()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            host.copy_(kept, non_blocking=True)
        kept.record_stream(self.stream)  # Its memory is not used again before the copy is done.
        return kept.device, host

    def to_device(self, packed):
        device, host = packed
        if device.type == "cuda":
            torch.cuda.current_stream().wait_stream(self.stream)
        return host.to(device, non_blocking=True)
