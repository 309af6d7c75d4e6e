"""Says what a Python is and has, as one line of JSON. Imports nothing but the standard library.

    python inspect_python.py [--packages]
"""

import importlib.machinery
import importlib.util
import json
import os
import platform
import sys
import sysconfig


def has(module):
    return importlib.util.find_spec(module) is not None


def packages():
    import importlib.metadata

    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:  # the first on sys.path is the one that is imported
            found[name] = distribution.version
    return found


def torch_build():
    """torch/version.py alone: importing torch takes seconds and tells no more."""
    spec = importlib.machinery.PathFinder.find_spec("torch", sys.path)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = os.path.join(list(spec.submodule_search_locations)[0], "version.py")
    if not os.path.exists(path):
        return None
    version_spec = importlib.util.spec_from_file_location("torch_version", path)
    module = importlib.util.module_from_spec(version_spec)
    version_spec.loader.exec_module(module)
    return {"version": str(module.__version__), "cuda": getattr(module, "cuda", None)}


def main():
    sys.dont_write_bytecode = True
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != own]
    facts = {
        "path": sys.executable,
        "identity": os.path.realpath(sys.prefix) + ":" + os.path.realpath(sys.executable),
        "version": platform.python_version(),
        "machine": platform.machine(),
        "is64Bit": sys.maxsize > 2**32,
        "base": os.path.realpath(getattr(sys, "_base_executable", sys.executable) or sys.executable),
        "hasHeaders": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
        "hasVenv": has("venv"),
        "hasEnsurepip": has("ensurepip"),
        "hasPip": has("pip"),
        "sitePackages": [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))],
        "torch": None,
        "packages": {},
    }
    if "--packages" in sys.argv:
        facts["packages"] = packages()
        facts["torch"] = torch_build()
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
