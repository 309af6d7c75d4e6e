"""Compares the overlay's flash_attn_varlen_func with attention by hand: `check_attention.py FILE`. Prints JSON."""

import importlib.util
import json
import math
import sys

import torch

spec = importlib.util.spec_from_file_location("attention", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def by_hand(q, k, v, batch, causal, scale):
    heads = []
    for sequence in range(batch):
        a, b, c = (x.double().unflatten(0, (batch, -1))[sequence].transpose(0, 1) for x in (q, k, v))
        scores = a @ b.transpose(1, 2) * (scale or 1 / math.sqrt(q.shape[-1]))
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), -math.inf)
        heads.append((scores.softmax(-1) @ c).transpose(0, 1))
    return torch.cat(heads)


def ends(batch, length):
    return torch.arange(batch + 1, dtype=torch.int32) * length


def raises(*args, **kwargs):
    try:
        module.flash_attn_varlen_func(*args, **kwargs)
    except ValueError:
        return True
    return False


torch.manual_seed(0)
batch, length, heads, size = 3, 17, 4, 8
q, k, v = (torch.randn(batch * length, heads, size, requires_grad=True) for _ in range(3))
results = {}
for causal in (False, True):
    for scale in (None, 0.3):
        lengths = ends(batch, length), None, length, length
        out = module.flash_attn_varlen_func(q, k, v, *lengths, 0.0, softmax_scale=scale, causal=causal)
        expected = by_hand(q, k, v, batch, causal, scale)
        direction = torch.randn_like(expected)
        mine = torch.autograd.grad(out, (q, k, v), direction.float())
        theirs = torch.autograd.grad(expected, (q, k, v), direction)
        name = f"causal {causal}, scale {scale}"
        results[name] = (out - expected).abs().max().item()
        results[f"{name}, gradients"] = max((a - b).abs().max().item() for a, b in zip(mine, theirs, strict=True))
        results[f"{name}, shape"] = out.shape == q.shape
again = [module.flash_attn_varlen_func(q, k, v, ends(batch, length), None, length, length, 0.5) for _ in range(2)]
results["dropout drops"] = not torch.equal(*again)
results["other lengths are refused"] = raises(q, k, v, torch.tensor([0, 10, 30, 51]), None, 20, 20)
results["causal attention to another length is refused"] = raises(
    q[: batch * 5], k, v, ends(batch, 5), ends(batch, length), 5, length, causal=True)
print(json.dumps(results))
