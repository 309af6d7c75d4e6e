"""What is pure in the overlap optimizer: without torch, without DeepSpeed. Prints RESULT and all values as JSON."""

import json
import random
import sys
from pathlib import Path

OVERLAY = Path(__file__).resolve().parents[2] / "patches/deepspeed/overlay/deepspeed/runtime/superoffload"
sys.path.insert(0, str(OVERLAY))
sys.dont_write_bytecode = True

from overlap import clipping, subgroups, threads  # noqa: E402

assert "torch" not in sys.modules


def clip_rates():
    """By share of clipped steps: in how many of 1000 steps it waits, with guesses that gain 0.1 s and cost 0.004 s."""
    found = {}
    for rate in (0.0, 0.5, 0.8, 1.0):
        rule, chance, waited = clipping.ClipRule(), random.Random(1), 0
        for _ in range(1000):
            guesses = rule.guesses()
            waited += not guesses
            rule.observe(chance.random() < rate, 0.1 if guesses else 0.0, 0.004)
        found[str(rate)] = waited
    return found


def turns():
    """After 100 clipped steps: how many unclipped ones until it guesses again, and clipped ones until it stops."""
    rule, counts = clipping.ClipRule(), []
    for clipped in (True, False, True):
        steps = 0
        while rule.guesses() == clipped and steps < 100:
            rule.observe(clipped, 0.1 if rule.guesses() else 0.0, 0.004)
            steps += 1
        counts.append(steps)
    return counts


def cuts():
    """Everything is there once, in its order and within the limit, for 300 models made by chance."""
    chance, faults = random.Random(2), 0
    for _ in range(300):
        sizes = [chance.randint(1, 50) for _ in range(chance.randint(1, 40))]
        limit = chance.randint(1, 100)
        runs = subgroups.cut(sizes, limit)
        faults += [i for run in runs for i in run] != list(range(len(sizes)))
        faults += any(len(run) > 1 and sum(sizes[i] for i in run) > limit for run in runs)
        faults += any(sum(sizes[i] for i in run) + sizes[following[0]] <= limit for run, following in zip(runs, runs[1:]))
        counts = [sum(sizes[i] for i in run) for run in runs]
        ratios = sorted(chance.random() for _ in range(4))
        sets = [subgroups.kept(counts, ratio) for ratio in ratios]
        faults += any(not more >= less for more, less in zip(sets, sets[1:]))
        faults += any(sum(counts[i] for i in found) > (1 - r) * sum(counts) for found, r in zip(sets, ratios))
        faults += subgroups.kept(counts, 1.0) != set() or subgroups.kept(counts, 0.0) != set(range(len(counts)))
    return faults


def piece_faults():
    chance, faults = random.Random(3), 0
    for _ in range(300):
        count, size = chance.randint(1, 1 << 28), chance.randint(1 << 20, 1 << 26)
        for ends in (False, True):
            found = subgroups.pieces(count, size, ends)
            faults += found[0][0] != 0 or found[-1][1] != count
            faults += any(a[1] != b[0] for a, b in zip(found, found[1:]))
            faults += any(not 0 < end - begin <= size for begin, end in found)
            faults += ends and found[-1][1] - found[-1][0] > subgroups.SMALLEST
            faults += len(found) > count // size + 12
    return faults


EIGHT = {core: [core % 4, core % 4 + 4] for core in range(8)}  # four pieces of hardware, two threads each
shares = {
    "alone": threads.share([range(4)], 0, {}),
    "two with all": [threads.share([range(4), range(4)], rank, {}) for rank in (0, 1)],
    "two in a cgroup": [threads.share([[8, 9, 12, 13]] * 2, rank, {}) for rank in (0, 1)],
    "each its own": [threads.share([[0, 1], [2, 3]], rank, {}) for rank in (0, 1)],
    "own ones of other sizes": [threads.share([[0], [1, 2, 3]], rank, {}) for rank in (0, 1)],
    "siblings together": [threads.share([range(8)] * 2, rank, EIGHT) for rank in (0, 1)],
    "siblings outside": threads.share([[0, 1, 2, 4]], 0, EIGHT),
    "more ranks than pieces": [threads.share([[0, 4]] * 2, rank, EIGHT) for rank in (0, 1)],
    "more ranks than cores": [threads.share([[5]] * 2, rank, {}) for rank in (0, 1)],
}
result = {
    "waits by clip rate": clip_rates(), "turns": turns(),
    "pays": [clipping.pays(0, 0, 0.1, 0.0), clipping.pays(16, 16, 0.1, 0.0), clipping.pays(8, 16, 0.1, 0.1),
             clipping.pays(2, 16, 0.1, 0.1), clipping.pays(12, 16, 0.1, 0.1)],
    "cut": subgroups.cut([5, 4, 4, 20, 1, 1], 9), "cut faults": cuts(),
    "rotating": sorted(subgroups.rotating({0: 100, 1: 25, 2: 24, 3: 101, 4: 60}, 100)),
    "pieces": subgroups.pieces(10, 4), "piece faults": piece_faults(),
    "last pieces": [end - begin for begin, end in subgroups.pieces(5 << 24, 1 << 25, ends=True)],
    "in order": subgroups.in_order([4, 2, 7, 0], [0, 1, 2, 3]),
    "threads": [threads.thread_count(16, None, 1), threads.thread_count(16, 8.0, 2), threads.thread_count(16, 0.5, 1),
                threads.thread_count(2, 8.0, 1)],
    "shares": shares, "list": threads.parse_list("0-2,8\n"),
}
print("RESULT " + json.dumps(result))
