"""What the machine under a rank is, and how much of its host memory the run took."""

import functools
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch


def device_name(cuda):
    if cuda:
        return torch.cuda.get_device_name()
    cpus = Path("/proc/cpuinfo").read_text().splitlines()  # aarch64 has no model name there
    names = (line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name"))
    return next(names, platform.machine())


def ask_cpu_once():
    """DeepSpeed asks py-cpuinfo three times what the processor is before it has CPU Adam (0.19.8: cpu_arch, simd_width,
    DeepSpeedCPUAdam), and each time that is a process of 1.1 s. It is asked once, by the same process, beside the import of
    DeepSpeed. Not in a thread: one that starts a process while another one sets an environment variable may hand it an
    environment that has moved (EFAULT)."""
    import cpuinfo

    ask = cpuinfo.get_cpu_info
    command = [sys.executable, cpuinfo.cpuinfo.__file__, "--json"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @functools.cache
    def answer():
        output, _ = process.communicate()
        return json.loads(output) if process.returncode == 0 else ask()

    cpuinfo.get_cpu_info = answer


class HostMemory(threading.Thread):
    """Peak host memory of this rank and its descendants (SuperOffload's worker is one). PSS divides a shared or pinned
    page by its users, so that the sum over ranks counts it once. Reading it walks the page tables, which may take long:
    the pause grows with it, to stay under 5% of a core."""

    def __init__(self):
        super().__init__(daemon=True)
        self.pss, self.done, self.cgroup_at_start = 0, threading.Event(), self.cgroup_peak()

    def run(self):
        pause = 0.0
        while not self.done.wait(pause):
            start = time.monotonic()
            self.pss = max(self.pss, self.tree_pss(os.getpid()))
            pause = max(1.0, 20 * (time.monotonic() - start))

    def tree_pss(self, pid):
        total, process = 0, Path(f"/proc/{pid}")
        try:
            rollup = (process / "smaps_rollup").read_text().splitlines()
            total += sum(1024 * int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            for children in process.glob("task/*/children"):
                total += sum(self.tree_pss(child) for child in children.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # A process or thread ended while we looked.
        return total

    def cgroup(self):
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        return next((line[3:].strip("/") for line in groups if line.startswith("0::")), "")

    def cgroup_peak(self):
        """Bytes, or 0 where there is no memory controller of cgroup v2."""
        try:
            return int(Path("/sys/fs/cgroup", self.cgroup(), "memory.peak").read_text())
        except FileNotFoundError:
            return 0

    def end(self):
        """Node, peak PSS, cgroup and its peak, in bytes. A cgroup's peak from before the run says nothing of it: 0."""
        self.done.set()
        self.join()
        peak = self.cgroup_peak()
        peak = peak if peak > self.cgroup_at_start else 0
        return platform.node(), max(self.pss, self.tree_pss(os.getpid())), self.cgroup(), peak


def fullest_host(ends):
    """Peak bytes of the fullest node, and how they were counted, from HostMemory.end() of all ranks. The ranks of a
    node share one cgroup, or have one each (Slurm's tasks). Where peaks are added up, this is an upper bound: they need
    not have come at the same moment."""
    from_cgroups = all(peak for _node, _pss, _cgroup, peak in ends)
    nodes = {}
    for rank, (node, pss, cgroup, peak) in enumerate(ends):
        shares = nodes.setdefault(node, {})
        share, used = (cgroup, peak) if from_cgroups else (rank, pss)
        shares[share] = max(used, shares.get(share, 0))
    return max(sum(shares.values()) for shares in nodes.values()), "cgroup" if from_cgroups else "pss"
