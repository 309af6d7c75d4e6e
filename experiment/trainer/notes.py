"""What an optimizer does on the host within one step: notes of copies, waits, and SuperOffload's queues.

Nothing of DeepSpeed is patched: for the length of one step, methods of the objects that the run has are wrapped
(HostWatch), and SuperOffload's worker, which lives in a process of its own, has its queues wrapped (watch_worker). All
times are milliseconds of `now`. What cannot be watched is left out: the run goes on.
"""

import json
import sys
import threading
import time

LEAST_BYTES = 4096  # of a copy that is noted: scalars and flags are not
LEAST_MS = 0.01  # of what else is


def now():
    return time.time_ns() / 1e6


def say_failed(what, error):
    print(f"timeline: {what} is not recorded: {error!r}", file=sys.stderr, flush=True)


def time_adam(write):
    """Every step of DeepSpeed's CPU Adam in this process is given to `write` as (begin, end, elements)."""
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


# SuperOffload's worker process


def watch_worker(path):
    """In SuperOffload's worker, which imports the training script before it looks up the function that it runs. A line
    in the file `path` for each subgroup that it takes (when it was ready for one, when it had it, which one), for each
    Adam (begin, end, elements) and for each result that it sends (begin, which one)."""
    file = open(path, "w")

    def write(*line):
        file.write(json.dumps(line) + "\n")
        file.flush()

    time_adam(lambda times: write("adam", *times))
    from deepspeed.runtime.superoffload import superoffload_utils

    run = superoffload_utils.superoffload_optimizer_worker

    def watched(param_queue, result_queue, *args, **options):
        try:
            watch_queues(param_queue, result_queue, write)
        except Exception as error:
            say_failed("SuperOffload's queues", error)
        return run(param_queue, result_queue, *args, **options)

    superoffload_utils.superoffload_optimizer_worker = watched


def watch_queues(param_queue, result_queue, write):
    get, put = param_queue.get, result_queue.put

    def take():
        ready = now()
        task = get()
        if task is not None:
            write("taken", ready, now(), task.get("sub_group_id"))
        return task

    def send(result):
        write("sent", now(), result.get("sub_group_id"))  # first: the step may end with what it brings
        put(result)

    param_queue.get, result_queue.put = take, send


def queue_notes(puts, got, lines):
    """Pure. `puts` and `got`: (subgroup, ms) of the training process, when it began to put a subgroup into the queue and
    when it had a result. `lines`: what one worker wrote. Returns notes (what, begin, end): of the queues, of the worker's
    copies, and of its waits for gradients, which end when a subgroup is put."""
    notes, taken, sent = [], None, []
    for kind, *times in lines:
        if kind == "taken":
            ready, taken, index = times
            put = max((ms for i, ms in puts if i == index and ms <= taken), default=None)
            if put is not None:
                notes.append(("queue to worker", put, taken))
            if put is None or put > ready:
                notes.append(("wait for gradients", ready, taken if put is None else put))
        elif kind == "adam" and taken is not None:
            notes.append(("worker copy", taken, times[0]))
            taken = None
        elif kind == "sent":
            sent.append(times)
    for index, had in got:
        begin = max((ms for ms, i in sent if i == index and ms <= had), default=None)
        if begin is not None:
            notes.append(("queue from worker", begin, had))
    return notes


# The training process


