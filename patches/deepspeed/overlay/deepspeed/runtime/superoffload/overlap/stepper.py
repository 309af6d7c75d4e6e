"""The thread that steps subgroups as their gradients arrive, and the rule by which a step may be taken back.

Until all gradients of a step are there nobody knows whether the step is good (no inf, no nan) or by what clipping
scales it. A subgroup is stepped before that only into a spare block; its old block is kept. Then the verdict comes: good
as guessed, and the old blocks are spare; or not, and the old blocks are the state again, as if nothing had been done, and
where the step is good at another scale it is done again from there.
"""

import math
import queue
import threading
import time

CLIPPED_STEPS_TO_WAIT = 2  # after so many clipped steps in a row, the next is no longer taken to be unclipped
RATES = ("lr", "betas", "eps", "weight_decay", "bias_correction")


class Stepper:
    """`blocks`, `link`, `adam`: see there. `subgroups`: by index; each has gradient (host memory), copy (host
    memory in the weights' format, or None), target (the weights), group (a torch parameter group), steps (done so far),
    norm (one fp32 in host memory). `on_state(i)` is told that the state of subgroup i lies elsewhere now."""

    def __init__(self, blocks, link, adam, adamw, subgroups, on_state, device_index=None):
        self.blocks, self.link, self.adam, self.adamw = blocks, link, adam, adamw
        self.subgroups, self.on_state, self.device_index = subgroups, on_state, device_index
        self.groups = list({id(s.group): s.group for s in subgroups.values()}.values())
        self.arrived, self.finished = queue.SimpleQueue(), queue.SimpleQueue()
        self.error = None
        self.clipped_in_a_row = 0
        self.counts = {"stepped": 0, "speculated": 0, "taken back": 0, "redone": 0}
        self.journal = None  # a list, for those who want to see what happened when
        self.begin_step()
        self.thread = threading.Thread(target=self._run, name="superoffload", daemon=True)
        self.thread.start()

    # From the training thread

    def begin_step(self):
        self.old, self.waiting, self.done = {}, [], set()
        self.verdict, self.guess = None, None

    def submit(self, index, event, scale):
        """The gradients of subgroup `index` are on their way; `scale` is what they will be multiplied by, if all goes
        well."""
        self._raise()
        self.arrived.put(("gradients", index, event, scale))

    def decide(self, scale, clipped=False):
        """All are submitted. `scale`: what gradients are multiplied by, or None where the step is not to be done."""
        self._raise()
        self.arrived.put(("verdict", scale, clipped))

    def wait(self):
        """Until all of the decided step is done and on its way to the GPU. Returns what Link.after takes."""
        while True:
            try:
                sent = self.finished.get(timeout=1.0)
                break
            except queue.Empty:
                if not self.thread.is_alive():
                    self._raise()
                    raise RuntimeError("superoffload: the thread of the CPU optimizer has ended") from None
        self._raise()
        return sent

    def close(self):
        if self.thread.is_alive():
            self.arrived.put(("end",))
            self.thread.join(timeout=60)

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
                message, *rest = self.arrived.get()
                if message == "end":
                    return
                if message == "gradients":
                    self._gradients(*rest)
                else:
                    self.finished.put(self._verdict(*rest))
        except BaseException as error:  # whatever it is, the training thread must hear of it
            self.error = error
            self.finished.put(None)

    def _rates(self):
        """What else a step depends on: a training loop may still change it between backward() and step()."""
        return [[group.get(name) for name in RATES] for group in self.groups]

    def _gradients(self, index, event, scale):
        begin = time.perf_counter()
        self.link.wait(event)
        self._note("wait for gradients", index, begin)
        good = math.isfinite(self.subgroups[index].norm.item())
        if not good or self.clipped_in_a_row >= CLIPPED_STEPS_TO_WAIT or not self.blocks.may_rotate(index):
            self.waiting.append(index)
            return
        before = self.blocks.state(index)
        self.old[index] = self.blocks.rotate(index)
        self.guess = self.guess or (scale, self._rates())
        self._step(index, before, scale)
        self.counts["speculated"] += 1

    def _verdict(self, scale, clipped):
        self.clipped_in_a_row = self.clipped_in_a_row + 1 if clipped else 0
        if scale is not None and self.guess == (scale, self._rates()):
            for old in self.old.values():
                self.blocks.keep(old)
        else:
            for index, old in self.old.items():
                self.blocks.restore(index, old)
                self.subgroups[index].steps -= 1
                self.counts["taken back"] += 1
                if scale is None:
                    self._send_again(index)
                else:
                    self.counts["redone"] += 1
            self.waiting = [*self.old, *self.waiting]
            if scale is not None and self.old and any(self.subgroups[index].copy is None for index in self.old):
                raise RuntimeError("a learning rate or another rate was changed between backward() and step(), when "
                                   "gradients were used already: set superoffload.speculation to 0")
        for index in self.waiting if scale is not None else []:
            self._step(index, self.blocks.state(index), scale)
        sent = self.link.sent()
        self.begin_step()
        return sent

    def _step(self, index, before, scale):
        subgroup, begin = self.subgroups[index], time.perf_counter()
        subgroup.steps += 1
        after = self.blocks.state(index)
        copy = subgroup.gradient if subgroup.copy is None else subgroup.copy
        self.adam.step(before, after, subgroup.gradient, copy, subgroup.steps, subgroup.group, self.adamw, scale)
        self._note("adam", index, begin)
        self.on_state(index)
        self.link.send(subgroup.target, copy)
        self.counts["stepped"] += 1

    def _send_again(self, index):
        """The weights of a step that was taken back."""
        subgroup = self.subgroups[index]
        copy = subgroup.gradient if subgroup.copy is None else subgroup.copy
        copy.copy_(self.blocks.state(index).param)
        self.on_state(index)
        self.link.send(subgroup.target, copy)

    def _note(self, what, index, begin):
        if self.journal is not None:
            self.journal.append((what, index, begin, time.perf_counter()))
