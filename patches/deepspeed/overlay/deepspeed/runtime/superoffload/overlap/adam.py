"""Builds adam.cpp once for this machine and calls it."""

import ctypes
import fcntl
import hashlib
import os
import platform
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("adam.cpp")
# No contraction: only the fused multiply-adds that are written, so that the numbers do not depend on the compiler.
FLAGS = ("-O3", "-march=native", "-std=c++17", "-fPIC", "-shared", "-pthread", "-fno-math-errno", "-fno-trapping-math",
         "-ffp-contract=off")
FORMATS = {torch.float32: 1, torch.bfloat16: 2, torch.float16: 3}
FLOATS = ("lr", "beta1", "beta2", "eps", "weight_decay")


def processor():
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(("flags", "Features"))}))


def library_path():
    """Where the built library lies: beside DeepSpeed's ops, by what it is made from. Built where it is missing."""
    compiler = os.environ.get("CXX", "c++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    key = hashlib.sha256("\0".join((SOURCE.read_text(), *FLAGS, version, processor())).encode()).hexdigest()[:16]
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or Path.home() / ".cache" / "torch_extensions"
    folder = Path(root) / f"superoffload_adam-{key}"
    library = folder / "adam.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = Path(scratch) / "adam.so"
                for flags in (FLAGS, [flag for flag in FLAGS if flag != "-march=native"]):  # unknown to Clang on ARM
                    command = [compiler, *flags, str(SOURCE), "-o", str(made)]
                    built = subprocess.run(command, capture_output=True, text=True)
                    if built.returncode == 0:
                        break
                else:
                    raise RuntimeError(f"superoffload: {compiler} could not build {SOURCE}:\n{built.stderr[-4000:]}")
                os.replace(made, library)
    return library


def fp32(value):
    return ctypes.c_float(value).value


class Powers:
    """beta1 and beta2 to the power of the step, as DeepSpeed's cpu_adam has them: a product in fp32 that grows by one
    factor a step, and a power where a step does not follow the last one."""

    def __init__(self):
        self.step, self.betas, self.powers = 0, (), (1.0, 1.0)

    def at(self, step, *betas):
        betas = tuple(fp32(beta) for beta in betas)
        if step == self.step + 1 and betas == (self.betas or betas):
            self.powers = tuple(fp32(power * beta) for power, beta in zip(self.powers, betas))
        elif step != self.step or betas != self.betas:
            self.powers = tuple(fp32(beta**step) for beta in betas)
        self.step, self.betas = step, betas
        return self.powers


class Adam:
    """The library with a pool of threads, one pinned to each of `cores` in turn (none: not pinned)."""

    def __init__(self, threads, cores=()):
        self.threads = threads
        self.library = ctypes.CDLL(str(library_path()))
        self.library.superoffload_pool_create.restype = ctypes.c_void_p
        numbers = (ctypes.c_int * max(1, len(cores)))(*cores)
        self.pool = ctypes.c_void_p(self.library.superoffload_pool_create(threads, numbers, len(cores)))
        pointer, whole, long, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_float
        self.library.superoffload_adam.restype = None
        self.library.superoffload_adam.argtypes = (pointer, *[pointer] * 6, pointer, whole, pointer, whole, long,
                                                   *[real] * (2 + len(FLOATS)), whole, real)
        self.powers = Powers()

    def step(self, old, new, gradient, copy, step, group, adamw, scale):
        """One step of all elements: `old` and `new` are (param, momentum, variance) in fp32, the same tensors for a
        step in place. `gradient` is multiplied by `scale` first. `copy` takes the new params in its own format; it may
        be the gradient's memory. `group`: a parameter group of a torch optimizer. Takes Python's lock only to begin."""
        beta1, beta2 = group["betas"]
        values = {**group, "beta1": beta1, "beta2": beta2}
        powers = self.powers.at(step, beta1, beta2) if group.get("bias_correction", True) else (0.0, 0.0)
        count = gradient.numel()
        tensors = (*old, *new, gradient, *([] if copy is None else [copy]))
        assert all(t.numel() == count and t.is_contiguous() and t.device.type == "cpu" for t in tensors)
        self.library.superoffload_adam(self.pool, *(t.data_ptr() for t in (*old, *new)), gradient.data_ptr(),
                                       FORMATS[gradient.dtype], None if copy is None else copy.data_ptr(),
                                       0 if copy is None else FORMATS[copy.dtype], count, *powers,
                                       *(float(values[name]) for name in FLOATS), int(adamw), scale)

    def close(self):
        if self.pool:
            self.library.superoffload_pool_destroy(self.pool)
            self.pool = None
