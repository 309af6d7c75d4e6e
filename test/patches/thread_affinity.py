"""Every thread of a rank and the cores that it may use, while it trains with the overlap optimizer (Linux)."""

import os
from pathlib import Path

import torch


def threads():
    """By thread: its name and its cores."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        try:
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # ended meanwhile
        name = "main" if int(task.name) == os.getpid() else status["Name"]
        found.append((name, status["Cpus_allowed_list"].strip()))
    return sorted(found)


def affinity(make_engine, batch, ranks):
    """`make_engine` gives an engine and `batch` its input. One step on all cores that there are, and where one rank is
    alone, one with an engine that was made while the process might use the last of them only."""
    every = sorted(os.sched_getaffinity(0))
    found = {"case": "affinity", "cores": every}
    for name, cores in {"all": every, **({"one": every[-1:]} if ranks == 1 else {})}.items():
        os.sched_setaffinity(0, cores)
        try:
            engine, autograd = make_engine(), []
            loss = engine(batch)
            loss.register_hook(lambda grad, seen=autograd: seen.extend(sorted(os.sched_getaffinity(0))))
            engine.backward(loss)
            engine.step()
            mine = {"main": sorted(os.sched_getaffinity(0)), "autograd": autograd, "threads": threads(),
                    "adam threads": engine.optimizer.adam.threads}
            engine.optimizer.destroy()
        finally:
            os.sched_setaffinity(0, every)
        found[name] = [mine] * ranks
        if ranks > 1:
            torch.distributed.all_gather_object(found[name], mine)
    return found
