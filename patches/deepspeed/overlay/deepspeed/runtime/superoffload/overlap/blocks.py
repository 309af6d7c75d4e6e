"""Where the optimizer's state lies in host memory, and the spare blocks that let a step be taken back exactly."""

from collections import namedtuple

import torch

from ..host_memory import HostMemory

ALIGN = 64  # elements: 256 bytes, a whole number of cache lines

State = namedtuple("State", "param momentum variance")


def aligned(count):
    return -(-count // ALIGN) * ALIGN


class Blocks:
    """A block (param, momentum, variance, all fp32) for each of `counts` (index: elements), and spare ones.

    Those that are not in `rotating` have none to rotate with: they are stepped in place, once the step is known to be
    good. All others have room for `largest`, so that any spare one serves any of them. `spare`: how many there are.
    Nothing is written here, so a spare block that is never used takes no memory.
    """

    def __init__(self, counts, rotating, largest, spare):
        self.rotates = {index: spare > 0 and index in rotating for index in counts}
        rooms = [aligned(largest if self.rotates[index] else count) for index, count in counts.items()]
        rooms += [aligned(largest)] * (spare if any(self.rotates.values()) else 0)
        memory = HostMemory(3 * 4 * sum(rooms))
        blocks, at = [], 0
        for room in rooms:
            parts = (memory.tensor(torch.float32, 4 * (at + part * room), room) for part in range(3))
            blocks.append(State(*parts))
            at += 3 * room
        self.held, self.spare = dict(zip(counts, blocks)), blocks[len(counts) :]
        self.counts = counts
        self.bytes, self.spare_bytes = 12 * sum(rooms[: len(counts)]), 12 * sum(rooms[len(counts) :])

    def state(self, index):
        """The tensors of subgroup `index`, without the room that it does not use."""
        return State(*(part[: self.counts[index]] for part in self.held[index]))

    def may_rotate(self, index):
        return self.rotates[index] and bool(self.spare)

    def rotate(self, index):
        """Gives the subgroup a spare block and returns the old one, to be given to `keep` or `restore`."""
        old, self.held[index] = self.held[index], self.spare.pop()
        return old

    def keep(self, old):
        """The step was good: the old block is spare now."""
        self.spare.append(old)

    def restore(self, index, old):
        """The step is taken back: the old block is the state again."""
        self.spare.append(self.held[index])
        self.held[index] = old
