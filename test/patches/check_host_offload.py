"""Trains a small model with ZeRO's CPU offload as DeepSpeed has it and with what `"superoffload": {"host_memory":
"registered", "casts": "fused"}` puts in its place, and compares every fp32 weight, moment, loss and norm.

    check_host_offload.py [--cuda] CASE...              prints a line of JSON for each
    torchrun --nproc-per-node 2 check_host_offload.py [--cuda] CASE...

Both see the same data, learning rates, accumulation, clipping and bad gradients, on the CPU accelerator, or with --cuda
on the GPU; exit status 1 where anything differs, or where memory is not page-locked, or is left. NAME@60 takes 60 steps
from then on, 200 without; "all" are all, with the sizes and lifetimes of `blocks`. On a GPU machine, not run there yet:

    python check_host_offload.py --cuda all@60
"""

import gc
import tempfile

import torch
from check_accelerator import CUDA, RANK, RANKS, check

import deepspeed
from small_layer import ROWS, WIDTH, Layer
from deepspeed.accelerator import get_accelerator
from deepspeed.ops.adam import DeepSpeedCPUAdam
from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_grad

STEPS = 200
REGISTERED, FUSED = {"host_memory": "registered"}, {"casts": "fused"}

# ours: the section `superoffload`. absent: which micro-steps leave a layer out, in three of four steps; where DeepSpeed
# trains beside it, its loss has that layer's weights times 0.
CASES = {
    "zero_offload in registered memory": {"ours": REGISTERED},
    "zero_infinity in registered memory": {"ours": REGISTERED, "stage": 3, "reload": True},
    "zero_infinity_param in registered memory": {"ours": REGISTERED, "stage": 3, "parameters": True, "reload": True},
    "fused": {"ours": FUSED},
    "fused in registered memory": {"ours": {**REGISTERED, **FUSED}, "reload": "both"},
    "fused and accumulated": {"ours": FUSED, "accumulation": 3, "clip": 0.35},
    "fused and clipped": {"ours": FUSED, "clip": 0.35},
    "fused, bad gradients": {"ours": FUSED, "bad": {3: "late", 7: "loss", 20: "late"}, "accumulation": 2},
    "fused, bad gradients that the last leaves out": {"ours": FUSED, "bad": {4: "late"}, "accumulation": 2,
                                                      "absent": (1, )},
    "fused, a layer left out": {"ours": FUSED, "absent": (0, )},
    "fused, a layer left out of the first": {"ours": FUSED, "absent": (0, ), "accumulation": 2, "clip": 0.35},
    "fused, a layer left out of the last": {"ours": FUSED, "absent": (1, ), "accumulation": 2, "clip": 0.35},
    "fused, in fp32": {"ours": FUSED, "dtype": "fp32", "clip": 0.35},
    "fused, in fp16": {"ours": FUSED, "dtype": "fp16", "clip": 0.35, "bad": {3: "late", 20: "late"}},
    "fused, with its own backward calls": {"ours": FUSED, "accumulation": 2, "unmanaged": True},
}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rows = torch.nn.Embedding(ROWS, WIDTH)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(3))
        self.head = torch.nn.Linear(WIDTH, ROWS, bias=False)
        self.poison, self.without, self.zero = None, False, False

    def forward(self, tokens):
        x = self.rows(tokens[:, :-1])
        for i, layer in enumerate(self.layers):
            if i != 1 or not self.without:
                x = layer(x)
            if i == 0 and self.poison:
                poison = self.poison
                x.register_hook(lambda g: g * poison)
        loss = torch.nn.functional.cross_entropy(self.head(x).float().flatten(0, 1), tokens[:, 1:].flatten())
        if self.without and self.zero:
            loss = loss + sum(p.float().sum() * 0 for p in self.layers[1].parameters())
        return loss


