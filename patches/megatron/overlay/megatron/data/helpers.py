"""The index builders of helpers.cpp that GPT data needs, in NumPy: no compiler, no pybind11, and no make at start.

Megatron imports `helpers` from this folder. A compiled module of that name has precedence over this file.
"""

import numpy as np


def build_sample_idx(sizes, doc_idx, seq_length, num_epochs, tokens_per_epoch):
    """Where each sample begins: rows of (index into doc_idx, token offset in that document), one more than samples.

    The documents follow each other in the order of doc_idx, sizes[d] tokens for document d. Sample i begins at token
    i * seq_length of that stream and reads one token more than seq_length.
    """
    samples = (num_epochs * tokens_per_epoch - 1) // seq_length
    ends = np.cumsum(sizes[doc_idx], dtype=np.int64)
    starts = np.arange(samples + 1, dtype=np.int64) * seq_length
    documents = np.searchsorted(ends, starts, side="right")  # The first document that ends after the token: not empty.
    offsets = starts - (ends - sizes[doc_idx])[documents]
    documents[0] = offsets[0] = 0  # Even where the first document is empty.
    return np.stack([documents, offsets], axis=1).astype(np.int64)


def build_blending_indices(dataset_index, dataset_sample_index, weights, num_datasets, size, verbose):
    """Fills the first two arrays: for each sample the data set that is furthest behind its weight, and that one's next
    sample. The weights add up to 1."""
    taken = np.zeros(num_datasets)
    for sample in range(size):
        behind = weights * max(sample, 1) - taken
        chosen = int(behind.argmax())
        dataset_index[sample] = chosen
        dataset_sample_index[sample] = taken[chosen]
        taken[chosen] += 1
    if verbose:
        for chosen, weight in enumerate(weights):
            print(f" > dataset {chosen}: weight {weight:.6f}, samples {int(taken[chosen])} of {size}", flush=True)


def build_mapping(*_):
    raise NotImplementedError("BERT and T5 data need the compiled helpers.cpp: run `make` in megatron/data")


def build_blocks_mapping(*_):
    raise NotImplementedError("ICT and REALM data need the compiled helpers.cpp: run `make` in megatron/data")
