"""Imports what an Apex build promised, one extension at a time. Run inside a stack by `superoffload install`.

    python check_apex.py apex_C amp_C fused_layer_norm_cuda

The last line is `SUPEROFFLOAD {json}`. Exit status 0 also when an import fails: what failed is in the JSON, all at once.
"""

import importlib
import json
import sys


def apex_file():
    """@return where NVIDIA's Apex is imported from, or why it is not. Another package on PyPI has the same name."""
    try:
        apex = importlib.import_module("apex")
        importlib.import_module("apex.multi_tensor_apply")
    except Exception as error:  # an Apex for another torch dies in any way
        return None, f"{type(error).__name__}: {error}"
    return apex.__file__, None


def main():
    import torch  # its libraries are what the extensions link against

    file, problem = apex_file()
    files, failed = {}, {}
    for name in sys.argv[1:]:
        try:
            files[name] = importlib.import_module(name).__file__
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    result = {"torch": torch.__version__, "apex": file, "problem": problem, "files": files, "failed": failed}
    print("SUPEROFFLOAD " + json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
