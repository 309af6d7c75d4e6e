"""Runs one file of Megatron by itself on a list of jobs (JSON on stdin) and prints the list of results.

    read_with_megatron.py INDEXED_DATASET.PY    {"read": PREFIX} -> {"kind", "type", "documents", "sizes", "tokens"}
                                                {"write": PREFIX, "vocabulary": N, "documents": [[token, ...], ...]}
    read_with_megatron.py GPT2_TOKENIZATION.PY  {"tokenize": text, "vocab": FILE, "merges": FILE} -> [token, ...]
"""

import importlib.util
import json
import sys
import types

# The files import this one name from a package that would load all of Megatron.
sys.modules["megatron"] = types.SimpleNamespace(print_rank_0=lambda *_: None)
spec = importlib.util.spec_from_file_location("module", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def run(job):
    if "read" in job:
        data = module.make_dataset(job["read"], "infer", skip_warmup=True)
        return {"kind": type(data).__name__, "type": data.dtype.__name__, "documents": data.doc_idx.tolist(),
                "sizes": data.sizes.tolist(), "tokens": [data[i].tolist() for i in range(len(data))]}
    if "tokenize" in job:
        tokenizer = module.GPT2Tokenizer(job["vocab"], job["merges"], special_tokens=[], max_len=None)
        return tokenizer.encode(job["tokenize"])
    import torch

    builder = module.make_builder(f"{job['write']}.bin", "mmap", vocab_size=job["vocabulary"])
    for tokens in job["documents"]:
        builder.add_item(torch.IntTensor(tokens))
        builder.end_document()
    builder.finalize(f"{job['write']}.idx")


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
