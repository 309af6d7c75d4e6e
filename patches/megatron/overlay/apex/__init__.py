"""The names of NVIDIA's Apex that Megatron-DeepSpeed imports on a GPU, on plain PyTorch.

Used where Apex is not built. Nothing here was taken from Apex: each name does what its users need, in the precision
that Apex documents, and is tested against a reference. Names that are missing here are missing on purpose: an import
that fails is noticed, a wrong number is not.
"""

from apex import multi_tensor_apply, normalization, optimizers  # noqa: F401  DeepSpeed looks for apex.optimizers
