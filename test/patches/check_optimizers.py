"""Cases of check_overlap.py, check_loops.py ("loop: NAME") and check_host_offload.py ("host: NAME") in one process.

Until its first step a process takes 12 s of processor time, half of it for DeepSpeed to find out that its ops are built.

    check_optimizers.py [--cuda] CASE...           prints a line of JSON for each
"""

import check_host_offload
import check_loops
import check_overlap
from check_accelerator import check


def result_of(argument, steps):
    kind, _, name = argument.rpartition(": ")
    return {"": check_overlap, "loop": check_loops, "host": check_host_offload}[kind].result_of(name, steps)


if __name__ == "__main__":
    check([*check_overlap.CASES, *(f"loop: {name}" for name in check_loops.CASES),
           *(f"host: {name}" for name in check_host_offload.CASES)], result_of)
