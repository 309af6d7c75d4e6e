"""Runs the trainer for many cases, each rank in a process of its own, and pays for the imports once.

Reads JSON from stdin: [{"name": ..., "program": "train.py" or "reference.py", "ranks": N, "argv": [...]}]; writes to stdout
{name: {"codes": [...], "stdout": rank 0's, "stderr": rank 0's, "seconds": ...}}. The ranks are forks of this process,
which has imported torch and DeepSpeed and loaded the operators, but has started nothing. A case that is "like" an
earlier one has "weightGap" too: the largest difference between a weight of theirs after the last step.
"""

import json
import os
import runpy
import socket
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TRAINER = os.path.join(HERE, "..", "..", "experiment", "trainer")
PROGRAMS = {"train.py": TRAINER, "reference.py": HERE}


def run_rank(program, argv, environment, output):
    os.dup2(os.open(output + ".out", os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(os.open(output + ".err", os.O_WRONLY | os.O_CREAT), 2)
    os.environ.update(environment)
    sys.argv = [program, *argv]
    sys.path.insert(0, TRAINER)
    if program == "train.py":
        keep_weights(output + ".weights")
    code = 0
    try:
        runpy.run_path(os.path.join(PROGRAMS[program], program), run_name="__main__")
    except SystemExit as end:  # as the interpreter itself ends: a message is printed, and the status is 1
        code = end.code if isinstance(end.code, int) else 1
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def keep_weights(path):
    """Before the engine goes, the whole weights are saved."""
    import deepspeed
    import torch

    destroy = deepspeed.DeepSpeedEngine.destroy

    def save_and_destroy(engine):
        named = dict(engine.module.named_parameters())
        with deepspeed.zero.GatheredParameters(list(named.values())):
            torch.save({name: parameter.detach().clone() for name, parameter in named.items()}, path)
        destroy(engine)

    deepspeed.DeepSpeedEngine.destroy = save_and_destroy


def weight_gap(path_a, path_b):
    import torch

    a, b = torch.load(path_a), torch.load(path_b)
    assert a.keys() == b.keys()
    gaps = {name: (a[name] - b[name]).abs() for name in a}
    for name in (name for name in gaps if name.endswith("qkv.bias")):
        # A bias of the keys moves all scores of a query alike, which its softmax does not see: the gradient is nothing
        # but rounding, and Adam makes whole steps of it.
        gaps[name].view(3, -1)[1] = 0
    return max(gap.max().item() for gap in gaps.values())


def run_case(case, folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start, children = time.monotonic(), []
    for rank in range(case["ranks"]):
        environment = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(case["ranks"]),
                       "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        child = os.fork()
        if child == 0:
            run_rank(case["program"], case["argv"], environment, os.path.join(folder, f"{case['name']}.{rank}"))
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    texts = {}
    for stream in ("out", "err"):
        with open(os.path.join(folder, f"{case['name']}.0.{stream}")) as file:
            texts["std" + stream] = file.read()
    result = {"codes": codes, "seconds": time.monotonic() - start, **texts}
    if "like" in case and not any(codes):
        result["weightGap"] = weight_gap(*(os.path.join(folder, f"{name}.0.weights") for name in (case["name"], case["like"])))
    return result


def main():
    answer = os.dup(1)  # DeepSpeed's own messages go to stderr here
    os.dup2(2, 1)
    import torch
    from deepspeed.accelerator import get_accelerator
    from deepspeed.ops.adam import DeepSpeedCPUAdam
    from deepspeed.runtime.zero.muon import original_muon  # noqa: F401  (its torch.compile imports half of torch)

    get_accelerator().create_op_builder("ShareMemCommBuilder").load(verbose=False)
    DeepSpeedCPUAdam([torch.nn.Parameter(torch.zeros(1))])
    with tempfile.TemporaryDirectory() as folder:
        results = {case["name"]: run_case(case, folder) for case in json.load(sys.stdin)}
    with os.fdopen(answer, "w") as out:
        json.dump(results, out)


if __name__ == "__main__":
    main()
