"""The two operators of Apex's C++ extension amp_C that Megatron calls, on plain PyTorch.

Both have Apex's signature: a chunk size that is not needed here, a flag (an int tensor of one element) that is set to 1
where a value is not finite, and lists of tensors.
"""

import torch


def multi_tensor_l2norm(chunk_size, noop_flag, tensor_lists, per_tensor=False):
    """The L2 norm of all tensors together, and of each if asked for, in fp32 and of shape [1] and [tensors]."""
    (tensors,) = tensor_lists
    norms = torch.stack([torch.linalg.vector_norm(tensor, dtype=torch.float32) for tensor in tensors])
    return torch.linalg.vector_norm(norms).reshape(1), norms if per_tensor else norms.new_empty(0)


def multi_tensor_scale(chunk_size, noop_flag, tensor_lists, scale):
    """Writes source times scale to target, for pairs of a source and a target list; the product is made in fp32."""
    sources, targets = tensor_lists
    finite = noop_flag.new_ones(())
    for source, target in zip(sources, targets, strict=True):
        product = source.float() * scale
        finite *= torch.isfinite(product).all()
        target.copy_(product)
    noop_flag.masked_fill_(finite == 0, 1)
