"""Measures what a system file states: host memory, CPU Adam, and with a GPU its link, memory and matrix product.

    python measure.py --threads 16 --adam          # about 20 s on one H200 with 16 cores
    python measure.py --help

Every number is the median of its repeats. The last line is `SUPEROFFLOAD {json}`: `measured` holds for each field of
a system file's `rates` the value, all samples and how it was taken; `skipped` says why a field has none. A part that
fails is skipped, the others go on.
"""

import argparse
import json
import os
import statistics
import time

GB = 1e9
MIB = 2**20
REPEATS = 10
BUDGET_SECONDS = 4  # of one measurement; it ends after three repeats at least


def median_of(once, repeats=REPEATS, warm_up=2):
    """Samples of `once()`, which returns seconds."""
    for _ in range(warm_up):
        once()
    samples, began = [], time.perf_counter()
    while len(samples) < repeats and (len(samples) < 3 or time.perf_counter() - began < BUDGET_SECONDS):
        samples.append(once())
    return samples


def timed(work):
    def once():
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return once


def available_bytes():
    with open("/proc/meminfo") as lines:
        fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024


def host_arrays_mib(budget_bytes, arrays):
    """Size of one of `arrays` arrays: far beyond any cache (512 MiB), less where memory is short."""
    return max(16, min(512, int(budget_bytes / 8 / arrays / MIB)))


# ------------------------------------------------------------------------------------------------- the host's numbers


