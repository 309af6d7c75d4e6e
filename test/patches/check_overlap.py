"""Trains a small model with ZeRO-3's own CPU optimizer and with the overlap optimizer, and compares every fp32 weight.

    check_overlap.py CASE...                       prints a line of JSON for each
    torchrun --nproc-per-node 2 check_overlap.py CASE...

Both see the same data, learning rates, accumulation, clipping and bad gradients, on the CPU accelerator. NAME@60 takes
60 steps from then on; 200 without.
"""

import json
import os
import sys
import tempfile
import time

import torch

os.environ.update(DS_ACCELERATOR="cpu")
for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": "0"}.items():
    os.environ.setdefault(name, value)

import deepspeed  # noqa: E402
from deepspeed.ops.adam import DeepSpeedCPUAdam  # noqa: E402
from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state  # noqa: E402

WIDTH, ROWS, STEPS = 32, 64, 200
RANK, RANKS = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])

CASES = {
    "plain": {},
    "clipped": {"clip": 0.35, "dtype": "fp32"},
    "always clipped": {"clip": 1e-3, "dtype": "fp32"},
    "accumulated": {"accumulation": 3},
    "accumulated and clipped": {"accumulation": 3, "clip": 0.35, "dtype": "fp32"},
    "accumulated in fp32": {"accumulation": 2, "accumulate_in": "fp32"},
    "bad gradients": {"bad": {3: "early", 7: "late", 8: "late", 20: "loss"}},
    "bad and clipped": {"bad": {3: "late", 7: "late"}, "clip": 0.35, "accumulation": 2, "dtype": "fp32"},
    "new rows": {"bad": {0: "late", 5: "late"}, "new_rows": True, "decay": 0.0},
    "half on the accelerator": {"ratio": 0.5, "clip": 0.35, "dtype": "fp32"},
    "nothing guessed": {"speculation": 0.0, "bad": {3: "late"}},
    "saved and loaded": {"reload": True},
    "fp32": {"dtype": "fp32"},
}


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up = torch.nn.LayerNorm(WIDTH), torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.down = torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        return x + self.down(torch.nn.functional.gelu(self.up(self.norm(x))))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rows = torch.nn.Embedding(ROWS, WIDTH)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(4))
        self.head = torch.nn.Linear(WIDTH, ROWS, bias=False)
        self.poison = None

    def forward(self, tokens):
        x = self.rows(tokens[:, :-1])
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i == 1 and self.poison and x.requires_grad:  # layers 2 and 3 get good gradients, 0 and 1 do not
                poison = self.poison
                x.register_hook(lambda g: g * poison)
        return torch.nn.functional.cross_entropy(self.head(x).float().flatten(0, 1), tokens[:, 1:].flatten())


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
    if case.get("dtype") != "fp32":
        made["bf16"] = {"enabled": True}
    if "accumulate_in" in case:
        made["data_types"] = {"grad_accum_dtype": case["accumulate_in"]}
    if overlap:
        made["superoffload"] = {"optimizer": "overlap", "subgroup_elements": 6000,
                                "speculation": case.get("speculation", 0.5)}
        made["zero_optimization"]["offload_optimizer"]["ratio"] = case.get("ratio", 1.0)
    return made


def tokens_of(case, step, micro):
    generator = torch.Generator().manual_seed(1000 * step + 10 * micro + RANK)
    limit = ROWS if not case.get("new_rows") or step in case["bad"] else ROWS // 2
    return torch.randint(limit, (4, 17), generator=generator)


def engine_of(case, overlap):
    torch.manual_seed(1)
    model = Model()
    if case.get("dtype") != "fp32":
        model = model.bfloat16()
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": case.get("decay", 0.1)},
              {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = DeepSpeedCPUAdam(groups, lr=1e-2, betas=(0.9, 0.95), adamw_mode=True)
    settings = config(case, overlap)
    return deepspeed.initialize(model=model, optimizer=optimizer, config=settings)[0]


def train(case, overlap, folder):
    engine = engine_of(case, overlap)
    losses, norms = [], []
    for step in range(STEPS):
        if case.get("reload") and step == STEPS // 2:
            engine.save_checkpoint(folder, tag="middle")
            engine.optimizer.destroy()
            engine = engine_of(case, overlap)
            engine.load_checkpoint(folder, tag="middle")
        for group in engine.optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / (2 * STEPS))
        kind = case.get("bad", {}).get(step)
        for micro in range(case.get("accumulation", 1)):
            last = micro == case.get("accumulation", 1) - 1
            engine.module.poison = float("inf") if kind == "late" and last and RANK == RANKS - 1 else None
            loss = engine(tokens_of(case, step, micro))
            losses.append(loss.item())
            engine.backward(loss * (float("nan") if kind in ("loss", "early") else 1.0))
            if kind is not None:
                time.sleep(0.02)  # what is stepped before the verdict is stepped
            engine.step()
        norms.append(float(engine.get_global_grad_norm()))
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
    return losses, norms, weights, moments, counts, skipped


def off(a, b):
    return float((a - b).norm() / b.norm().clamp_min(1e-12))


def compare(name):
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        expected = train(case, False, folder + "/expected")
        found = train(case, True, folder + "/found")
    finite = [i for i, x in enumerate(expected[0]) if x == x]
    return {
        "case": name, "steps": STEPS, "first loss": expected[0][0], "last loss": expected[0][-1],
        "loss": max(abs(expected[0][i] - found[0][i]) for i in finite),
        "norm": max(abs(a - b) / max(b, 1e-9) for a, b in zip(found[1], expected[1]) if b < float("inf")),
        "weights": max(off(found[2][name], weight) for name, weight in expected[2].items()),
        "different": sum(not torch.equal(found[2][name], weight) for name, weight in expected[2].items()),
        "moments": max(off(a, b) for name, pair in expected[3].items() for a, b in zip(found[3][name], pair)),
        "skipped": found[5], "expected skipped": expected[5], **found[4],
    }


def failing():
    """The CPU optimizer fails in the second step: how long until the training script knows?"""
    engine = engine_of({}, True)

    def fail(*_):
        raise MemoryError("planted")

    for step in range(3):
        if step == 1:
            engine.optimizer.adam.step = fail
        begin = time.perf_counter()
        try:
            engine.backward(engine(tokens_of({}, step, 0)))
            engine.step()
        except RuntimeError as error:
            return {"case": "failing", "step": step, "seconds": time.perf_counter() - begin, "error": str(error)}
    return {"case": "failing", "error": "none"}


if __name__ == "__main__":
    for argument in sys.argv[1:] or CASES:
        case_name, _, steps = argument.partition("@")
        STEPS = int(steps or STEPS)
        result = failing() if case_name == "failing" else compare(case_name)
        if RANK == 0:
            print("RESULT " + json.dumps(result), flush=True)
