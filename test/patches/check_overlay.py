"""Compares the Apex overlay of patches/megatron with plain PyTorch references: `check_overlay.py OVERLAY`.

Prints one JSON object: the name of each comparison and its largest difference, or true and false for what is exact.
"""

import inspect
import json
import sys

import torch
from torch.nn import functional as F

sys.path.insert(0, sys.argv[1])

import amp_C
import fused_layer_norm_cuda  # noqa: F401  Megatron imports it by name
from apex.multi_tensor_apply import multi_tensor_applier
from apex.normalization import MixedFusedRMSNorm
from apex.normalization.fused_layer_norm import FusedLayerNormAffineFunction
from apex.optimizers import FusedAdam, FusedSGD


def gap(a, b):
    return (a.double() - b.double()).abs().max().item()


def by_hand(x, weight, bias, eps, centred):
    """Layer or RMS normalization in double precision."""
    x, weight = x.double(), weight.double()
    if centred:
        x = x - x.mean(-1, keepdim=True)
    y = x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight
    return y if bias is None else y + bias.double()


def normalization(norm, x, parameters, eps, centred):
    """Largest differences of the output and of all gradients from those made in double precision."""
    reference = [t.detach().double().requires_grad_() for t in (x, *parameters)]
    mine = [t.detach().requires_grad_() for t in (x, *parameters)]
    y, expected = norm(*mine), by_hand(*reference, *[None] * (3 - len(reference)), eps, centred)
    direction = torch.randn_like(expected)
    y.backward(direction.to(y.dtype))
    expected.backward(direction)
    return gap(y, expected), max(gap(m.grad, r.grad) for m, r in zip(mine, reference, strict=True)), y.dtype


def layer_norm(*tensors, eps=1e-5):
    return FusedLayerNormAffineFunction.apply(*tensors, torch.Size([64]), eps)


def rms_norm(x, weight):
    norm = MixedFusedRMSNorm(64, eps=1e-5)
    del norm.weight
    norm.weight = weight
    return norm(x)


def steps(make, reference, groups):
    """Largest difference of the parameters after 20 steps on the same gradients, learning rates changing between."""
    sides = []
    for optimizer in (make, reference):
        torch.manual_seed(1)
        parameters = [torch.nn.Parameter(torch.randn(33, 7)), torch.nn.Parameter(torch.randn(5))]
        sides.append((optimizer(groups(parameters)), parameters))
    for step in range(20):
        torch.manual_seed(step)
        gradients = [torch.randn(33, 7), torch.randn(5)]
        for optimizer, parameters in sides:
            for group in optimizer.param_groups:
                group["lr"] = 1e-2 / (step + 1)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
    return max(gap(a, b) for a, b in zip(sides[0][1], sides[1][1], strict=True))


