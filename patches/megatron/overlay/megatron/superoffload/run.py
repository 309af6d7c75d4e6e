"""Facts at the start of a run, a stop file, peak memory and a clean end, as superoffload's own trainer has them.

SUPEROFFLOAD_STOP_FILE names a file, from the working folder; where it appears, training ends after that iteration.
"""

import importlib.util
import os
import platform
import sys
import threading
import time
from pathlib import Path

import torch
import torch.distributed as dist
from deepspeed.accelerator import get_accelerator

from megatron import get_args

engine = None
cores = len(os.sched_getaffinity(0))
stop_file_is_used = False


def pretrain(*args, **kwargs):
    """Megatron's pretrain, ended cleanly. An error passes through: other ranks may hang, so nothing waits for them."""
    from megatron import training  # it imports this module

    host_memory = HostMemory()
    host_memory.start()  # Before SuperOffload binds the main thread to a few cores: this one stays free.
    hide_main_script()
    try:
        training.pretrain(*args, **kwargs)
    except SystemExit as end:  # Megatron ends so at --exit-interval
        if end.code not in (None, 0):
            raise
    if dist.is_initialized():
        finish(host_memory)


def hide_main_script():
    """SuperOffload starts its worker by spawn, which imports the main script again: all of Megatron, some 20 s of the
    60 s after which DeepSpeed gives up. The worker needs nothing of it, and without a path the script is left alone
    (multiprocessing/spawn.py, get_preparation_data)."""
    vars(sys.modules["__main__"]).pop("__file__", None)


def set_up(model):
    """Called once the DeepSpeed engine is there: prints the facts that Megatron does not."""
    global engine, stop_file_is_used
    engine = model[0]
    if get_args().iteration == 0:
        forget_step_zero()
    stop_file_is_used = any_rank("SUPEROFFLOAD_STOP_FILE" in os.environ)
    if dist.get_rank() == 0:
        accelerator = get_accelerator()
        cuda = accelerator.device_name() == "cuda"
        say("run facts", {
            "zero stage": getattr(engine, "zero_optimization_stage", lambda: "none")(), "torch": torch.__version__,
            "cuda": torch.version.cuda or "none", "accelerator": accelerator.device_name(), "device": device_name(cuda),
            "cores": cores, "adam threads": adam_threads(), "apex": apex_kind(), "attention": attention(get_args()),
            "super offload": str("superoffload" in type(engine.optimizer).__module__.lower()).lower(),
            "offload optimizer": "overlap" if hasattr(engine.optimizer, "stepper")
            else "published" if get_args().cpu_optimizer else "none",
        })


def forget_step_zero():
    """16 bit without ZeRO: DeepSpeed makes Adam's state by a step with zero gradients, and Adam counts that step: the
    bias correction is that of the next one, and the first updates are too small."""
    if hasattr(engine.optimizer, "loss_scale_config"):
        for state in engine.optimizer.optimizer.state.values():
            if torch.is_tensor(state.get("step")):
                state["step"].zero_()
        for group in engine.optimizer.optimizer.param_groups:
            if "step" in group:  # Apex counts here
                group["step"] = 0


def stop_requested():
    """One answer for all ranks: a rank that stopped alone would leave the others waiting."""
    if not stop_file_is_used:
        return False
    return any_rank(dist.get_rank() == 0 and os.path.exists(os.environ.get("SUPEROFFLOAD_STOP_FILE", "")))


def any_rank(condition):
    flag = torch.tensor([int(condition)], dtype=torch.int32, device=get_accelerator().current_device_name())
    dist.all_reduce(flag, op=dist.ReduceOp.MAX)
    return bool(flag.item())


def finish(host_memory):
    """Prints the fullest GPU and the fullest host, then takes everything down in an order in which nothing aborts."""
    device_peaks = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()  # 0 on the CPU
    mine = (platform.node(), *host_memory.end(), *device_peaks)
    ranks = [mine] * dist.get_world_size()
    dist.all_gather_object(ranks, mine)
    hosts, pss, cgroup, allocated, reserved = zip(*ranks, strict=True)
    if dist.get_rank() == 0:
        pss_of_hosts = [sum(p for h, p in zip(hosts, pss, strict=True) if h == host) for host in hosts]
        host_peak, source = (max(cgroup), "cgroup") if all(cgroup) else (max(pss_of_hosts), "pss")
        peaks = {"gpu allocated": max(allocated), "gpu reserved": max(reserved), "host": host_peak}
        say("peak memory", {
            **{f"{name} (GiB)": f"{peak / 2**30:.3f}" if peak else "none" for name, peak in peaks.items()},
            "host source": source if host_peak else "none",
        })
    worker = superoffload_worker()
    if worker is not None:
        worker.close()
    if engine is not None:
        engine.destroy()
    dist.barrier()
    dist.destroy_process_group()


def superoffload_worker():
    return getattr(getattr(engine, "optimizer", None), "superoffload_cpu_optimizer", None)


def adam_threads():
    """Threads of the CPU optimizer, or none. SuperOffload's worker has cores of its own and starts OpenMP there."""
    worker = superoffload_worker()
    if worker is not None:
        return os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(worker.cpuadam_process.pid))
    return torch.get_num_threads() if get_args().cpu_optimizer else "none"


def apex_kind():
    """overlay: the files beside this package; build: an installed Apex; none."""
    spec = importlib.util.find_spec("apex")
    if spec is None or spec.origin is None:
        return "none"
    return "overlay" if Path(spec.origin).parents[1] == Path(__file__).parents[2] else "build"


def attention(args):
    """The kernel that GPT's causal attention runs on."""
    if args.use_flash_attn_v2:
        from megatron.model import transformer  # it is loaded by now, and this module may not load it

        ours = transformer.flash_attn_varlen_func.__module__ == "megatron.superoffload.attention"
        return "sdpa" if ours else "flash-attn 2"
    other = {"use_flash_attn_v1": "flash-attn 1", "use_flash_attn_triton": "flash-attn triton",
             "use_flash_attn_builder": "flash-attn builder", "masked_softmax_fusion": "fused softmax"}
    return next((name for flag, name in other.items() if getattr(args, flag)), "unfused")


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

    def cgroup_peak(self):
        """Bytes, or 0 where there is no memory controller of cgroup v2."""
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        path = next((line[3:].strip("/") for line in groups if line.startswith("0::")), "")
        try:
            return int(Path("/sys/fs/cgroup", path, "memory.peak").read_text())
        except FileNotFoundError:
            return 0

    def end(self):
        """Peaks of the run in bytes: PSS, cgroup. A cgroup's peak from before the run says nothing about it: 0."""
        self.done.set()
        self.join()
        peak = self.cgroup_peak()
        return max(self.pss, self.tree_pss(os.getpid())), peak if peak > self.cgroup_at_start else 0


def device_name(cuda):
    if cuda:
        return torch.cuda.get_device_name()
    cpus = Path("/proc/cpuinfo").read_text().splitlines()  # aarch64 has no model name there
    names = (line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name"))
    return next(names, platform.machine())


def say(kind, fields):
    print(f" {kind} | " + " | ".join(f"{name}: {value}" for name, value in fields.items()) + " |", flush=True)
