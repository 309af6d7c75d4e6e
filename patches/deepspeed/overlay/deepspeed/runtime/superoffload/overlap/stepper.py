"""The thread that steps subgroups as their gradients arrive, and the rule by which a step may be taken back.

Until all gradients of a step are there nobody knows whether the step is good (no inf, no nan) or by what clipping
scales it. A subgroup is stepped before that only into a spare block; its old block is kept. Then the verdict comes: good
as guessed, and the old blocks are spare; or not, and the old blocks are the state again, as if nothing had been done, and
where the step is good at another scale it is done again from there. What was not stepped yet when the verdict comes is
stepped in place, in the order in which the next forward pass wants it.
"""

import math
import threading
import time
from collections import deque, namedtuple

from .subgroups import in_order

Verdict = namedtuple("Verdict", "scale rates clipped order arrived asked")


class Stepper:
    """`blocks`, `link`, `rule` (ClipRule), `update` (Update): see there. `subgroups`: by index; each has gradient (host
    memory), copy (host memory in the weights' format, or None), target (the weights), group (index of its parameter
    group), steps (done so far), norm (one fp32 in host memory). `stall_seconds`: how long Adam may make no progress."""

    def __init__(self, blocks, link, update, subgroups, rule, stall_seconds=30, device_index=None):
        self.blocks, self.link, self.update, self.subgroups = blocks, link, update, subgroups
        self.rule, self.stall_seconds, self.device_index = rule, stall_seconds, device_index
        self.arrived, self.verdict, self.ending, self.error = deque(), None, False, None
        self.busy, self.pending, self.sent = False, set(), {}
        # subgroups: stepped, speculated (before the verdict), taken back, redone. steps: all, and those that are in
        # "waited" did not guess because the rule of clipping said so.
        self.counts = dict.fromkeys(("steps", "stepped", "speculated", "taken back", "redone", "waited"), 0)
        self.journal = None  # a list, for those who want to see what happened when
        self.changed = threading.Condition()
        self._begin_step()
        self.thread = threading.Thread(target=self._run, name="superoffload", daemon=True)
        self.thread.start()

    # From the training thread

    def submit(self, index, event, scale, rates):
        """The gradients of subgroup `index` are on their way; `scale` is what they will be multiplied by and `rates` the
        parameter groups' learning rates and so on, if nothing changes until the verdict."""
        self._raise()
        with self.changed:
            self.arrived.append((index, event, (scale, rates)))
            self.changed.notify_all()

    def decide(self, scale, rates, clipped=False, order=()):
        """All are submitted. `scale`: what gradients are multiplied by, or None where the step is not to be done."""
        self._raise()
        with self.changed:
            self.busy, self.pending, self.sent = True, set(self.subgroups), {}
            self.verdict = Verdict(scale, rates, clipped, order, list(self.arrived), time.perf_counter())
            self.arrived.clear()
            self.changed.notify_all()

    def wait(self, index=None):
        """Until the weights of subgroup `index`, or without one those of all, are on their way to the GPU. Returns what
        Link.after takes, or None where there is nothing to wait for."""
        silent, seen = 0, self.update.progress
        with self.changed:
            while not self.changed.wait_for(lambda: self._over(index), timeout=1.0):
                if not self.thread.is_alive():
                    self._raise()
                    raise RuntimeError("superoffload: the thread of the CPU optimizer has ended")
                # In seconds of waiting: a process that was stopped and goes on has not been silent.
                silent, seen = silent + 1 if seen == self.update.progress else 0, self.update.progress
                if silent >= self.stall_seconds:
                    raise RuntimeError(f"superoffload: the CPU optimizer has done nothing for {silent} s "
                                       "(superoffload.stall_seconds)")
        self._raise()
        return self.sent.get(index)

    def close(self):
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        self.thread.join(timeout=self.stall_seconds)
        return not self.thread.is_alive()

    def _over(self, index):
        return self.error is not None or not self.busy or (index is not None and index not in self.pending)

    def _raise(self):
        if self.error is not None:
            raise RuntimeError(f"superoffload: the CPU optimizer failed: {self.error!r}") from self.error

    # In the thread

    def _run(self):
        try:
            if self.device_index is not None:
                import torch

                torch.cuda.set_device(self.device_index)
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: self.verdict or self.arrived or self.ending)
                    verdict, self.verdict = self.verdict, None
                    if verdict is None and self.ending:
                        return
                    arrival = self.arrived.popleft() if verdict is None else None
                self._gradients(*arrival) if verdict is None else self._decided(verdict)
        except BaseException as error:  # whatever it is, the training thread must hear of it
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def _begin_step(self):
        self.old, self.waiting, self.ahead, self.guessing = {}, [], 0.0, self.rule.guesses()

    def _gradients(self, index, event, guess):
        begin = time.perf_counter()
        self.link.wait(event)
        self._note("wait for gradients", index, begin)
        good = math.isfinite(self.subgroups[index].norm.item())
        if not good or not self.guessing or not self.blocks.may_rotate(index):
            self.waiting.append(index)
            return
        before = self.blocks.state(index)
        self.old[index] = (self.blocks.rotate(index), guess)
        self.ahead += self._step(index, before, *guess)
        self.counts["speculated"] += 1

    def _decided(self, verdict):
        if verdict.scale is not None:
            self.rule.observe(verdict.clipped, self.ahead, time.perf_counter() - verdict.asked)
            self.counts["waited"] += not self.guessing
        self.counts["steps"] += 1
        waiting = [*self.waiting, *(index for index, _, _ in verdict.arrived)]
        for _, event, _ in verdict.arrived:
            self.link.wait(event)
        if all(guess == (verdict.scale, verdict.rates) for _, guess in self.old.values()):
            for index, (old, _) in self.old.items():
                self.blocks.keep(old)
                self._final(index)
        else:
            waiting = [*self._take_back(verdict.scale), *waiting]
        waiting = in_order(waiting, verdict.order)
        for index in waiting:
            if verdict.scale is not None:
                self._step(index, self.blocks.state(index), verdict.scale, verdict.rates, index == waiting[-1])
            self._final(index)
        self._finish()

    def _take_back(self, scale):
        """Every subgroup has the state that it had before the step."""
        for index, (old, _) in self.old.items():
            self.blocks.restore(index, old)
            self.subgroups[index].steps -= 1
            self.counts["taken back"] += 1
            if scale is None:
                self.update.send_again(index)
            else:
                self.counts["redone"] += 1
        if scale is not None and any(self.subgroups[index].copy is None for index in self.old):
            raise RuntimeError("a learning rate or another rate was changed between backward() and step(), when "
                               "gradients were used already: set superoffload.speculation to 0")
        return list(self.old)

    def _step(self, index, before, scale, rates, ends=False):
        """Returns the seconds that it took."""
        begin = time.perf_counter()
        self.subgroups[index].steps += 1
        self.update.step(index, before, scale, rates, ends)
        self._note("adam", index, begin)
        self.counts["stepped"] += 1
        return time.perf_counter() - begin

    def _final(self, index):
        """Nothing of this step changes the weights of this subgroup any more."""
        if self.update.returns_early:
            with self.changed:
                self.sent[index] = self.update.sent.get(index)
                self.pending.discard(index)
                self.changed.notify_all()

    def _finish(self):
        last = self.update.finish()
        self._begin_step()
        with self.changed:
            self.sent = {**dict.fromkeys(self.subgroups, last), **self.sent, None: last}
            self.busy, self.pending = False, set()
            self.changed.notify_all()

    def _note(self, what, index, begin):
        journal = self.journal
        if journal is not None:
            journal.append((what, index, begin, time.perf_counter()))
