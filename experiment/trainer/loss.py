"""The loss of the language model. Its logits, tokens x vocabulary, are the largest tensor of all at long sequences:
128K tokens of GPT-2's vocabulary are 26 GB in fp32, and their gradient is as much again."""

import torch
import torch.nn.functional as F


def loss_sum(x, weight, targets, sixteen_bit):
    """Sum of the losses of all tokens, in nats. x: [tokens, hidden]; weight: [vocabulary, hidden]; targets: [tokens].
    The softmax reads fp32 logits, or 16-bit ones as they are; the tokens are summed in fp32 either way."""
    logits = F.linear(x, weight)
    if not sixteen_bit:
        logits = logits.float()
    return F.cross_entropy(logits, targets, reduction="none").float().sum()


class ChunkedLossSum(torch.autograd.Function):
    """loss_sum() of `chunk` tokens after the other. The backward pass computes the logits of each chunk again, so that
    only one chunk's are ever in memory; the price is one more product with the weight."""

    @staticmethod
    def forward(ctx, x, weight, targets, sixteen_bit, chunk):
        ctx.save_for_backward(x, weight, targets)
        ctx.sixteen_bit, ctx.chunk = sixteen_bit, chunk
        parts = zip(x.split(chunk), targets.split(chunk), strict=True)
        return sum(loss_sum(x_part, weight, target_part, sixteen_bit) for x_part, target_part in parts)

    @staticmethod
    def backward(ctx, gradient):
        x, weight, targets = ctx.saved_tensors
        x_gradient = torch.empty_like(x)
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)  # a sum of many parts: not in 16 bits
        weight = weight.detach().requires_grad_()
        parts = zip(x.split(ctx.chunk), targets.split(ctx.chunk), x_gradient.split(ctx.chunk), strict=True)
        for x_part, target_part, x_gradient_part in parts:
            x_part = x_part.detach().requires_grad_()
            with torch.enable_grad():
                loss = loss_sum(x_part, weight, target_part, ctx.sixteen_bit)
            part_gradients = torch.autograd.grad(loss, (x_part, weight), gradient)
            x_gradient_part.copy_(part_gradients[0])
            weight_gradient += part_gradients[1]
        return x_gradient, weight_gradient.to(weight.dtype), None, None, None
