"""Trains a small model with ZeRO-3's own CPU optimizer and with the overlap optimizer, and compares every fp32 weight.

    check_overlap.py [--cuda] CASE...              prints a line of JSON for each
    torchrun --nproc-per-node 2 check_overlap.py [--cuda] CASE...

Both see the same data, learning rates, accumulation, clipping and bad gradients, on the CPU accelerator, or with --cuda
on the GPU; exit status 1 where a case is not "within" its tolerance. NAME@60 takes 60 steps from then on, 200 without;
"all" are all that so many ranks can have. A thread that fails, ends or hangs must be told within seconds. `not waiting`,
`no hook`, `refused` and `affinity` are reported only. On a GPU machine:

    python check_overlap.py --cuda all@60 affinity failing ending hanging
    torchrun --standalone --nproc-per-node 2 check_overlap.py --cuda all@60 affinity refused
"""

import json
import tempfile
import threading
import time

import torch
from check_accelerator import CUDA, RANK, RANKS, check

import deepspeed
from small_layer import ROWS, WIDTH, Layer
from thread_affinity import affinity
from deepspeed.accelerator import get_accelerator
from deepspeed.ops.adam import DeepSpeedCPUAdam
from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state, safe_set_full_fp32_param

STEPS = 200
BAD = {3: "early", 7: "late", 8: "late", 20: "loss"}
HALF = {"dtype": "fp16", "window": 8, "bad": {5: "late", 31: "late"}}

CASES = {
    "plain": {},
    "clipped": {"guess": True, "clip": 0.35, "dtype": "fp32"},
    "always clipped": {"guess": True, "clip": 1e-3, "dtype": "fp32"},
    "clipped, by the rule": {"clip": 0.35, "dtype": "fp32"},
    "accumulated": {"accumulation": 3},
    "accumulated and clipped": {"guess": True, "accumulation": 3, "clip": 0.35, "dtype": "fp32"},
    "accumulated in fp32": {"accumulation": 2, "accumulate_in": "fp32"},
    "bad gradients": {"bad": BAD},
    "in pieces": {"bad": BAD, "keys": {"subgroup_elements": 1500}},
    "on one stream": {"bad": BAD, "keys": {"copy_streams": False}},
    "separate casts": {"bad": BAD, "keys": {"fused_casts": False, "subgroup_elements": 1500}},
    "unbound": {"bad": BAD, "keys": {"bind_threads": False, "adam_threads": 3}},
    "late return": {"bad": BAD, "keys": {"early_return": False}},
    "all off": {"bad": BAD, "keys": {"copy_streams": False, "fused_casts": False, "bind_threads": False,
                                     "early_return": False, "speculation": 0}},
    "late return and clipped": {"guess": True, "clip": 0.35, "dtype": "fp32", "keys": {"early_return": False}},
    "early forward": {"bad": BAD, "keys": {"early_forward": True}, "slow": 0.001},
    "early forward, late return": {"bad": BAD, "keys": {"early_forward": True, "early_return": False}, "slow": 0.001},
    "early forward, clipped": {"guess": True, "clip": 0.35, "accumulation": 2, "dtype": "fp32", "slow": 0.001,
                               "keys": {"early_forward": True}},
    "early forward, looked at": {"bad": BAD, "tied": True, "shuffled": True, "look": True, "reload": True, "slow": 0.001,
                                 "keys": {"early_forward": True}},
    "early forward, half on the accelerator": {"bad": BAD, "ratio": 0.5, "slow": 0.001, "dtype": "fp32",
                                               "keys": {"early_forward": True}},
    "not waiting": {"bad": BAD, "keys": {"early_forward": True}, "slow": 0.001, "broken": "not waiting"},
    "no hook": {"bad": BAD, "keys": {"early_forward": True}, "slow": 0.001, "broken": "no hook"},
    "tied": {"bad": BAD, "tied": True, "shuffled": True},
    "fp16": HALF,
    "fp16, early forward": {**HALF, "keys": {"early_forward": True}, "slow": 0.0005},
    "fp16 and clipped": {"guess": True, **HALF, "clip": 0.35},
    "fp16, accumulated": {**HALF, "accumulation": 2},
    "bad and clipped": {"guess": True, "bad": {3: "late", 7: "late"}, "clip": 0.35, "accumulation": 2, "dtype": "fp32"},
    "new rows": {"bad": {0: "late", 5: "late"}, "new_rows": True, "decay": 0.0},
    "half on the accelerator": {"ratio": 0.5, "clip": 0.35, "dtype": "fp32"},
    "all on the accelerator": {"ratio": 0, "bad": BAD, "clip": 0.35, "accumulation": 2, "dtype": "fp32"},
    "nothing guessed": {"keys": {"speculation": 0}, "bad": BAD},
    "saved and loaded": {"reload": True},
    "fp32": {"dtype": "fp32"},
}


