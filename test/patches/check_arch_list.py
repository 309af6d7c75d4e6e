"""What DeepSpeed's op builder makes of TORCH_CUDA_ARCH_LIST: `check_arch_list.py PUBLISHED PATCHED LIST...`.

The first two are copies of deepspeed/ops/op_builder/builder.py. Prints one JSON list for each of them: for every LIST
what PyTorch gets when an op is compiled at its first use and the flags for one that is compiled ahead, or the error.
"""

import importlib.util
import json
import os
import sys

import deepspeed.ops.op_builder  # noqa: F401  the package that the file belongs to


def builder_of(path):
    spec = importlib.util.spec_from_file_location("deepspeed.ops.op_builder.builder_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Builder(module.CUDAOpBuilder):
        def absolute_name(self):
            return "under_test"

        def sources(self):
            return []

    return Builder("under_test")


def answer(builder, arch_list):
    found = {}
    try:
        for kind, builder.jit_mode in (("jit", True), ("ahead", False)):
            os.environ["TORCH_CUDA_ARCH_LIST"] = arch_list
            found[kind] = builder.compute_capability_args() or os.environ["TORCH_CUDA_ARCH_LIST"]
    except ValueError as error:
        found["error"] = str(error)
    return found


builders = [builder_of(path) for path in sys.argv[1:3]]
print("RESULT " + json.dumps([[answer(builder, arch_list) for arch_list in sys.argv[3:]] for builder in builders]))