class AdamWByHand(torch.optim.Optimizer):
    """Loshchilov and Hutter 2019, algorithm 2, in double precision."""

    def __init__(self, groups, weight_decay=0.1):
        super().__init__(groups, {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    zero = torch.zeros_like(p, dtype=torch.float64)
                    state.update(step=0, m=zero, v=zero.clone(), p=p.double())
                state["step"] += 1
                gradient = p.grad.double()
                state["m"].mul_(beta1).add_(gradient, alpha=1 - beta1)
                state["v"].mul_(beta2).add_(gradient.square(), alpha=1 - beta2)
                m = state["m"] / (1 - beta1 ** state["step"])
                v = state["v"] / (1 - beta2 ** state["step"])
                state["p"] -= group["lr"] * (m / (v.sqrt() + group["eps"]) + group["weight_decay"] * state["p"])
                p.copy_(state["p"])


def two_groups(parameters):
    return [{"params": parameters[:1], "name": "decayed"}, {"params": parameters[1:], "weight_decay": 0.0}]


def raises(action):
    try:
        action()
    except ValueError:
        return True
    return False


torch.manual_seed(0)
x, weight, bias = torch.randn(6, 3, 64) * 3 + 1, torch.rand(64) + 0.5, torch.randn(64)
forward, backward, kind = normalization(layer_norm, x, (weight, bias), 1e-5, centred=True)
results = {"layer norm": forward, "layer norm gradients": backward}
forward, backward, kind = normalization(rms_norm, x, (weight,), 1e-5, centred=False)
results |= {"rms norm": forward, "rms norm gradients": backward}
for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
    narrow = [t.to(dtype) for t in (x, weight, bias)]
    # The reference starts from the rounded values, so that only the overlay's own rounding is left.
    forward, _, kind = normalization(layer_norm, narrow[0], narrow[1:], 1e-5, centred=True)
    results |= {f"layer norm {name}": forward, f"layer norm {name} keeps its type": kind == dtype}
    forward, _, kind = normalization(rms_norm, narrow[0], narrow[1:2], 1e-5, centred=False)
    results |= {f"rms norm {name}": forward, f"rms norm {name} keeps its type": kind == dtype}
wide = layer_norm(x, weight.bfloat16(), bias.bfloat16())
results["layer norm of fp32 with bf16 weights gives fp32"] = wide.dtype == torch.float32
narrow = rms_norm(x, torch.nn.Parameter(weight.bfloat16()))
results["rms norm of fp32 with bf16 weights gives bf16"] = narrow.dtype == torch.bfloat16
results["weights other than 1 matter"] = gap(layer_norm(x, weight, bias), F.layer_norm(x, (64,))) > 0.1
arguments = inspect.getfullargspec(FusedLayerNormAffineFunction.forward).args
results["layer norm has the arguments that Megatron looks at"] = arguments == [
    "ctx", "input", "weight", "bias", "normalized_shape", "eps"]

adam = {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8}
results["adam"] = steps(lambda groups: FusedAdam(groups, **adam, weight_decay=0.1), AdamWByHand, two_groups)
results["adam without decay, as is Apex's default"] = steps(
    lambda groups: FusedAdam(groups, **adam), lambda groups: AdamWByHand(groups, weight_decay=0.0), two_groups)
results["and that is another result"] = steps(lambda groups: FusedAdam(groups, **adam), AdamWByHand, two_groups) > 1e-3
results["adam of a list of parameters"] = len(FusedAdam(iter([torch.nn.Parameter(x)])).param_groups) == 1
other = {"amsgrad": True}, {"adam_w_mode": False}, {"bias_correction": False}
results["adam refuses what it is not"] = all(
    raises(lambda option=option: FusedAdam([torch.nn.Parameter(x)], **option)) for option in other)
sgd = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 0.1}
reference = lambda groups: torch.optim.SGD(groups, **sgd)  # noqa: E731
results["sgd"] = steps(lambda groups: FusedSGD(groups, **sgd), reference, two_groups)

tensors = [torch.randn(7, 5), torch.randn(300), torch.randn(1).half()]
flag = torch.zeros(1, dtype=torch.int)
total, each = multi_tensor_applier(amp_C.multi_tensor_l2norm, flag, [tensors], True)
joined = torch.cat([t.double().flatten() for t in tensors])
results |= {"l2 norm": gap(total, joined.norm()), "l2 norm has one element": list(total.shape) == [1]}
results["l2 norm of each"] = max(gap(n, t.double().norm()) for n, t in zip(each, tensors, strict=True))
scaled = [torch.empty_like(t) for t in tensors]
multi_tensor_applier(amp_C.multi_tensor_scale, flag, [tensors, scaled], 0.25)
results["scale"] = max(gap(a, b * 0.25) for a, b in zip(scaled, tensors, strict=True))
results["finite leaves the flag"] = flag.item() == 0
multi_tensor_applier(amp_C.multi_tensor_scale, flag, [tensors, tensors], 0.25)
results["scale in place"] = max(gap(a, b) for a, b in zip(scaled, tensors, strict=True))
tensors[0][0, 0] = float("inf")
multi_tensor_applier(amp_C.multi_tensor_scale, flag, [tensors, scaled], 1.0)
results["inf sets the flag"] = flag.item() == 1
print(json.dumps(results))
