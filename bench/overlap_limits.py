"""What bounds a step whose optimizer is on the CPU: CPU Adam alone, the link alone, and both at once.

    python bench/overlap_limits.py [--elements 500000000] [--threads 8,12,14,16] > limits.json

Medians of the repeats, in GB/s and nanoseconds a parameter. Needs the Python of a stack (torch and DeepSpeed); the link
is measured where there is a GPU. Adam is this checkout's overlay's (patches/deepspeed): gradients in bf16 are read and the
weights' bf16 copy is written by the same pass.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

import torch

RESULT = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # DeepSpeed logs to standard output, from its import on

OVERLAY = Path(__file__).resolve().parents[1] / "patches/deepspeed/overlay/deepspeed/runtime"
sys.path.insert(0, str(OVERLAY))

from superoffload.host_memory import HostMemory  # noqa: E402
from superoffload.overlap.adam import Adam  # noqa: E402

GROUP = {"lr": 1e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
PIECE = 1 << 25


def median(values):
    return statistics.median(values)


class Case:
    def __init__(self, elements):
        cuda = torch.cuda.is_available()
        self.count = elements // PIECE * PIECE
        self.state = HostMemory(12 * self.count)
        self.other = HostMemory(12 * PIECE * 4)
        self.crossing = HostMemory(4 * self.count)
        if cuda:
            self.crossing.zero()
            self.crossing.register("pin_memory=false")
        self.parts = [self.state.tensor(torch.float32, 4 * i * self.count, self.count) for i in range(3)]
        self.gradient = self.crossing.tensor(torch.bfloat16, 0, self.count)
        self.copy = self.crossing.tensor(torch.bfloat16, 2 * self.count, self.count)
        for part in (*self.parts[:2], self.gradient):
            part.normal_(std=0.02)
        self.parts[2].fill_(1e-4)
        if cuda:
            self.weights, self.given = (torch.randn(self.count, device="cuda").bfloat16() for _ in range(2))
            self.up, self.down = torch.cuda.Stream(), torch.cuda.Stream()

    def adam(self, adam, how):
        """Nanoseconds a parameter. how: "in gradient", "copy" (beside it), "rotating" (out of place)."""
        begin = time.perf_counter()
        for i, at in enumerate(range(0, self.count, PIECE)):
            old = tuple(part[at : at + PIECE] for part in self.parts)
            new = old
            if how == "rotating":
                new = tuple(self.other.tensor(torch.float32, 4 * PIECE * (3 * (i % 4) + j), PIECE) for j in range(3))
            gradient = self.gradient[at : at + PIECE]
            copy = gradient if how == "in gradient" else self.copy[at : at + PIECE]
            adam.step(old, new, gradient, copy, i + 1, GROUP, True, 1.0)
        return (time.perf_counter() - begin) / self.count * 1e9

    def link(self, ways, seconds=None, stop=None):
        """GB/s each way, of copies in pieces."""
        sizes, begin = 0, time.perf_counter()
        torch.cuda.synchronize()
        while True:
            for at in range(0, self.count, PIECE):
                piece = slice(at, at + PIECE)
                if "down" in ways:
                    with torch.cuda.stream(self.down):
                        self.gradient[piece].copy_(self.given[piece], non_blocking=True)
                if "up" in ways:
                    with torch.cuda.stream(self.up):
                        self.weights[piece].copy_(self.copy[piece], non_blocking=True)
                sizes += 2 * PIECE
                if stop is not None and at % (4 * PIECE) == 0:
                    torch.cuda.synchronize()
                    if stop.is_set():
                        break
            torch.cuda.synchronize()
            spent = time.perf_counter() - begin
            if stop.is_set() if stop is not None else spent > (seconds or 0.5):
                return sizes / spent / 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--elements", type=int, default=500_000_000)
    parser.add_argument("--threads", default="8,12,14,16")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    case, found = Case(args.elements), {"elements": args.elements, "cores": len(os.sched_getaffinity(0)), "adam": []}
    cuda = torch.cuda.is_available()
    if cuda:
        found["link GB/s"] = {"+".join(ways): median([case.link(ways) for _ in range(args.repeat)])
                              for ways in (["down"], ["up"], ["down", "up"])}
    for threads in (int(n) for n in args.threads.split(",")):
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        adam = Adam(threads, cores)
        row = {"threads": threads}
        for how in ("in gradient", "copy", "rotating"):
            case.adam(adam, how)
            row[f"{how}, ns"] = median([case.adam(adam, how) for _ in range(args.repeat)])
        if cuda:
            for ways in (["down"], ["down", "up"]):
                stop, rates = threading.Event(), []
                copies = threading.Thread(target=lambda: rates.append(case.link(ways, stop=stop)))
                copies.start()
                time.sleep(0.2)
                row[f"in gradient beside {'+'.join(ways)}, ns"] = median([case.adam(adam, "in gradient")
                                                                          for _ in range(args.repeat)])
                stop.set()
                copies.join()
                row[f"link beside it, {'+'.join(ways)} GB/s"] = rates[0]
        found["adam"].append(row)
        adam.close()
    print(json.dumps(found, indent=1), file=RESULT)


if __name__ == "__main__":
    main()