class HostWatch:
    """From `start` to `stop`: `notes` (what, begin, end) of copies from or to host memory, by whose they are (gradients,
    parameters), of passes over gradients, and of waits; `puts` and `got` (subgroup, ms) of SuperOffload's queues."""

    def __init__(self, optimizer, cuda):
        self.optimizer, self.cuda = optimizer, cuda
        self.notes, self.puts, self.got = [], [], []
        self.copies, self.lasting = [], []  # with the thread
        self.stepping, self.undo, self.local, self.thread = False, [], threading.local(), threading.get_ident()
        self.stepper = getattr(optimizer, "stepper", None)  # of the overlap optimizer in patches/deepspeed
        self.idle_since = None

    def start(self):
        for part in (self._watch_copies, self._watch_super_offload, self._watch_overlap):
            try:
                part()
            except Exception as error:
                say_failed(f"a part of what the host does ({part.__name__})", error)

    def stop(self):
        while self.undo:
            try:
                self.undo.pop()()
            except Exception as error:  # the run has replaced it itself: the others are still to be taken back
                say_failed("the end of what was watched", error)
        self.notes = [(what, b, e) for what, b, e, _ in self.copies]
        for what, begin, end, thread in self.lasting:
            own = [(b, e) for _, b, e, copier in self.copies if copier == thread]
            self.notes += [(what, b, e) for b, e in without((begin, end), own) if e - b >= LEAST_MS]

    # What is watched

    def _watch_copies(self):
        """Tensor.copy_ of everybody. Whose it is, the method says that calls it; in step() what is not said to be
        gradients' is weights on their way back."""
        import torch

        copy_ = torch.Tensor.copy_

        def noted(target, *args, **options):
            begin = now()
            result = copy_(target, *args, **options)
            source = args[0] if args else options.get("other", target)  # as PyTorch names it
            what, thread = getattr(self.local, "what", None), threading.get_ident()
            if what is None and self.stepping and thread == self.thread:
                what = "parameters"
            if what is not None and "cpu" in (target.device.type, source.device.type):
                if target.numel() * target.element_size() >= LEAST_BYTES:
                    self.copies.append((what, begin, now(), thread))
            return result

        self._replace(torch.Tensor, "copy_", noted)
        for name in ("partition_grads", "async_accumulate_grad_in_cpu_via_gpu", "copy_grads_in_partition",
                     "async_inplace_copy_grad_to_fp32_buffer_from_gpu"):
            self._wrap(self.optimizer, name, self._within("gradients"))
        for name in ("_reassign_or_swap_out_partitioned_parameters",
                     "_reassign_or_swap_out_partitioned_parameters_async"):
            self._wrap(self.optimizer, name, self._within("parameters"))
        self._wrap(self.optimizer, "unscale_and_clip_grads", self._lasting("gradient pass"))

    def _watch_super_offload(self):
        worker = getattr(self.optimizer, "superoffload_cpu_optimizer", None)
        if worker is None:
            return

        def put(method):
            def async_step(param_group_id, sub_group_id, *args, **options):
                self.puts.append((sub_group_id, now()))
                return method(param_group_id, sub_group_id, *args, **options)

            return async_step

        def get(method):
            def get_result(*args, **options):
                result = method(*args, **options)
                if result is not None:
                    self.got.append((result.get("sub_group_id"), now()))
                return result

            return get_result

        self._wrap(worker, "async_step", put)
        self._wrap(worker, "get_result", get)
        for name in ("_wait_for_async_operations", "_wait_for_single_async_result"):
            self._wrap(self.optimizer, name, self._lasting("wait for worker"))

    def _watch_overlap(self):
        """Of the overlap optimizer, whose Adam has a thread here: what that waits for, and who waits for it."""
        if self.stepper is None:
            return
        link, own = self.optimizer.link, self.stepper.thread
        self._wrap(link, "fetch", self._within("gradients"))
        self._wrap(link, "send", self._within("parameters"))
        if hasattr(link, "_run"):  # on CPUs copies have threads
            self._wrap(link, "_run", lambda run: lambda way, copy: run(way, self._within(self.local.what)(copy)))
        self._wrap(self.stepper, "wait", self._lasting("wait for Adam"))
        if not self.cuda:  # else the GPU's driver tells of them
            for name in ("wait", "after"):
                self._wrap(link, name, self._lasting("wait for copies", lambda thread: thread is not own))
        self._wrap(self.stepper.changed, "wait_for", self._lasting("wait for gradients", lambda thread: thread is own))
        if not self.stepper.busy:
            self.idle_since = now()

    # How

    def _replace(self, owner, name, new):
        """`stop` takes it back: what an object had of its class is its class's again."""
        if name in vars(owner):
            old = vars(owner)[name]
            self.undo.append(lambda: setattr(owner, name, old))
        else:
            self.undo.append(lambda: delattr(owner, name))
        setattr(owner, name, new)

    def _wrap(self, owner, name, wrapper):
        if hasattr(owner, name):
            self._replace(owner, name, wrapper(getattr(owner, name)))

    def _within(self, what):
        def wrapper(method):
            def labelled(*args, **options):
                before, self.local.what = getattr(self.local, "what", None), what
                try:
                    return method(*args, **options)
                finally:
                    self.local.what = before

            return labelled

        return wrapper

    def _lasting(self, what, counts=lambda thread: True):
        def wrapper(method):
            def timed(*args, **options):
                begin = now()
                try:
                    return method(*args, **options)
                finally:
                    if counts(threading.current_thread()):
                        self.lasting.append((what, begin, now(), threading.get_ident()))

            return timed

        return wrapper


def without(interval, holes):
    """Pure. What of (begin, end) none of `holes` covers."""
    begin, end = interval
    left = []
    for from_, to in sorted(holes):
        if from_ > begin and from_ < end:
            left.append((begin, from_))
        if to > begin:
            begin = max(begin, min(to, end))
    return [*left, (begin, end)] if begin < end else left