class Model(torch.nn.Module):
    def __init__(self, tied):
        super().__init__()
        self.rows = torch.nn.Embedding(ROWS, WIDTH)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(4))
        self.head = None if tied else torch.nn.Linear(WIDTH, ROWS, bias=False)
        self.poison, self.order = None, range(4)

    def forward(self, tokens):
        x = self.rows(tokens[:, :-1])
        for at, i in enumerate(self.order):
            x = self.layers[i](x)
            if at == 1 and self.poison and x.requires_grad:  # the last two get good gradients, those before do not
                poison = self.poison
                x.register_hook(lambda g: g * poison)
        logits = torch.nn.functional.linear(x, self.rows.weight) if self.head is None else self.head(x)
        return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())


def config(case, overlap):
    accumulation = case.get("accumulation", 1)
    made = {
        "train_batch_size": 4 * accumulation * RANKS, "train_micro_batch_size_per_gpu": 4,
        "gradient_accumulation_steps": accumulation, "gradient_clipping": case.get("clip", 0.0),
        "steps_per_print": 10**9,
        "zero_optimization": {
            "stage": 3, "overlap_comm": False, "reduce_bucket_size": 20000, "sub_group_size": 6000,
            "stage3_param_persistence_threshold": 0,
            "offload_optimizer": {"device": "cpu", "pin_memory": False},
        },
    }
    if case.get("dtype") == "fp16":
        made["fp16"] = {"enabled": True, "initial_scale_power": 20, "loss_scale_window": case["window"], "hysteresis": 1}
    elif case.get("dtype") != "fp32":
        made["bf16"] = {"enabled": True}
    if "accumulate_in" in case:
        made["data_types"] = {"grad_accum_dtype": case["accumulate_in"]}
    if overlap:
        made["superoffload"] = {"optimizer": "overlap", "subgroup_elements": 6000, **case.get("keys", {})}
        made["zero_optimization"]["offload_optimizer"]["ratio"] = case.get("ratio", 1.0)
    return made


def tokens_of(case, step, micro):
    generator = torch.Generator().manual_seed(1000 * step + 10 * micro + RANK)
    limit = ROWS if not case.get("new_rows") or step in case["bad"] else ROWS // 2
    return torch.randint(limit, (4, 17), generator=generator).to(get_accelerator().current_device_name())


