"""The pure parts of the trainer's timeline, and that nothing of it can end a run. Prints JSON, by the name of the check."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

trainer = Path(__file__).parents[2] / "experiment" / "trainer"
sys.path.insert(0, str(trainer))
results = {}

import timeline  # noqa: E402

results["untraced"] = "notes" in sys.modules

del sys.modules["timeline"]
os.environ["SUPEROFFLOAD_TRACE"], os.environ["SUPEROFFLOAD_TRACE_STEP"] = "no/such/folder/timeline.json", "1"
import timeline  # noqa: E402
from notes import HostWatch, queue_notes, without  # noqa: E402

results["without"] = [without((0, 10), holes) for holes in ([], [(2, 3), (5, 7)], [(-1, 1), (9, 12)], [(0, 10)], [(2, 6), (4, 8)])]

# Subgroup 1 waits behind 0; 0 is put a second time (clipping); a result of the step before is nobody's.
lines = [
    ["sent", -50, 0], ["taken", -40, 12, 0], ["adam", 15, 20, 100], ["sent", 20.5, 0], ["taken", 21, 21.5, 1],
    ["adam", 22, 30, 100], ["sent", 30.5, 1], ["taken", 31, 43, 0], ["adam", 44, 50, 100], ["sent", 51, 0],
]
results["queues"] = queue_notes([(0, 10), (1, 11), (0, 40)], [(0, 25), (1, 33), (0, 52)], lines)
results["queue of another step"] = queue_notes([], [], [["taken", -9, -8, 0], ["adam", -7, -6, 5], ["sent", -5, 0]])

# As torch.profiler writes a trace: microseconds after the base.
events = [
    ("kernel", "gemm", 1000, 500, {}), ("gpu_memcpy", "Memcpy DtoH (Device -> Pinned)", 2000, 100, {"bytes": 8, "stream": 7}),
    ("cuda_runtime", "cudaLaunchKernel", 900, 5, {}), ("cuda_runtime", "cudaStreamSynchronize", 3000, 400, {}),
    ("cuda_runtime", "cudaEventSynchronize", 4000, 600, {}), ("gpu_user_annotation", "cudaDeviceSynchronize", 1, 1, {}),
]
trace = {"baseTimeNanoseconds": 5_000_000, "traceEvents": [{"ph": "M", "name": "process_name"}, *(
    {"cat": cat, "name": name, "ts": ts, "dur": dur, "args": args} for cat, name, ts, dur, args in events)]}
gpu = timeline.intervals_of(trace)
results["gpu"] = gpu
results["waits of others"] = timeline.waits_of_others(gpu["waits"], [("wait for gradients", 8.98, 9.7, 3), ("adam", 8, 9, 3)])

# A wrapped object is as it was before, whatever else failed.
import torch  # noqa: E402


class Optimizer:

    def partition_grads(self, target, source):
        target.copy_(source)

    def unscale_and_clip_grads(self):
        raise ValueError("of the run itself")

    @property
    def superoffload_cpu_optimizer(self):
        raise RuntimeError("cannot be watched")


optimizer = Optimizer()
optimizer.partition_grads = optimizer.partition_grads  # of its own already
before = dict(vars(optimizer))
watch = HostWatch(optimizer, cuda=False)
watch.start()
big, small = torch.zeros(4096), torch.zeros(4)
optimizer.partition_grads(big, torch.ones(4096))
optimizer.partition_grads(small, torch.ones(4))
big.copy_(torch.ones(4096))  # nobody's
big.copy_(other=torch.ones(4096))  # its name in PyTorch
watch.undo.append(lambda: delattr(optimizer, "gone"))  # as where the run has taken it away itself
watch.stepping = True
big.copy_(torch.ones(4096))
try:
    optimizer.unscale_and_clip_grads()
    raised = None
except ValueError as error:
    raised = str(error)
watch.stop()
results["watched"] = [what for what, _, _ in watch.notes if what != "gradient pass"]
results["raised"] = raised
results["as before"] = vars(optimizer) == before and "copy_" not in vars(torch.Tensor)

# Without DeepSpeed's Adam, without an optimizer that can be watched, without a folder to write to.
sys.modules["deepspeed"] = None
whole = timeline.Timeline(cuda=False, rank=0)
whole.begin(1, SimpleNamespace())
with whole.phase("step"):
    pass
whole.end()
results["ended"] = whole.watching is None

print(json.dumps(results))
