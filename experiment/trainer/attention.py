"""Causal attention. q, k and v are [batch, sequence, heads, width of a head], and so is the answer."""

import math

import torch
import torch.nn.functional as F


def sdpa(q, k, v, dropout):
    """torch's fused kernels, which never hold the matrix of scores."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout).transpose(1, 2)


def unfused(q, k, v, dropout):
    """Written out: batch x heads x sequence^2 scores are in memory, and their softmax is kept for the backward pass."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    future = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device).triu(1)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    shares = scores.masked_fill(future, float("-inf")).softmax(-1)
    return (F.dropout(shares, dropout) @ v).transpose(1, 2)


KERNELS = {"sdpa": sdpa, "unfused": unfused}


def ulysses(kernel, group):
    """The kernel on sequences that the ranks of `group` share: DeepSpeed's all-to-all gives each rank whole sequences of
    some of the heads, and takes the answers back."""
    from deepspeed.sequence.layer import DistributedAttention  # not above: SuperOffload's worker imports this file too

    shared = DistributedAttention(kernel, group, scatter_idx=2, gather_idx=1)  # heads go out, the sequence comes in
    return lambda q, k, v, dropout: shared(q, k, v, 0, None, dropout)  # batch first; no rotary positions