def engine_of(case, overlap):
    torch.manual_seed(1)
    dtype = {"fp32": torch.float32, "fp16": torch.float16}.get(case.get("dtype"), torch.bfloat16)
    model = Model(case.get("tied", False)).to(get_accelerator().current_device_name(), dtype)
    if dtype is torch.float16 and not CUDA:  # PyTorch computes with it; the accelerator says no where that is not fast
        get_accelerator().is_fp16_supported = lambda: True
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": case.get("decay", 0.1)},
              {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = DeepSpeedCPUAdam(groups, lr=1e-2, betas=(0.9, 0.95), adamw_mode=True)
    settings = config(case, overlap)
    engine = deepspeed.initialize(model=model, optimizer=optimizer, config=settings)[0]
    if not overlap and not hasattr(engine.optimizer, "_loss_scale_update_and_overflow_cleanup"):
        drop_bad(engine.optimizer)
    if not overlap and dtype is torch.float16:
        hold_scale(engine.optimizer)
    if overlap and "slow" in case:
        slow_down(engine.optimizer.adam, case["slow"])
    if overlap and "guess" in case:
        engine.optimizer.stepper.rule.guesses = lambda: True  # or it depends on this machine what is taken back
        engine.optimizer.stepper.guessing = True
    if overlap and "broken" in case:
        break_waiting(engine.optimizer, case["broken"])
    return engine


def drop_bad(optimizer):
    """Before 0.19.8, ZeRO-3 steps with inf and nan where the format is not fp16. The reference drops such a step."""
    check = optimizer._overflow_check_and_loss_scale_update

    def check_norm():
        norms = torch.stack(optimizer._get_norm_groups())
        optimizer.overflow = not bool((norms.isfinite() & (norms >= 0)).all())  # -1 stands for inf and nan there
        if not optimizer.overflow:
            return check()
        scale = optimizer.loss_scale
        optimizer._update_scale(True)
        optimizer._global_grad_norm = float("inf")
        optimizer._overflow_clean_up(scale)
        return True

    optimizer._overflow_check_and_loss_scale_update = check_norm


def hold_scale(optimizer):
    """DeepSpeed 0.19.8's ZeRO-3 doubles the loss scale before it divides by it, so every step in which the scale grows
    has half the gradients that it should have. The reference grows after such a step."""
    update, step, grown = optimizer._update_scale, optimizer.step, []

    def later(has_overflow=False):
        return update(True) if has_overflow else grown.append(True)

    def step_then_grow(closure=None):
        step(closure)
        while grown:
            update(not grown.pop())

    optimizer._update_scale, optimizer.step = later, step_then_grow


def slow_down(adam, seconds):
    """Adam takes so long that the next forward pass overtakes it wherever it does not wait."""
    step = adam.step

    def slowly(*arguments):
        time.sleep(seconds)
        step(*arguments)

    adam.step = slowly


def break_waiting(optimizer, how):
    """What must not pass: weights are used before they are back, or a module has no hook."""
    if how == "no hook":
        optimizer._use = lambda param: None
        for module, waiting in [(m, m._parameters) for m in optimizer._own_parameters]:
            waiting.use = optimizer._use

    def await_nothing(i):
        if i in optimizer.withheld and how == "not waiting":
            optimizer._lend(optimizer.fp16_groups[i])
            optimizer.withheld.discard(i)

    optimizer._await = await_nothing


def look(engine, case, step, losses, folder):
    """What a training script may do between two steps. All of it sees the step before as done."""
    kind = step % 8
    named = dict(engine.module.named_parameters()) if kind == 1 else None
    if kind == 0:
        with torch.no_grad():
            losses.append(engine.module(tokens_of(case, 10**6 + step, 0)).item())
    elif kind == 1:
        losses.append(float(sum(param.detach().float().abs().sum() for param in whole(named.values()))))
    elif kind == 2:
        param = engine.module.layers[2].up.weight
        losses.append(safe_get_full_fp32_param(param).abs().sum().item())
        losses.append(safe_get_full_optimizer_state(param, "exp_avg").abs().sum().item())
    elif kind == 3 and step < 20:
        engine.save_checkpoint(folder, tag=f"look{step}")
    elif kind == 4:
        with deepspeed.zero.GatheredParameters(list(engine.module.layers[1].parameters())):
            losses.append(engine.module.layers[1].down.weight.float().abs().sum().item())
    elif kind == 5:
        engine.optimizer.zero_grad()
        engine.optimizer.state_dict()
    elif kind == 6:
        param = engine.module.rows.weight
        safe_set_full_fp32_param(param, safe_get_full_fp32_param(param) * 1.0)


def whole(params):
    for param in params:
        with deepspeed.zero.GatheredParameters([param]):
            yield param


def train(case, overlap, folder):
    engine = engine_of(case, overlap)
    losses, norms, scales = [], [], []
    for step in range(STEPS):
        if case.get("reload") and step == STEPS // 2:
            engine.save_checkpoint(folder, tag="middle")
            engine.optimizer.destroy()
            engine = engine_of(case, overlap)
            engine.load_checkpoint(folder, tag="middle")
        for group in engine.optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / (2 * STEPS))
        if case.get("shuffled"):
            engine.module.order = [(i + step) % 4 for i in range(4)]
        if case.get("look"):
            look(engine, case, step, losses, folder)
        kind = case.get("bad", {}).get(step)
        for micro in range(case.get("accumulation", 1)):
            last = micro == case.get("accumulation", 1) - 1
            engine.module.poison = float("inf") if kind == "late" and last and RANK == RANKS - 1 else None
            loss = engine(tokens_of(case, step, micro))
            losses.append(loss.item())
            engine.backward(loss * (float("nan") if kind in ("loss", "early") else 1.0))
            if kind is not None or "guess" in case:
                time.sleep(0.02 if kind is not None else 0.01)  # what is stepped before the verdict is stepped
            engine.step()
        norms.append(float(engine.get_global_grad_norm()))
        scales.append(float(engine.optimizer.loss_scale))
    weights, moments = {}, {}
    for name, param in engine.module.named_parameters():
        weights[name] = safe_get_full_fp32_param(param).clone()
        moments[name] = [safe_get_full_optimizer_state(param, key).clone() for key in ("exp_avg", "exp_avg_sq")]
        with deepspeed.zero.GatheredParameters([param]):
            low = param.detach().clone()
        assert torch.equal(low.float(), weights[name].to(low.dtype).float()), f"{name}: weights are not the master's"
    counts = dict(engine.optimizer.stepper.counts) if overlap else {}
    skipped = engine.skipped_steps
    engine.optimizer.destroy()
    return losses, norms, weights, moments, counts, skipped, scales


def off(a, b):
    return float((a - b).norm() / b.norm().clamp_min(1e-12))


