"""What the check programs train on: the CPU accelerator, or with --cuda the GPU. To be imported before DeepSpeed."""

import json
import os
import sys

import torch

CUDA = "--cuda" in sys.argv
os.environ.update(DS_ACCELERATOR="cuda" if CUDA else "cpu")
if CUDA:  # both sides then get the same gradients, but for kernels that cuBLAS chooses by where a matrix lies
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": "0"}.items():
    os.environ.setdefault(name, value)

RANK, RANKS = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def check(every, result_of, steps=200):
    """Prints what `result_of(case, steps)` gives for every case of the command line, and ends the process: with 1 where
    one is not "within" its tolerance. NAME@60 takes 60 steps from then on; "all" or nothing are `every`."""
    good = True
    for argument in [argument for argument in sys.argv[1:] if argument != "--cuda"] or ["all"]:
        name, _, number = argument.partition("@")
        steps = int(number or steps)
        for case in every if name == "all" else [name]:
            result = result_of(case, steps)
            good = good and result.get("within", True)
            if RANK == 0:
                print("RESULT " + json.dumps(result), flush=True)
    os._exit(0 if good else 1)  # a thread that hangs, as planted, would keep Python here
