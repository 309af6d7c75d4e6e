"""Token data. Sample n is the same tokens whoever asks for it, so that any number of ranks and any gradient
accumulation see the same global batch: iteration i holds samples (i-1)*global_batch ... i*global_batch-1."""

from bisect import bisect_right

import numpy as np


class MarkovChain:
    """An endless text of known entropy: each state has a few successors with fixed, unequal probabilities. The loss of
    a model that has learned the chain is exactly `entropy` (nats a token), and no model can do better."""

    def __init__(self, states, sequence, seed, successors=4):
        self.sequence, self.seed = sequence, seed
        rng = np.random.default_rng(seed)
        k = min(successors, states)
        # The first successor of s is s+1: every state reaches every other, so one stationary distribution exists.
        steps = [np.append(1, rng.choice(states - 1, k - 1, replace=False) + 2) for _ in range(states)]
        successor = (np.arange(states)[:, None] + np.array(steps)) % states
        probability = rng.dirichlet(np.full(k, 2.0), size=states)
        # Power iteration of the lazy chain (half of the time it stays): the same distribution, and never periodic.
        stationary = np.full(states, 1 / states)
        for _ in range(100_000):
            flow = np.bincount(successor.ravel(), (stationary[:, None] * probability).ravel(), states)
            change = np.abs(flow - stationary).sum()
            stationary = (stationary + flow) / 2
            if change < 1e-14:
                break
        self.entropy = float(-(stationary[:, None] * probability * np.log(probability)).sum())
        # Plain lists: looking up single elements in them is faster than in arrays. The last bound would be 1.
        self.first = stationary.cumsum()[:-1].tolist()
        self.bounds = probability.cumsum(axis=1)[:, :-1].tolist()
        self.successor = successor.tolist()

    def sample(self, n):
        """sequence + 1 tokens of sample n, int64."""
        draws = np.random.default_rng([self.seed, n]).random(self.sequence + 1).tolist()
        state = bisect_right(self.first, draws[0])
        tokens = [state]
        for draw in draws[1:]:
            state = self.successor[state][bisect_right(self.bounds[state], draw)]
            tokens.append(state)
        return np.array(tokens)


class TokenFile:
    """A Megatron data set, PREFIX.bin and PREFIX.idx (its MMapIndexedDataset), read as one stream of tokens that is
    cut into samples in a fixed random order, which is another one in every epoch."""

    entropy = None
    types = {4: np.int32, 8: np.uint16}

    def __init__(self, prefix, sequence, seed, vocab):
        self.sequence, self.seed, self.vocab = sequence, seed, vocab
        header = np.fromfile(prefix + ".idx", "S9, <u8, u1, <u8, <u8", 1).tolist()  # 34 bytes, then i32 lengths
        if not header or header[0][0] != b"MMIDIDX":
            raise SystemExit(f"config error: {prefix}.idx is not a Megatron index (MMIDIDX)")
        _magic, version, code, sequences, _documents = header[0]
        if version != 1 or code not in self.types:
            raise SystemExit(f"config error: {prefix}.idx has version {version} and type code {code}; "
                             "expected version 1 and type 4 (int32) or 8 (uint16)")
        expected = np.fromfile(prefix + ".idx", np.int32, sequences, offset=34).sum(dtype=np.int64)
        self.tokens = np.memmap(prefix + ".bin", self.types[code], "r")
        self.samples = (len(self.tokens) - 1) // sequence
        if expected != len(self.tokens) or self.samples < 1:
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
