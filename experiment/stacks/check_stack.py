"""Builds DeepSpeed's ops ahead, or proves that a stack works. Run inside the stack by `superoffload install`.

    python check_stack.py build  cpu_adam deepspeed_shm_comm
    python check_stack.py verify cpu_adam deepspeed_shm_comm

The last line is `SUPEROFFLOAD {json}`; `problems` in it is what a person has to mend.
"""

import importlib.metadata
import json
import platform
import sys
import time

BUILDERS = {"cpu_adam": "CPUAdamBuilder", "deepspeed_shm_comm": "ShareMemCommBuilder"}


def load_ops(names):
    """Loads each op; torch compiles it first where the private folder does not have it."""
    from deepspeed.accelerator import get_accelerator

    for name in names:
        print(f"loading {name}", flush=True)
        builder = get_accelerator().create_op_builder(BUILDERS[name])
        if builder is None:
            raise RuntimeError(f"this DeepSpeed has no {BUILDERS[name]}")
        builder.load(verbose=True)


def unmet_requirements(root):
    """Requirements of `root`, and of what it needs, that this Python cannot meet (torch's own are left to torch)."""
    from packaging.requirements import Requirement

    unmet, waiting, seen = [], [root], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name == "torch":
            continue
        seen.add(name)
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            try:
                version = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                unmet.append(f"{name} needs {line}, which is not installed")
                continue
            if not requirement.specifier.contains(version, prereleases=True):
                unmet.append(f"{name} needs {line}, but {version} is installed")
            waiting.append(requirement.name.lower())
    return unmet


def adam_difference(steps=3, size=4099):
    """Largest difference between DeepSpeed's CPU Adam and torch's AdamW after some steps on the same gradients."""
    import torch
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    torch.manual_seed(0)
    start = torch.randn(size)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    options = {"lr": 1e-2, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
    optimizers = [DeepSpeedCPUAdam([ours], adamw_mode=True, **options), torch.optim.AdamW([theirs], **options)]
    for _ in range(steps):
        gradient = torch.randn(size)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    if torch.equal(ours.data, start):
        raise RuntimeError("DeepSpeedCPUAdam.step() changed nothing")
    return (ours - theirs).abs().max().item()


def installed():
    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:  # the first on sys.path is the one that is imported
            found[name] = distribution.version
    return dict(sorted(found.items()))


def library_versions():
    """NCCL and cuDNN as torch loaded them; None where it was built without."""
    import torch

    has_nccl = hasattr(torch._C, "_nccl_version")  # what torch.cuda.nccl.version() asks
    nccl = ".".join(str(part) for part in torch.cuda.nccl.version()) if has_nccl else None
    cudnn = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
    return {"nccl": nccl, "cudnn": None if cudnn is None else str(cudnn)}


def verify(ops):
    packages = installed()  # before setuptools puts its vendored packages on sys.path
    began = time.perf_counter()
    import deepspeed
    import torch

    load_ops(ops)
    load_seconds = time.perf_counter() - began
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudaAvailable": torch.cuda.is_available(),
        "gpuCount": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "deepspeed": deepspeed.__version__,
        **library_versions(),
        "loadSeconds": load_seconds,
        "adamDifference": adam_difference() if "cpu_adam" in ops else None,
        "problems": unmet_requirements("deepspeed"),
        "packages": packages,
    }


def main():
    action, ops = sys.argv[1], sys.argv[2:]
    if action == "verify":
        result = verify(ops)
    else:
        load_ops(ops)
        result = {"built": ops}
    print("SUPEROFFLOAD " + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
