"""Whether subgroups are stepped before the norm of the gradients is known. Pure: no torch, no clock.

A step whose norm turns out to be too large is taken back and done again, scaled. Where nearly every step is clipped,
that is work for nothing, and waiting for the norm is faster.
"""

from collections import deque

WINDOW = 16  # steps

# What Adam costs the backward pass beside it: copies of gradients are slowed from 50.3 to 36.8 GB/s while all cores
# step (docs/performance.md, "What the machine allows"), so 2 bytes a parameter take 0.015 ns longer, 7% of Adam's 0.22.
SLOWED = 0.07


def pays(clipped, steps, ahead, late):
    """Whether to guess that the next step is not clipped. `clipped` of the last `steps` were. A right guess gains
    `ahead`: the seconds of Adam that are over when the verdict comes. A wrong one costs `late`, the seconds until the
    piece that Adam is in has ended, and what the useless work slowed down: taking back itself is a change of pointers.
    The rate is Laplace's, so that one step alone decides nothing."""
    rate = (clipped + 1) / (steps + 2)
    return (1 - rate) * ahead >= rate * (late + SLOWED * ahead)


class ClipRule:
    """Observes every step, also those that waited: the norm says whether they were clipped."""

    def __init__(self, window=WINDOW):
        self.recent = deque(maxlen=window)
        self.ahead = self.late = None

    def guesses(self):
        """Whether to step before the norm is known. True until something was measured."""
        return self.ahead is None or pays(sum(self.recent), len(self.recent), self.ahead, self.late)

    def observe(self, clipped, ahead, late):
        """A step is decided. `ahead`: seconds of Adam before the verdict, 0 in a step that waited; `late`: seconds from
        the verdict until Adam was free for it."""
        self.recent.append(clipped)
        if ahead <= 0:
            return
        older = 0.0 if self.ahead is None else 0.75
        self.ahead = older * (self.ahead or 0.0) + (1 - older) * ahead
        self.late = older * (self.late or 0.0) + (1 - older) * late
