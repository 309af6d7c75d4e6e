"""Which cores the threads of the CPU's Adam are bound to.

Only they are bound. Python's, autograd's and OpenMP's threads may run on every core that the rank was given: they need
theirs while gradients are few, and the system moves them. Measured at 2B on 16 cores: 0.53 s a step with a thread of
Adam on every core, 0.57 with two cores left free.
"""

import os
import socket
from pathlib import Path

SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def share(masks, mine, siblings):
    """The cores of one rank. Pure. `masks`: the cores that each rank of this machine may use (by taskset, a cgroup or a
    launcher that binds ranks); `mine`: which of them is this one; `siblings`: by core, the cores that are the same
    piece of hardware (SMT).

    Ranks that may use the same cores divide them: whole pieces of hardware each, neighbours together. A rank whose
    cores are its own keeps them all. One core of each piece comes first, so that fewer threads than cores are spread
    over the hardware."""
    cores = sorted(masks[mine])
    pieces = sorted({tuple(sorted(set(siblings.get(core, ())) & set(cores) | {core})) for core in cores})
    peers = [rank for rank, mask in enumerate(masks) if sorted(mask) == cores]
    if len(cores) >= len(peers) > 1:
        units = pieces if len(pieces) >= len(peers) else [(core,) for core in cores]
        at, ranks = peers.index(mine), len(peers)
        pieces = units[at * len(units) // ranks : (at + 1) * len(units) // ranks]
    deepest = max(len(piece) for piece in pieces)
    return [piece[level] for level in range(deepest) for piece in pieces if level < len(piece)]


def parse_list(text):
    """[0, 1, 2, 8] of "0-2,8", as Linux writes sets of cores."""
    cores = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cores += range(int(first), int(last or first) + 1) if first else []
    return cores


def siblings_of(cores):
    """By core, those of its piece of hardware; only itself where the system does not say."""
    found = {}
    for core in cores:
        try:
            found[core] = parse_list(Path(SIBLINGS.format(core)).read_text())
        except (OSError, ValueError):
            found[core] = [core]
    return found


def quota():
    """The processors' worth of time that the cgroup of this process may use (a container's --cpus); None: no limit."""
    try:
        below = [line.split(":", 2)[2].strip() for line in Path("/proc/self/cgroup").read_text().splitlines()
                 if line.startswith("0::")]
        limits = [Path("/sys/fs/cgroup" + path) / "cpu.max" for path in (*below, "")]
        for text in (path.read_text().split() for path in limits if path.exists()):
            return None if text[0] == "max" else int(text[0]) / int(text[1])
        first = Path("/sys/fs/cgroup/cpu")
        allowed = int((first / "cpu.cfs_quota_us").read_text())
        return allowed / int((first / "cpu.cfs_period_us").read_text()) if allowed > 0 else None
    except (OSError, ValueError, IndexError):
        return None


def thread_count(cores, limit, ranks):
    """How many threads step: one for each core, and no more than the time that each of `ranks` may use. Pure."""
    return cores if limit is None else max(1, min(cores, int(limit / ranks)))


def cores_of_rank():
    """The cores that Adam's threads of this rank are bound to, and how many threads. All ranks call this together."""
    from deepspeed import comm as dist

    mine = sorted(os.sched_getaffinity(0))
    ranks, rank = [(socket.gethostname(), mine)] * dist.get_world_size(), dist.get_rank()
    if len(ranks) > 1:
        dist.all_gather_object(ranks, (socket.gethostname(), mine))
    here = [i for i, (host, _) in enumerate(ranks) if host == socket.gethostname()]
    cores = share([ranks[i][1] for i in here], here.index(rank), siblings_of(mine))
    return cores, thread_count(len(cores), quota(), len(here))
