"""Prints what the trainer's data classes say, as JSON: {"entropy": ..., "samples": [[token, ...], ...]}.

    print_samples.py markov STATES SEQUENCE SEED COUNT
    print_samples.py file PREFIX SEQUENCE SEED COUNT VOCABULARY
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "experiment", "trainer"))
from data import MarkovChain, TokenFile  # noqa: E402

kind, source, sequence, seed, count = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
data = MarkovChain(int(source), sequence, seed) if kind == "markov" else TokenFile(
    source, sequence, seed, int(sys.argv[6]))
print(json.dumps({"entropy": data.entropy, "samples": [data.sample(n).tolist() for n in range(count)]}))