def config(case, ours):
    accumulation, dtype = case.get("accumulation", 1), case.get("dtype", "bf16")
    zero = {"stage": case.get("stage", 2), "overlap_comm": False, "reduce_bucket_size": 20000,
            "offload_optimizer": {"device": "cpu", "pin_memory": True}}
    if zero["stage"] == 3:
        zero.update(sub_group_size=6000, stage3_param_persistence_threshold=0)
    if case.get("parameters"):
        zero["offload_param"] = {"device": "cpu", "pin_memory": True}
    made = {"train_batch_size": 4 * accumulation * RANKS, "train_micro_batch_size_per_gpu": 4,
            "gradient_accumulation_steps": accumulation, "gradient_clipping": case.get("clip", 0.0),
            "steps_per_print": 10**9, "zero_optimization": zero}
    if dtype == "bf16":
        made["bf16"] = {"enabled": True, "check_grad_overflow": True}
    elif dtype == "fp16":
        made["fp16"] = {"enabled": True, "initial_scale_power": 8, "loss_scale_window": 10**6, "hysteresis": 1}
    if case.get("unmanaged"):
        made["managed_gradient_accumulation"] = False
    if ours:
        made["superoffload"] = case["ours"]
    return made


def engine_of(case, ours):
    settings, dtype = config(case, ours), case.get("dtype", "bf16")
    if dtype == "fp16" and not CUDA:  # slow without the processor's help, and so DeepSpeed refuses it; PyTorch computes it
        accelerator = get_accelerator()
        accelerator.supported_dtypes = lambda: [torch.float, torch.bfloat16, torch.half]
        accelerator.is_fp16_supported = lambda: True
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[dtype]
    torch.manual_seed(1)
    torch.set_default_dtype(kind)
    if settings["zero_optimization"]["stage"] == 3:
        with deepspeed.zero.Init(config_dict_or_path=settings):
            model = Model()
    else:
        model = Model()
    torch.set_default_dtype(torch.float32)
    groups = [{"params": [p for p in model.parameters() if len(getattr(p, "ds_shape", p.shape)) > 1],
               "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if len(getattr(p, "ds_shape", p.shape)) == 1],
               "weight_decay": 0.0}]
    optimizer = DeepSpeedCPUAdam(groups, lr=1e-2, betas=(0.9, 0.95), adamw_mode=True)
    return deepspeed.initialize(model=model, optimizer=optimizer, config=settings)[0]


def tokens_of(step, micro):
    generator = torch.Generator().manual_seed(1000 * step + 10 * micro + RANK)
    return torch.randint(ROWS, (4, 17), generator=generator).to(get_accelerator().current_device_name())


def train(case, ours, folder):
    engine = engine_of(case, ours)
    accumulation, losses, norms, gradients = case.get("accumulation", 1), [], [], []
    for step in range(STEPS):
        if case.get("reload") and step == STEPS // 2:
            engine.save_checkpoint(folder, tag="middle")
            engine.destroy()
            engine = engine_of(case, ours)
            other = folder.replace("ours", "theirs") if case["reload"] == "both" else folder
            engine.load_checkpoint(other, tag="middle")
        for group in engine.optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / (2 * STEPS))
        kind = case.get("bad", {}).get(step)
        for micro in range(accumulation):
            last, model = micro == accumulation - 1, engine.module
            first = micro == 0
            model.without = step % 4 < 3 and micro in case.get("absent", ()) or kind == "late" and "absent" in case
            model.zero = not ours
            poisoned = kind == "late" and (first if "absent" in case else last) and RANK == RANKS - 1
            model.poison = float("inf") if poisoned else None
            loss = engine(tokens_of(step, micro))
            losses.append(loss.item())
            engine.backward(loss * (float("nan") if kind == "loss" else 1.0))
            if last and step == 5 and case.get("stage", 2) == 2 and not case.get("unmanaged"):
                gradients = [safe_get_full_grad(p).clone() for p in engine.module.parameters()]
            if last or not case.get("unmanaged"):
                engine.step()
        norms.append(float(engine.get_global_grad_norm()))
    weights = [safe_get_full_fp32_param(param).clone() for param in engine.module.parameters()]
    # safe_get_full_optimizer_state finds the first parameter group only: docs/upstream
    moments = [state[key].clone() for state in engine.optimizer.optimizer.state.values() for key in ("exp_avg",
                                                                                                     "exp_avg_sq")]
    return engine, {"losses": losses, "norms": norms, "weights": weights, "moments": moments, "gradients": gradients,
                    "skipped": engine.skipped_steps, "low": [low_of(p) for p in engine.module.parameters()]}


def low_of(param):
    if not hasattr(param, "ds_id"):
        return param.detach().clone()
    with deepspeed.zero.GatheredParameters([param]):
        return param.detach().clone()


