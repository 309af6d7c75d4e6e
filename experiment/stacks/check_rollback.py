"""Does DeepSpeed's CPU Adam take a step back? Run inside a stack by `superoffload rollback`.

    python check_rollback.py 1 1001 1000003

SuperOffload steps a subgroup on the CPU before it knows whether the gradients can be used, and rolls the step back when
they cannot. Every check is one such story: some steps, one more, its rollback, a comparison with what was there before,
and three steps on from there, the first of them without a gradient (a row of an embedding that the batch does not use).

Each check says one line as it goes; the last line is `SUPEROFFLOAD {json}`. Errors are in units of fp32 rounding:
2**-23 times the larger of the value before the step and the value after it, element by element. Nothing is judged here.
"""

import json
import math
import sys

import torch

EPSILON = 2.0**-23
STEPS = (1, 2, 10, 1000)  # 1 - 0.999**step, by which Adam divides v, runs from 0.001 to 0.63
SETTINGS = [{"lr": lr, "weight_decay": decay} for lr in (1e-3, 1e-1) for decay in (0.0, 0.1)]
ELEMENT_STEPS = 2_000_000  # a longer way to a step count is cut short


class Subgroup:
    """A subgroup as SuperOffload's worker has it: its parameter is put into the optimizer for each call."""

    def __init__(self, optimizer, index, size, generator):
        self.optimizer, self.index, self.generator = optimizer, index, generator
        self.parameter = torch.nn.Parameter(torch.randn(size, generator=generator))
        self.state = {"step": 0, "exp_avg": torch.zeros(size), "exp_avg_sq": torch.zeros(size)}
        optimizer.state[index] = self.state

    def random_gradient(self):
        return torch.randn(self.parameter.shape, generator=self.generator)

    def step(self, gradient, back=False):
        self.parameter.grad = gradient.clone()
        self.optimizer.param_groups[0]["params"] = [self.parameter]
        (self.optimizer.rollback_subgroup if back else self.optimizer.step_subgroup)(self.index)

    def advance(self, steps, used):
        """Takes this many steps; elements where `used` is 0 never have a gradient."""
        whole = steps * self.parameter.numel() <= ELEMENT_STEPS
        for _ in range(steps if whole else min(steps, 3)):
            self.step(self.random_gradient() * used)
        self.state["step"] = steps  # all that bias correction depends on

    def snapshot(self):
        return [tensor.clone() for tensor in (self.parameter.data, self.state["exp_avg"], self.state["exp_avg_sq"])]


def largest_error(now, before, stepped):
    """In units of fp32 rounding; infinite where something is not finite any more."""
    scale = torch.maximum(before.abs(), stepped.nan_to_num(0, 0, 0).abs()) * EPSILON
    error = (now - before).abs() / scale.clamp_min(torch.finfo(torch.float32).tiny)
    return torch.where(now == before, torch.zeros(()), error).nan_to_num(math.inf, math.inf).max().item()


def step_and_back(subgroups, gradients):
    """All subgroups step, as in one iteration, and then all roll back. @return the comparisons with before."""
    before = [(subgroup.snapshot(), subgroup.state["step"]) for subgroup in subgroups]
    for subgroup, gradient in zip(subgroups, gradients):
        subgroup.step(gradient)
    stepped = [subgroup.snapshot() for subgroup in subgroups]
    for subgroup, gradient in zip(subgroups, gradients):
        subgroup.step(gradient, back=True)
    found = []
    for subgroup, (old, count), far in zip(subgroups, before, stepped):
        now = subgroup.snapshot()
        errors = [largest_error(*three) for three in zip(now, old, far)]
        found.append(
            {
                **dict(zip(("parameterUnits", "momentumUnits", "varianceUnits"), errors)),
                "negativeVariances": int((now[2] < 0).sum()),
                "wrongStepCounts": int(subgroup.state["step"] != count),
                "elements": now[0].numel(),
            }
        )
    return found


def go_on(subgroup):
    """@return how many parameters are not finite after three more steps, of which the first has no gradient."""
    for gradient in (torch.zeros_like(subgroup.parameter.data), subgroup.random_gradient(), subgroup.random_gradient()):
        subgroup.step(gradient)
    return int((~subgroup.parameter.data.isfinite()).sum())


def check(name, sizes, steps, make, unseen=False, spoil=None):
    """One story for each setting. `unseen`: every second element has its first gradient in the step that is rolled
    back. `spoil`: values that are not finite, put into that step's gradient."""
    found = []
    for seed, setting in enumerate(SETTINGS):
        generator = torch.Generator().manual_seed(seed)
        optimizer = make(setting)
        subgroups = [Subgroup(optimizer, index, size, generator) for index, size in enumerate(sizes)]
        for subgroup, step in zip(subgroups, steps):
            elements = torch.arange(subgroup.parameter.numel())
            subgroup.advance(step - 1, (elements % 2 if unseen else torch.ones(len(elements))).float())
        gradients = [subgroup.random_gradient() for subgroup in subgroups]
        for gradient, value in zip(gradients, spoil or ()):
            gradient[0] = value
        for subgroup, result in zip(subgroups, step_and_back(subgroups, gradients)):
            found.append({**result, "nonFiniteLater": go_on(subgroup)})
    print(f"checked {name}: size {sizes}, step {steps}", flush=True)
    return {"name": name, "sizes": sizes, "steps": steps, "cases": len(SETTINGS), **worst(found)}


def worst(found):
    """The largest of the errors, the sums of the counts."""
    return {key: (max if key.endswith("Units") else sum)(result[key] for result in found) for key in found[0]}


def all_checks(sizes, make):
    middle = sorted(sizes)[len(sizes) // 2]
    for size in sizes:
        for step in STEPS:
            yield check("dense", [size], [step], make())
    yield check("subgroups", [middle, middle + 1, middle + 2], [1, 2, 10], make())
    yield check("unseen", [middle], [10], make(), unseen=True)
    yield check("overflow", [middle, middle], [10, 10], make(), spoil=(math.inf, math.nan))
    yield check("no-bias-correction", [middle], [10], make(bias_correction=False))
    yield check("adam-l2", [middle], [10], make(adamw_mode=False))


def optimizers():
    """@return a function that makes makers of CPU Adams; each asks for the CPU's name, which takes a second anew."""
    import cpuinfo

    name = cpuinfo.get_cpu_info()
    cpuinfo.get_cpu_info = lambda: name
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    if not hasattr(DeepSpeedCPUAdam, "rollback_subgroup"):
        raise SystemExit("this DeepSpeed's CPU Adam has no rollback_subgroup")

    def make(**kind):
        return lambda setting: DeepSpeedCPUAdam([torch.nn.Parameter(torch.zeros(1))], **setting, **kind)

    return make


def main():
    sizes = [int(word) for word in sys.argv[1:]]
    make = optimizers()
    import deepspeed

    result = {"torch": torch.__version__, "deepspeed": deepspeed.__version__, "checks": list(all_checks(sizes, make))}
    # JSON has no infinity: null stands for "not finite any more".
    text = json.dumps(result).replace("Infinity", "null")
    print("SUPEROFFLOAD " + text, flush=True)


if __name__ == "__main__":
    main()
