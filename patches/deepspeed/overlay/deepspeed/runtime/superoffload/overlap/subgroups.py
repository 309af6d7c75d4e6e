"""Which parameters are stepped together, in which pieces, and which of them stay on the GPU. Pure: no torch.

What the first layers own gets its gradient last, so it decides how long a step goes on after the backward pass.
"""

ROTATES = 4  # a subgroup smaller than this part of the largest has a block of its own size and no spare one
SMALLEST = 1 << 20  # elements: 2 MiB of weights cross in 0.04 ms, about what it costs to begin another piece


def cut(sizes, limit):
    """`sizes` (elements of each parameter, in their order) in consecutive runs: lists of indices. A run has at most
    `limit` elements, or one parameter."""
    runs, count = [[]], 0
    for i, size in enumerate(sizes):
        if runs[-1] and count + size > limit:
            runs.append([])
            count = 0
        runs[-1].append(i)
        count += size
    return runs


def kept(counts, ratio):
    """The subgroups whose state stays on the GPU: as many of the first as have no more than 1 - `ratio` of all elements.
    They are the last whose gradients come. None is passed over, so a lower ratio keeps all that a higher one keeps."""
    bound, on_gpu, found = (1 - ratio) * sum(counts), 0, set()
    for i, count in enumerate(counts):
        on_gpu += count
        if on_gpu > bound:
            break
        found.add(i)
    return found


def rotating(counts, largest):
    """Those of `counts` (index: elements) that get a spare block in turn. Every such block has room for `largest`, so
    what is much smaller would waste host memory: it is stepped in place, when the step is known to be good."""
    return {i for i, count in counts.items() if largest / ROTATES <= count <= largest}


def pieces(count, size, ends=False):
    """`count` elements as (begin, end), at most `size` each: each is sent to the GPU while the next one is stepped.
    Where the step `ends` with them, the last ones are half as large each time: nothing is stepped while the last one is
    sent."""
    found, at = [], 0
    while at < count:
        here = min(size, count - at)
        if ends and here > SMALLEST and here * 2 > count - at:
            here = max(SMALLEST, -(-(count - at) // 2 // 64) * 64)
        found.append((at, at + here))
        at += here
    return found


def in_order(waiting, order):
    """`waiting` (indices) as the next forward pass needs them; those that it does not use come last."""
    place = {index: at for at, index in enumerate(order)}
    return sorted(waiting, key=lambda index: place.get(index, len(place)))
