"""The function of FlashAttention 2 that Megatron calls, on PyTorch's scaled_dot_product_attention.

Used where the package flash_attn is not installed. On a GPU, PyTorch picks its own flash or cuDNN kernel.
"""

import torch.nn.functional as F


def flash_attn_varlen_func(q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p=0.0,
                           softmax_scale=None, causal=False):
    """Attention of sequences of one length that lie one after the other.

    q is [batch * max_seqlen_q, heads, head size], k and v are [batch * max_seqlen_k, heads, head size], and the result
    is as q. Sequences of different lengths are refused. cu_seqlens_k may be None, as Megatron has it on a CPU.
    """
    batch = len(cu_seqlens_q) - 1
    if len(q) != batch * max_seqlen_q or len(k) != batch * max_seqlen_k:
        raise ValueError(f"{batch} sequences of {max_seqlen_q} and {max_seqlen_k} tokens expected, found {len(q)} and "
                         f"{len(k)} tokens: sequences of different lengths need the package flash_attn")
    if causal and max_seqlen_q != max_seqlen_k:
        raise ValueError(f"causal attention of {max_seqlen_q} to {max_seqlen_k} tokens needs the package flash_attn")
    q, k, v = (x.reshape(batch, -1, *x.shape[1:]).transpose(1, 2) for x in (q, k, v))
    context = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout_p, is_causal=causal, scale=softmax_scale)
    return context.transpose(1, 2).flatten(0, 1)
