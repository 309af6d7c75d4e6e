"""What happens when within one training step, written as JSON where SUPEROFFLOAD_TRACE names a file.

SUPEROFFLOAD_TRACE_STEP (default 8) says which step. Only that step is watched: forward, backward and step of the engine,
what the GPU computes and copies (torch.profiler; nothing where there is none), every CPU Adam, also that of SuperOffload's
worker process, and what the optimizers of patches/deepspeed note. All times are milliseconds from the beginning of the
step. Rank 0 writes. Without the variable nothing of this runs. `superoffload throughput --timeline` sets both.
"""

import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

FILE, STEP = os.environ.get("SUPEROFFLOAD_TRACE") or None, int(os.environ.get("SUPEROFFLOAD_TRACE_STEP") or 8)
GAP_MS = 0.02  # kernels that follow one another closer than this are one interval


def now():
    return time.time_ns() / 1e6


def time_adam(write):
    """Every step of DeepSpeed's CPU Adam in this process is given to `write` as (begin, end, elements), in ms."""
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    def timed(method):
        def step(self, *args, **options):
            begin = now()
            elements = sum(p.numel() for group in self.param_groups for p in group["params"] if p.grad is not None)
            result = method(self, *args, **options)
            write((begin, now(), elements))
            return result

        return step

    for name in ("step", "step_subgroup", "rollback_subgroup"):
        if hasattr(DeepSpeedCPUAdam, name):
            setattr(DeepSpeedCPUAdam, name, timed(getattr(DeepSpeedCPUAdam, name)))


def watch_worker():
    """In SuperOffload's worker, which imports the training script again: a line for each Adam. Each rank has its own."""
    file = open(f"{FILE}.worker-{os.environ['SUPEROFFLOAD_TRACE_PARENT']}-{os.getpid()}", "w")

    def write(times):
        file.write(json.dumps(times) + "\n")
        file.flush()

    time_adam(write)


def merged(intervals):
    """Sorted intervals (begin, end), those with less than GAP_MS between them joined."""
    joined = []
    for begin, end in sorted(intervals):
        if joined and begin - joined[-1][1] < GAP_MS:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    return joined


class Timeline:
    """One for a run; rank 0 writes."""

    def __init__(self, cuda, rank):
        self.on = FILE is not None and rank == 0
        self.cuda, self.phases, self.adams, self.watching = cuda, [], [], None
        if self.on:
            time_adam(lambda times: self.watching is not None and self.adams.append(times))

    def begin(self, iteration, optimizer):
        if not self.on or iteration != STEP:
            return
        if self.cuda:
            import torch

            self.profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
            self.profile.start()
        stepper = getattr(optimizer, "stepper", optimizer)  # of the optimizers in patches/deepspeed
        self.stepper = stepper if hasattr(stepper, "journal") else None
        if self.stepper is not None:
            self.stepper.journal = []
        self.phases.clear()
        self.adams.clear()
        self.watching = now()

    def end(self):
        if self.watching is None:
            return
        begin, end, self.watching = self.watching, now(), None
        if self.cuda:
            self.profile.stop()
        journal = []
        if self.stepper is not None:
            shift = now() - 1000 * time.perf_counter()
            journal = [(what, 1000 * a + shift, 1000 * b + shift, i) for what, i, a, b in self.stepper.journal]
            self.stepper.journal = None
        self._write(begin, end, journal)

    @contextmanager
    def phase(self, name):
        if self.watching is None:
            yield
            return
        begin = now()
        yield
        self.phases.append((name, begin, now()))

    def _write(self, begin, end, journal):
        gpu = {"compute": [], "copies": []}
        if self.cuda:
            gpu = gpu_intervals(self.profile)
        adams = [*self.adams, *([b, e, n] for b, e, n in worker_lines() if e > begin and b < end)]
        adams += [[b, e, i] for what, b, e, i in journal if what == "adam"]
        waits = [[b - begin, e - begin, i, what] for what, b, e, i in journal if what != "adam"]
        made = {
            "schemaVersion": 1, "iteration": STEP, "stepMs": end - begin,
            "phases": [[name, b - begin, e - begin] for name, b, e in self.phases],
            "compute": [[b - begin, e - begin] for b, e in merged(gpu["compute"])],
            "copies": [[kind, b - begin, e - begin, size, stream] for kind, b, e, size, stream in gpu["copies"]],
            "adam": [[b - begin, e - begin, n] for b, e, n in sorted(adams)],
            "waits": waits,
        }
        part = Path(f"{FILE}.part")  # whoever finds the file finds all of it
        part.write_text(json.dumps(made))
        part.replace(FILE)
        for file in worker_files():
            file.unlink()  # the worker goes on writing, to nobody


def worker_files():
    return Path(FILE).parent.glob(f"{Path(FILE).name}.worker-{os.getpid()}-*")


def worker_lines():
    return [json.loads(line) for file in worker_files() for line in file.read_text().splitlines()]


def gpu_intervals(profile):
    """Kernels, and copies with direction, bytes and stream; times as now() gives them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        made = json.loads(path.read_text())
    base = made.get("baseTimeNanoseconds", 0) / 1e6
    compute, copies = [], []
    for event in made["traceEvents"]:
        kind, begin = event.get("cat"), event.get("ts", 0) / 1e3 + base
        end = begin + event.get("dur", 0) / 1e3
        if kind == "kernel":
            compute.append((begin, end))
        elif kind == "gpu_memcpy":
            args = event.get("args", {})
            copies.append((event["name"], begin, end, args.get("bytes", 0), args.get("stream", 0)))
    return {"compute": compute, "copies": copies}


if FILE is not None and __name__ == "timeline" and os.environ.get("SUPEROFFLOAD_TRACE_PARENT"):
    if os.environ["SUPEROFFLOAD_TRACE_PARENT"] != str(os.getpid()) and os.environ.get("RANK", "0") == "0":
        watch_worker()
elif FILE is not None:
    os.environ["SUPEROFFLOAD_TRACE_PARENT"] = str(os.getpid())
