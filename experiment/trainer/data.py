"""Token data. Sample n is the same tokens whoever asks for it, so that any number of ranks and any gradient
accumulation see the same global batch: iteration i holds samples (i-1)*global_batch ... i*global_batch-1."""

import numpy as np


class MarkovChain:
    """An endless text of known entropy: each state has up to four successors, with fixed, unequal probabilities. The
    loss of a model that has learned the chain is exactly `entropy` (nats a token), and no model can do better."""

    def __init__(self, states, sequence, seed):
        self.states, self.sequence, self.seed = states, sequence, seed
        probability = np.array([0.7, 0.15, 0.1, 0.05])[:states]
        probability /= probability.sum()
        self.entropy = float(-(probability * np.log(probability)).sum())
        self.bounds = probability.cumsum()[:-1]
        # State s goes to shuffled[s + step]: a bijection for every step, so that all states are equally frequent.
        rng = np.random.default_rng(seed)
        self.steps, self.shuffled = rng.permutation(states)[:4], rng.permutation(states).tolist()

    def sample(self, n):
        """sequence + 1 tokens of sample n, int64."""
        rng = np.random.default_rng([self.seed, n])
        tokens = [int(rng.integers(self.states))]
        for step in self.steps[np.searchsorted(self.bounds, rng.random(self.sequence))].tolist():
            tokens.append(self.shuffled[(tokens[-1] + step) % self.states])
        return np.array(tokens)


class TokenFile:
    """A Megatron data set, PREFIX.bin and PREFIX.idx (its MMapIndexedDataset), read as one stream of tokens that is
    cut into samples in a fixed random order, which is another one in every epoch."""

    entropy = None
    types = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}

    def __init__(self, prefix, sequence, seed, vocab):
        self.sequence, self.seed, self.vocab = sequence, seed, vocab
        header = np.fromfile(prefix + ".idx", "S9, <u8, u1, <u8, <u8", 1).tolist()  # 34 bytes, then i32 lengths
        if not header or header[0][0] != b"MMIDIDX":
            raise SystemExit(f"config error: {prefix}.idx is not a Megatron index (MMIDIDX)")
        _magic, version, code, sequences, entries = header[0]
        if version != 1 or code not in self.types:
            raise SystemExit(f"config error: {prefix}.idx has version {version} and type code {code}; "
                             f"expected version 1 and a type of {', '.join(map(str, self.types))}")
        expected = np.fromfile(prefix + ".idx", np.int32, sequences, offset=34).sum(dtype=np.int64)
        self.tokens = np.memmap(prefix + ".bin", self.types[code], "r")
        self.samples = (len(self.tokens) - 1) // sequence
        # Megatron's preprocessing does not count the token that ends a document (the published data is such a set).
        counted = len(self.tokens) in (expected, expected + entries - 1)
        if not counted or self.samples < 1:
            raise SystemExit(f"config error: {prefix}.bin has {len(self.tokens)} tokens; its index says {expected}, "
                             f"and one sample takes {sequence + 1}")
        self.epoch, self.order = None, None

    def sample(self, n):
        """sequence + 1 tokens of sample n, int64."""
        epoch, position = divmod(n, self.samples)
        if epoch != self.epoch:
            self.epoch, self.order = epoch, np.random.default_rng([self.seed, epoch]).permutation(self.samples)
        start = self.order[position] * self.sequence
        tokens = self.tokens[start : start + self.sequence + 1].astype(np.int64)
        if tokens.min() < 0 or tokens.max() >= self.vocab:
            raise SystemExit(f"config error: token {tokens.max()} in the data, but the vocabulary has {self.vocab}")
        return tokens