# Before 0.19.0 DeepSpeed's CPU Adam corrects a step's second subgroup with other bits of beta's power (its pull
# request 7819): no bits to compare.
DRIFTS = tuple(map(int, deepspeed.__version__.split(".")[:2])) < (0, 19)
EXPECTED = {}  # by what the reference depends on: several cases have the same


def compare(name):
    case = CASES[name]
    reference = json.dumps([STEPS, {k: v for k, v in case.items() if k not in ("keys", "slow", "ratio", "broken", "guess")}])
    with tempfile.TemporaryDirectory() as folder:
        if reference not in EXPECTED:
            EXPECTED[reference] = train(case, False, folder + "/expected")
        expected = EXPECTED[reference]
        try:
            found = train(case, True, folder + "/found")
        except (RuntimeError, AssertionError) as error:
            if "broken" not in case:
                raise
            return {"case": name, "error": str(error)}
    finite = [i for i, x in enumerate(expected[0]) if x == x]
    unbroken = train({k: v for k, v in case.items() if k != "reload"}, False, None) if name == "saved and loaded" else expected
    result = {
        "case": name, "steps": STEPS, "first loss": expected[0][0], "last loss": expected[0][-1],
        "loss": max(abs(expected[0][i] - found[0][i]) for i in finite),
        "norm": max(abs(a - b) / max(b, 1e-9) for a, b in zip(found[1], expected[1]) if b < float("inf")),
        "weights": max(off(found[2][name], weight) for name, weight in expected[2].items()),
        "different": sum(not torch.equal(found[2][name], weight) for name, weight in expected[2].items()),
        # ZeRO-3's own, never saved. Not the same bits: after a load DeepSpeed's Adam has beta's power from pow(), before it
        # from a product that grows by one factor a step.
        "unbroken": max(off(found[2][name], weight) for name, weight in unbroken[2].items()),
        "moments": max(off(a, b) for name, pair in expected[3].items() for a, b in zip(found[3][name], pair)),
        "skipped": found[5], "expected skipped": expected[5], **found[4],
        "scales": sorted(set(found[6])), "scales differ": sum(a != b for a, b in zip(found[6], expected[6])),
        "finite": all(bool(x.isfinite().all()) for pair in found[3].values() for x in pair),
        "least variance": min(float(pair[1].min()) for pair in found[3].values()),
    }
    return {**result, "within": within(case, result)}


def within(case, result):
    """The same bits, or with clipping (the norm is summed in another order) nearly; on an H200 as on a CPU."""
    if result["skipped"] != result["expected skipped"] or not result["finite"] or result["least variance"] < 0:
        return False
    if case.get("reload") and result["unbroken"] > 1e-6:
        return False
    low, same = case.get("dtype") != "fp32", "clip" not in case and "ratio" not in case and not DRIFTS
    if same:
        return result["different"] == 0 and result["moments"] == 0 and result["loss"] == 0 and not result["scales differ"]
    return result["loss"] < (1e-2 if low else 1e-5) and result["weights"] < (2e-2 if low else 1e-4)


SAID = {"failing": "failed: MemoryError", "ending": "failed: SystemExit", "hanging": "has done nothing for 2 s"}


def planted(how):
    """The CPU optimizer fails, ends or hangs in the second step: how long until the training script knows? At most a
    second, or where it hangs the 2 s that it may be silent, and as long again on a busy machine."""
    engine = engine_of({"keys": {"stall_seconds": 2}}, True)

    def fail(*_):
        if how == "hanging":
            threading.Event().wait()
        raise MemoryError("planted") if how == "failing" else SystemExit("planted")

    for step in range(3):
        if step == 1:
            engine.optimizer.adam.step = fail
        begin = time.perf_counter()
        try:
            engine.backward(engine(tokens_of({}, step, 0)))
            engine.step()
        except RuntimeError as error:
            seconds = time.perf_counter() - begin
            return {"case": how, "step": step, "seconds": seconds, "error": str(error),
                    "within": step == 1 and seconds < (4 if how == "hanging" else 1) and SAID[how] in str(error)}
    return {"case": how, "error": "none", "within": False}


def result_of(name, steps):
    global STEPS
    STEPS = steps
    if name == "affinity":
        return affinity(lambda: engine_of({}, True), tokens_of({}, 0, 0), RANKS)
    if name == "refused":
        try:
            engine_of({"keys": {"early_forward": True}}, True)
            return {"case": name}
        except ValueError as error:
            return {"case": name, "error": str(error)}
    return planted(name) if name in SAID else compare(name)


if __name__ == "__main__":
    check([name for name, case in CASES.items() if RANKS == 1 or "early_forward" not in case.get("keys", {})], result_of)
