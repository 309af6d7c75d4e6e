"""One subgroup stepped: Adam over its elements, and its weights on their way back."""

import torch

from .subgroups import pieces


class Update:
    """`settings`: superoffload/settings.py. `on_state(i)` is told that the state of subgroup i lies elsewhere now.
    `sent`: by subgroup, what Link.after takes for its weights. `progress` counts what was done, for those who wait."""

    def __init__(self, blocks, link, adam, adamw, subgroups, settings, on_state):
        self.blocks, self.link, self.adam, self.adamw, self.subgroups = blocks, link, adam, adamw, subgroups
        self.piece, self.fused, self.returns_early = settings.subgroup_elements, settings.fused_casts, settings.early_return
        self.on_state, self.sent, self.unsent, self.last, self.progress = on_state, {}, [], None, 0
        self.scratch = None

    def step(self, index, before, scale, rates, ends=False):
        """From the state `before` into the present block. A large parameter is stepped in pieces, and each piece sent
        while the next is stepped. `ends`: the step is over with this one."""
        subgroup, after = self.subgroups[index], self.blocks.state(index)
        copy, rates = subgroup.returning, rates[subgroup.group]
        for begin, end in pieces(copy.numel(), self.piece, ends):
            place = slice(begin, end)
            old, new = ([part[place] for part in state] for state in (before, after))
            self._adam(old, new, subgroup.gradient[place], copy[place], subgroup.steps, rates, scale)
            self.progress += 1
            if self.returns_early:
                self._send(index, place)
        if not self.returns_early:
            self.unsent.append(index)
        self.on_state(index)

    def _adam(self, old, new, gradient, copy, steps, rates, scale):
        if self.fused:
            self.adam.step(old, new, gradient, copy, steps, rates, self.adamw, scale)
            return
        if self.scratch is None:
            largest = max(subgroup.gradient.numel() for subgroup in self.subgroups.values())
            self.scratch = torch.empty(min(self.piece, largest), dtype=torch.float32)
        wide = self.scratch[: gradient.numel()].copy_(gradient)
        self.adam.step(old, new, wide, None, steps, rates, self.adamw, scale)
        copy.copy_(new[0])

    def send_again(self, index):
        """The weights of a step that was taken back and is not done again."""
        self.on_state(index)
        if self.returns_early:
            self.subgroups[index].returning.copy_(self.blocks.state(index).param)
            self._send(index, slice(None))
        else:
            self.unsent.remove(index)

    def finish(self):
        """The step is over. Returns what Link.after takes for all that was sent."""
        for index in dict.fromkeys(self.unsent):
            self._send(index, slice(None))
        self.unsent, self.sent = [], {}
        last, self.last = self.last, None
        return last

    def _send(self, index, place):
        subgroup = self.subgroups[index]
        self.last = self.sent[index] = self.link.send(subgroup.target[place], subgroup.returning[place])