def memory_of(engine):
    """Bytes of registered memory, and of the tensors that DeepSpeed keeps in it."""
    from deepspeed.runtime.superoffload.host_offload.registered import process_memory

    memory, optimizer, found = process_memory(), engine.optimizer, {}
    seen = [p.ds_tensor for p in engine.module.parameters() if hasattr(p, "ds_tensor")]
    seen += getattr(optimizer, "param_groups_fp16_flat_cpu_memory", [])
    seen += getattr(optimizer, "param_buffer_of_bit16_for_cpu_offload_groups", [])
    for flat in getattr(optimizer, "single_partition_of_fp32_groups", None) or optimizer.fp32_partitioned_groups_flat:
        seen += [flat, flat.grad]
    for name in ("temp_grad_buffer_for_cpu_offload", "grad_partitions_flat_buffer"):
        seen.append(getattr(optimizer, name, None))
    for tensor in seen:
        if tensor is not None and memory.is_pinned(tensor):
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
    return {"registered": memory.held_bytes(), "used": sum(found.values()), "blocks": len(found)}


def different(a, b):
    return sum(not torch.equal(x, y) for x, y in zip(a, b, strict=True))


def apart(a, b):
    """Of numbers that may be inf or nan in both."""
    return max((abs(x - y) for x, y in zip(a, b, strict=True) if x == x and abs(x) != float("inf") or y == y and abs(
        y) != float("inf")), default=0.0)


def compare(name):
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        if RANKS > 1:
            shared = [folder]
            torch.distributed.is_initialized() or deepspeed.init_distributed(
                dist_backend="nccl" if CUDA else "gloo")
            torch.distributed.broadcast_object_list(shared)
            folder_of_all = shared[0]
        else:
            folder_of_all = folder
        engine, expected = train(case, False, folder_of_all + "/theirs")
        engine.destroy()
        engine, found = train(case, True, folder_of_all + "/ours")
        memory = memory_of(engine) if "host_memory" in case["ours"] else {}
        kind = type(engine.optimizer).__name__
        engine.destroy()
        del engine
        gc.collect()
        if memory:
            from deepspeed.runtime.superoffload.host_offload.registered import process_memory
            memory["left"] = process_memory().held_bytes()
        if RANKS > 1:
            torch.distributed.barrier()
    made = {"case": name, "steps": STEPS, "optimizer": kind, "first loss": expected["losses"][0],
            "last loss": expected["losses"][-1], "skipped": found["skipped"], "expected skipped": expected["skipped"],
            **{what: different(found[what], expected[what]) for what in ("weights", "moments", "low", "gradients")},
            "loss": apart(found["losses"], expected["losses"]),
            "norm": apart(found["norms"], expected["norms"]), **memory}
    same = all(made[what] == 0 for what in ("weights", "moments", "low", "gradients", "loss", "norm"))
    return {**made, "within": same and made["skipped"] == made["expected skipped"] and made.get("used", 1) > 0}


def blocks():
    """Sizes and lifetimes of registered memory, without DeepSpeed around it."""
    from deepspeed.runtime.superoffload.host_offload.registered import RegisteredMemory

    memory = RegisteredMemory()
    sources = [torch.randn(count) for count in (1, 1000, 100_000, 3_000_001)]
    held = [memory.pin(source) for source in sources]
    sizes = [tensor.untyped_storage().nbytes() for tensor in held]
    made = {"case": "blocks", "asked": [4 * source.numel() for source in sources], "sizes": sizes,
            "equal": all(torch.equal(*pair) for pair in zip(sources, held)), "all": memory.held_bytes(),
            "pinned": [memory.is_pinned(tensor) for tensor in (*held, held[3][7:], sources[3])],
            "empty": memory.pin(torch.empty(0, 3)).shape, "flat": memory.pin(torch.ones(2, 3), match_shape=False).shape}
    locked = [tensor.is_pinned() for tensor in (*held, held[3][7:])] if CUDA else []  # as CUDA has it
    view = held.pop()[7:9]
    memory.unpin(view)
    made["with a view"] = memory.held_bytes()
    made["view"] = torch.equal(view, sources[3][7:9])
    del view
    made["without it"] = memory.held_bytes()
    held.clear()
    made["left"] = memory.held_bytes()
    return {**made, "page-locked": locked, "within": made["equal"] and made["view"] and made["left"] == 0 and all(locked)}


def result_of(name, steps):
    global STEPS
    STEPS = steps
    return blocks() if name == "blocks" else compare(name)


if __name__ == "__main__":
    check([*CASES, "blocks"], result_of)
