"""Compares the index builders in NumPy with Megatron's C++: `check_helpers.py HELPERS_PY HELPERS_CPP PYBIND11_INCLUDE`.

Without the last two, with the definition: token by token. Prints JSON.
"""

import importlib.util
import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compile_cpp(source, include, folder):
    target = Path(folder, f"helpers{sysconfig.get_config_var('EXT_SUFFIX')}")
    command = ["c++", "-O0", "-shared", "-fPIC", "-std=c++17", f"-I{include}", f"-I{sysconfig.get_path('include')}",
               source, "-o", str(target)]
    subprocess.run(command, check=True)
    return load("helpers", target)


def token_by_token(sizes, doc_idx, seq_length, num_epochs, tokens_per_epoch):
    """Each seq_length-th of all tokens' places; the first sample begins at the first document, even an empty one."""
    places = [(i, offset) for i, document in enumerate(doc_idx) for offset in range(sizes[document])]
    samples = (num_epochs * tokens_per_epoch - 1) // seq_length
    return np.array([(0, 0)] + [places[i * seq_length] for i in range(1, samples + 1)], dtype=np.int64)


def sample_case(rng):
    """Sizes with empty documents and ones that are longer than a sample, in a shuffled order over some epochs."""
    sizes = rng.integers(0, int(rng.choice([3, 20, 200])), size=int(rng.integers(1, 60)), dtype=np.int32)
    sizes[rng.integers(len(sizes))] = rng.integers(2, 300)
    epochs = int(rng.integers(1, 5))
    order = np.concatenate([rng.permutation(len(sizes)) for _ in range(epochs)]).astype(np.int32)
    return sizes, order, int(rng.integers(2, 64)), epochs, int(sizes.sum())


def blend(module, weights, size):
    index, sample = np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=np.int64)
    module.build_blending_indices(index, sample, weights, len(weights), size, False)
    return index, sample


def main():
    mine = load("mine", sys.argv[1])
    rng = np.random.default_rng(0)
    results = {"cases": 0, "samples": 0, "different": 0}
    with tempfile.TemporaryDirectory() as folder:
        cpp = compile_cpp(*sys.argv[2:4], folder) if len(sys.argv) > 2 else None
        reference = cpp.build_sample_idx if cpp else token_by_token
        for _ in range(50):
            case = sample_case(rng)
            got, expected = mine.build_sample_idx(*case), np.array(reference(*case))
            results["cases"] += 1
            results["samples"] += len(expected)
            results["different"] += not (got.dtype == expected.dtype and np.array_equal(got, expected))
        for _ in range(20):
            weights = rng.random(int(rng.integers(1, 6)))
            weights /= weights.sum()
            size = int(rng.integers(1, 2000))
            index, sample = blend(mine, weights, size)
            if cpp:
                theirs = blend(cpp, weights, size)
                results["different"] += not (np.array_equal(index, theirs[0]) and np.array_equal(sample, theirs[1]))
            shares = np.bincount(index, minlength=len(weights)) - weights * size
            results["different"] += not (np.abs(shares).max() <= 1 + len(weights))
    # helpers.cpp prints to the same stream
    print("RESULT " + json.dumps(results))


main()