def triad(torch, threads, budget_bytes):
    """a = b + s * c, counted as STREAM does: three arrays, without the lines that are read before they are written."""
    size = host_arrays_mib(budget_bytes, 3)
    # Every thread writes its own part first, so that pages lie on its NUMA node.
    a, b, c = (torch.empty(size * MIB // 4).fill_(value) for value in (0.0, 1.0, 2.0))
    seconds = median_of(timed(lambda: torch.add(b, c, alpha=3.0, out=a)))
    return {
        "field": "hostGBps",
        "samples": [3 * size * MIB / GB / s for s in seconds],
        "how": f"triad over three arrays of {size} MiB in fp32, {threads} threads",
    }


def cpu_adam(torch, threads, budget_bytes):
    """One step of DeepSpeedCPUAdam: fp32 parameters, gradients and moments, 28 bytes a parameter."""
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    count = host_arrays_mib(budget_bytes, 4) * MIB // 4 * 3 // 4
    parameter = torch.nn.Parameter(torch.empty(count).fill_(0.5))
    parameter.grad = torch.empty(count).fill_(0.01)
    optimizer = DeepSpeedCPUAdam([parameter], lr=1e-4, adamw_mode=True)
    seconds = median_of(timed(optimizer.step))
    return {
        "field": "adamNsPerParameter",
        "samples": [s / count * 1e9 for s in seconds],
        "how": f"DeepSpeedCPUAdam, {count / 1e6:.0f}e6 parameters in fp32, {threads} threads",
    }


# -------------------------------------------------------------------------------------------------- the GPU's numbers


def gpu_timed(torch, work, times=1):
    """Seconds of one `work`, by events of the GPU, `times` of them behind each other."""

    def once():
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(times):
            work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / times

    return once


def link(torch, field, size, copy):
    seconds = median_of(gpu_timed(torch, copy))
    return {
        "field": field,
        "samples": [size / GB / s for s in seconds],
        "how": f"copies of {size // MIB} MiB of pinned memory, GPU 0, nothing in the other direction",
    }


def links(torch, budget_bytes):
    """Pinned memory to the GPU and back. A power of two: PyTorch's host allocator rounds up to one."""
    room = min(budget_bytes // 8, torch.cuda.mem_get_info()[0] // 4, 1024 * MIB)
    size = 2 ** (max(room, MIB).bit_length() - 1)
    host = torch.empty(size, dtype=torch.uint8, pin_memory=True).fill_(1)
    device = torch.empty(size, dtype=torch.uint8, device="cuda")
    yield link(torch, "h2dGBps", size, lambda: device.copy_(host, non_blocking=True))
    yield link(torch, "d2hGBps", size, lambda: host.copy_(device, non_blocking=True))


def gpu_memory(torch):
    """A copy within the GPU reads and writes each byte."""
    size = min(2048 * MIB, torch.cuda.mem_get_info()[0] // 4)
    a, b = (torch.empty(size, dtype=torch.uint8, device="cuda").fill_(value) for value in (1, 2))
    seconds = median_of(gpu_timed(torch, lambda: a.copy_(b)))
    return {
        "field": "hbmGBps",
        "samples": [2 * size / GB / s for s in seconds],
        "how": f"copy of {size // MIB} MiB within the GPU, read and written",
    }


def matmul(torch, side):
    a, b, c = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(3))
    seconds = median_of(gpu_timed(torch, lambda: torch.mm(a, b, out=c), times=10), warm_up=3)
    return [2 * side**3 / 1e12 / s for s in seconds]


def best_matmul(torch):
    """bf16, square, the fastest of three sizes; random numbers, since zeros draw less power and run faster."""
    bytes_free = torch.cuda.mem_get_info()[0]
    sides = [side for side in (4096, 8192, 16384) if 3 * 2 * side**2 < bytes_free / 2]
    found = {side: matmul(torch, side) for side in sides}
    best = max(found, key=lambda side: statistics.median(found[side]))
    others = ", ".join(f"{side}: {statistics.median(found[side]):.0f}" for side in sides)
    return {
        "field": "achievableTflops",
        "samples": found[best],
        "how": f"bf16 matrix product of {best} x {best}, ten behind each other ({others})",
    }


def peer_copy(torch):
    """GPU 1 to GPU 0: the link between the chips of a node, where there are two."""
    size = min(1024 * MIB, torch.cuda.mem_get_info()[0] // 4)
    a = torch.empty(size, dtype=torch.uint8, device="cuda:0")
    b = torch.empty(size, dtype=torch.uint8, device="cuda:1").fill_(1)
    torch.cuda.synchronize(1)
    seconds = median_of(gpu_timed(torch, lambda: a.copy_(b, non_blocking=True)))
    direct = torch.cuda.can_device_access_peer(0, 1)
    return {
        "field": "intraNodeGBps",
        "samples": [size / GB / s for s in seconds],
        "how": f"copies of {size // MIB} MiB from GPU 1 to GPU 0, {'directly' if direct else 'through the host'}",
    }


# ------------------------------------------------------------------------------------------------------------ together


class Report:
    def __init__(self):
        self.measured, self.skipped = [], []

    def take(self, fields, measure):
        """Runs one measurement; one or several results."""
        print(f"measuring {', '.join(fields)}", flush=True)
        done = set()
        try:
            results = measure()
            for result in [results] if isinstance(results, dict) else results:
                value = statistics.median(result["samples"])
                how = f"{result['how']}, median of {len(result['samples'])}"
                self.measured.append({**result, "value": value, "how": how})
                done.add(result["field"])
                print(f"measured {result['field']} = {value:.4g}: {how}", flush=True)
        except Exception as error:  # Whatever it is, the other numbers are worth having.
            lines = str(error).strip().splitlines() or [""]
            for field in fields:
                if field not in done:
                    self.skip(field, f"{type(error).__name__}: {lines[0]}")

    def skip(self, field, why):
        self.skipped.append({"field": field, "why": why})
        print(f"skipped {field}: {why}", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--memory-bytes", type=int, help="what may be used of the host's memory: an eighth is")
    arguments.add_argument("--adam", action="store_true", help="DeepSpeed's cpu_adam is built: measure it")
    arguments.add_argument("--no-gpu", action="store_true", help="the host's numbers alone")
    flags = arguments.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(flags.threads)  # Before torch, which reads it when it is imported.
    import torch

    torch.set_num_threads(flags.threads)
    budget = min(flags.memory_bytes or available_bytes(), available_bytes())
    report = Report()
    report.take(["hostGBps"], lambda: triad(torch, flags.threads, budget))
    if flags.adam:
        report.take(["adamNsPerParameter"], lambda: cpu_adam(torch, flags.threads, budget))
    else:
        report.skip("adamNsPerParameter", "DeepSpeed's cpu_adam is not built here")
    gpus = 0 if flags.no_gpu or not torch.cuda.is_available() else torch.cuda.device_count()
    if gpus > 0:
        report.take(["h2dGBps", "d2hGBps"], lambda: links(torch, budget))
        report.take(["hbmGBps"], lambda: gpu_memory(torch))
        report.take(["achievableTflops"], lambda: best_matmul(torch))
    if gpus > 1:
        report.take(["intraNodeGBps"], lambda: peer_copy(torch))
    device = torch.cuda.get_device_name(0) if gpus > 0 else None
    result = {
        **{"threads": flags.threads, "torch": torch.__version__, "gpu": device, "gpus": gpus},
        **{"measured": report.measured, "skipped": report.skipped},
    }
    print("SUPEROFFLOAD " + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
