"""What happens when within one training step, written as JSON where SUPEROFFLOAD_TRACE names a file.

SUPEROFFLOAD_TRACE_STEP (default 8) says which step. Only that step is watched: forward, backward and step of the engine,
what the GPU computes and copies and who waits for it (torch.profiler; nothing where there is none), every CPU Adam, also
that of SuperOffload's worker process, its queues and copies, what the host copies and waits for (notes.py), and what the
optimizers of patches/deepspeed note. All times are milliseconds from the beginning of the step. Rank 0 writes. Without
the variable nothing of this runs. `superoffload throughput --timeline` sets both. What cannot be recorded is said on
standard error and left out: no run fails of it.
"""

import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

FILE, STEP = os.environ.get("SUPEROFFLOAD_TRACE") or None, int(os.environ.get("SUPEROFFLOAD_TRACE_STEP") or 8)
GAP_MS = 0.02  # kernels that follow one another closer than this are one interval
SAME_MS = 0.1  # what begins closer than this to a note of the overlap optimizer's thread is what that notes

if FILE is not None:
    from notes import HostWatch, now, queue_notes, say_failed, time_adam, watch_worker


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
        self.profile = self.stepper = self.host = None
        if self.on:
            self._try("CPU Adam", lambda: time_adam(lambda times: self.watching and self.adams.append(times)))

    @staticmethod
    def _try(what, action, otherwise=None):
        try:
            return action()
        except Exception as error:
            say_failed(what, error)
            return otherwise

    def begin(self, iteration, optimizer):
        if not self.on or iteration != STEP:
            return
        if self.cuda:
            self.profile = self._try("the GPU", self._profile)
        stepper = getattr(optimizer, "stepper", optimizer)  # of the optimizers in patches/deepspeed
        self.stepper = stepper if hasattr(stepper, "journal") else None
        if self.stepper is not None:
            self.stepper.journal = []
        self.host = HostWatch(optimizer, self.cuda)
        self.host.start()
        self.phases.clear()
        self.adams.clear()
        self.watching = now()

    @staticmethod
    def _profile():
        import torch

        profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
        profile.start()
        return profile

    def end(self):
        if self.watching is None:
            return
        begin, end, self.watching = self.watching, now(), None
        if self.profile is not None:
            self._try("the GPU", self.profile.stop)
        journal = []
        if self.stepper is not None:
            shift = now() - 1000 * time.perf_counter()
            journal = [(what, 1000 * a + shift, 1000 * b + shift, i) for what, i, a, b in self.stepper.journal]
            self.stepper.journal = None
        self._try("what the host does", self.host.stop)
        self._try("the step", lambda: self._write(begin, end, journal))

    @contextmanager
    def phase(self, name):
        if self.watching is None:
            yield
            return
        begin, self.host.stepping = now(), name == "step"
        yield
        self.host.stepping = False
        self.phases.append((name, begin, now()))

    def _write(self, begin, end, journal):
        gpu = {"compute": [], "copies": [], "waits": []}
        if self.profile is not None:
            gpu = self._try("the GPU", lambda: gpu_intervals(self.profile), gpu)
        workers = self._try("SuperOffload's worker", worker_lines, [])
        notes = [*self.host.notes, *waits_of_others(gpu["waits"], journal)]
        for lines in workers:
            queues = lambda lines=lines: queue_notes(self.host.puts, self.host.got, lines)
            notes += self._try("SuperOffload's queues", queues, [])
        if journal and self.host.idle_since is not None:
            notes.append(("wait for gradients", self.host.idle_since, min(b for _, b, _, _ in journal)))
        adams = [*self.adams, *(times for lines in workers for kind, *times in lines if kind == "adam")]
        adams += [(b, e, i) for what, b, e, i in journal if what == "adam"]
        waits = [(b, e, i, what) for what, b, e, i in journal if what != "adam"]
        waits += [(b, e, None, what) for what, b, e in notes if what == "wait for gradients"]

        def within(times):
            """In order, from the beginning of the step: those of which some is in the step."""
            inside = [each for each in times if each[1] > begin and each[0] < end]
            return [[b - begin, e - begin, *rest] for b, e, *rest in sorted(inside, key=lambda each: each[:2])]

        copies = within((b, e, kind, size, stream) for kind, b, e, size, stream in gpu["copies"])
        made = {
            "schemaVersion": 1, "iteration": STEP, "stepMs": end - begin,
            "phases": [[name, b - begin, e - begin] for name, b, e in self.phases],
            "compute": within(merged(gpu["compute"])),
            "copies": [[kind, b, e, size, stream] for b, e, kind, size, stream in copies],
            "adam": within(adams),
            "waits": within(waits),
            "notes": [[what, b, e] for b, e, what in within((b, e, what) for what, b, e in notes
                                                            if what != "wait for gradients")],
        }
        part = Path(f"{FILE}.part")  # whoever finds the file finds all of it
        part.write_text(json.dumps(made))
        part.replace(FILE)
        for file in worker_files():
            file.unlink()  # the worker goes on writing, to nobody


def worker_files():
    return Path(FILE).parent.glob(f"{Path(FILE).name}.worker-{os.getpid()}-*")


def worker_lines():
    """Of each worker what it wrote; half a line, which it is writing now, is none."""
    return [[json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
            for file in worker_files()]


def waits_of_others(waits, journal):
    """Pure. Of all threads that wait for the GPU, those that the overlap optimizer does not note itself."""
    own = [b for what, b, _, _ in journal if what.startswith("wait")]
    return [("wait for GPU", b, e) for b, e in waits if not any(abs(b - each) < SAME_MS for each in own)]


def gpu_intervals(profile):
    """Kernels, and copies with direction, bytes and stream, and calls that wait for the GPU; times as now() gives them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        return intervals_of(json.loads(path.read_text()))


def intervals_of(trace):
    """Pure. Of a trace as torch.profiler writes it."""
    base = trace.get("baseTimeNanoseconds", 0) / 1e6
    compute, copies, waits = [], [], []
    for event in trace["traceEvents"]:
        kind, begin = event.get("cat"), event.get("ts", 0) / 1e3 + base
        end = begin + event.get("dur", 0) / 1e3
        if kind == "kernel":
            compute.append((begin, end))
        elif kind == "gpu_memcpy":
            args = event.get("args", {})
            copies.append((event["name"], begin, end, args.get("bytes", 0), args.get("stream", 0)))
        elif kind in ("cuda_runtime", "cuda_driver") and event.get("name", "").endswith("Synchronize"):
            waits.append((begin, end))
    return {"compute": compute, "copies": copies, "waits": waits}


if FILE is not None and __name__ == "timeline" and os.environ.get("SUPEROFFLOAD_TRACE_PARENT"):
    if os.environ["SUPEROFFLOAD_TRACE_PARENT"] != str(os.getpid()) and os.environ.get("RANK", "0") == "0":
        path = f"{FILE}.worker-{os.environ['SUPEROFFLOAD_TRACE_PARENT']}-{os.getpid()}"
        Timeline._try("SuperOffload's worker", lambda: watch_worker(path))
elif FILE is not None:
    os.environ["SUPEROFFLOAD_TRACE_PARENT"] = str(os.getpid())
