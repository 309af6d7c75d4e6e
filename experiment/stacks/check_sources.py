"""Says which files the modules of a stack really come from. Run inside the stack by `superoffload install`.

    python check_sources.py deepspeed megatron apex pretrain_gpt

Each name is imported, in the working folder, as a run would import it: an exit status of pip proves nothing of what
Python finds first. The last line is `SUPEROFFLOAD {json}`.
"""

import importlib
import json
import os
import sys
import traceback


def main():
    sys.path.insert(0, os.getcwd())  # as for a script that lies here
    modules, problems = {}, []
    for name in sys.argv[1:]:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # whatever an upstream does at import is what has to be told
            traceback.print_exc()
            problems.append(f"{name} cannot be imported: {type(error).__name__}: {error}")
            continue
        # A namespace package has no file, only folders.
        modules[name] = getattr(module, "__file__", None) or next(iter(module.__path__), None)
    print("SUPEROFFLOAD " + json.dumps({"modules": modules, "problems": problems}), flush=True)


if __name__ == "__main__":
    main()
