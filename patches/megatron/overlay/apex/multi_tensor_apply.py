"""Applies an operator of amp_C to lists of tensors. There is no kernel to feed in chunks: torch._foreach does that."""


class MultiTensorApply:
    available = True

    def __init__(self, chunk_size):
        self.chunk_size = chunk_size

    def __call__(self, operator, noop_flag, tensor_lists, *args):
        return operator(self.chunk_size, noop_flag, tensor_lists, *args)


multi_tensor_applier = MultiTensorApply(2048 * 32)
