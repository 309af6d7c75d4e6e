"""Layer and RMS normalization by PyTorch's own kernels, which keep the statistics in fp32 as Apex does."""

import torch
from torch.nn import functional as F


class FusedLayerNormAffineFunction:
    """Has the two names of an autograd function that its users touch: `forward`, whose arguments Megatron inspects, and
    `apply`. PyTorch's layer_norm is differentiable as it is."""

    @staticmethod
    def forward(ctx, input, weight, bias, normalized_shape, eps):
        return FusedLayerNormAffineFunction.apply(input, weight, bias, normalized_shape, eps)

    @staticmethod
    def apply(input, weight, bias, normalized_shape, eps=1e-5):
        """The output has the input's type; the kernel wants one type for all (an fp32 residual stream has two)."""
        if input.dtype == weight.dtype:
            return F.layer_norm(input, normalized_shape, weight, bias, eps)
        output = F.layer_norm(input.float(), normalized_shape, weight.float(), bias.float(), eps)
        return output.to(input.dtype)


class MixedFusedRMSNorm(torch.nn.Module):
    """RMS normalization over the last dimensions; the output has the weight's type, whatever the input's."""

    def __init__(self, normalized_shape, eps=1e-5, sequence_parallel=False):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.weight = torch.nn.Parameter(torch.ones(self.normalized_shape))
        self.weight.sequence_parallel = sequence_parallel  # Megatron's sequence parallelism sums the gradients of such

    def forward(self, input):
        if input.dtype == self.weight.dtype and hasattr(F, "rms_norm"):  # PyTorch 2.4
            return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)
        dims = tuple(range(-len(self.normalized_shape), 0))
        wide = input.float()
        wide = wide * torch.rsqrt(wide.square().mean(dims, keepdim=True) + self.eps)
        return (wide * self.weight.float()).to(self.weight.dtype)
