"""Which parameters are stepped together, and which of them stay on the GPU. Pure: no torch.

What the first layers own gets its gradient last, so it decides how long a step goes on after the backward pass.
"""

FIRST = 8  # the first subgroup has this part of the limit, the next twice as much, until the limit is reached
ROTATES = 4  # a subgroup smaller than this part of the largest has a block of its own size and no spare one


def cut(sizes, limit, first=True):
    """`sizes` (elements of each parameter, as the forward pass uses them) in consecutive runs: lists of indices.

    A run has at most `limit` elements, or one parameter. With `first`, the runs at the beginning are smaller: what is
    left to fetch, step and send when the backward pass ends is then a small one."""
    runs, count = [[]], 0
    for i, size in enumerate(sizes):
        cap = min(limit, limit // FIRST << len(runs) - 1) if first and len(runs) <= FIRST else limit
        if runs[-1] and count + size > cap:
            runs.append([])
            count = 0
        runs[-1].append(i)
        count += size
    return runs


def kept(counts, first_use, ratio):
    """The subgroups whose state stays on the GPU: a set of indices with at most 1 - `ratio` of all elements.

    The first ones by `first_use` (when the forward pass comes to their first parameter) are taken while they fit; one
    that is too large is passed over, so that a large embedding does not keep the rest away."""
    room, found = (1 - ratio) * sum(counts), set()
    for i in sorted(range(len(counts)), key=lambda i: first_use[i]):
        if counts[i] <= room:
            found.add(i)
            room -= counts[i]
    return found


def rotating(counts, largest):
    """Those of `counts` (index: elements) that get a spare block in turn. Every such block has room for `largest`, so
    what is much smaller would waste host memory: it is stepped in place, when the step is known to be good."""
    return {i for i, count in counts.items() if largest / ROTATES <= count <= largest}


def in_order(waiting, order):
    """`waiting` (indices) as the next forward pass needs them; those that it does not use come last."""
    place = {index: at for at, index in enumerate(order)}
    return sorted(waiting, key=lambda index: place.get(index, len(place)))
