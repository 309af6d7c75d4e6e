"""A GPT as Megatron builds it by default: pre-LN, learned positions, biases, tanh-GELU, tied head.
Every module sets its own initial values in reset_parameters, because under ZeRO-3's zero.Init a parameter is
split between the ranks as soon as the module that owns it exists; later only a fragment is left to initialise.
"""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from attention import KERNELS, ulysses
from loss import ChunkedLossSum, loss_sum
from offload import HostCopies


class Embedding(nn.Embedding):
    def __init__(self, rows, width, std):
        self.std = std
        super().__init__(rows, width)

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=self.std)


class Linear(nn.Linear):
    def __init__(self, width_in, width_out, std):
        self.std = std
        super().__init__(width_in, width_out)

    def reset_parameters(self):
        nn.init.normal_(self.weight, std=self.std)
        nn.init.zeros_(self.bias)


class Head(nn.Module):
    """Tied to the token embedding. A module of its own, so that ZeRO-3 gathers the weight as for any other; the loss is
    inside it, so that the logits need not leave it."""

    def __init__(self, args, weight):
        super().__init__()
        self.args, self.weight = args, weight

    def forward(self, x, targets):
        """Sum of the losses of all tokens, in nats."""
        x, targets = x.flatten(0, 1), targets.flatten()
        sixteen_bit, chunk = self.args.fp16_lm_cross_entropy, self.args.loss_chunk
        if 0 < chunk < len(x):
            return ChunkedLossSum.apply(x, self.weight, targets, sixteen_bit, chunk)
        return loss_sum(x, self.weight, targets, sixteen_bit)


class Block(nn.Module):
    def __init__(self, args, attend):
        super().__init__()
        h, std = args.hidden_size, args.init_method_std
        output_std = std / math.sqrt(2 * args.num_layers)  # Megatron's scaled init of what adds to the residual
        self.args, self.attend = args, attend
        self.ln_1 = nn.LayerNorm(h)
        self.qkv = Linear(h, 3 * h, std)
        self.proj = Linear(h, h, output_std)
        self.ln_2 = nn.LayerNorm(h)
        self.up = Linear(h, 4 * h, std)
        self.down = Linear(4 * h, h, output_std)

    def forward(self, x):
        batch, sequence, h = x.shape
        heads, hidden_dropout = self.args.num_attention_heads, self.args.hidden_dropout
        q, k, v = self.qkv(self.ln_1(x)).view(batch, sequence, 3, heads, h // heads).unbind(2)
        attention_dropout = self.args.attention_dropout if self.training else 0.0
        y = self.attend(q, k, v, attention_dropout)
        y = self.proj(y.reshape(batch, sequence, h))
        x = x + F.dropout(y, hidden_dropout, self.training)
        y = self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))
        return x + F.dropout(y, hidden_dropout, self.training)


class GPT(nn.Module):
    """With `group`, its ranks share each sequence (DeepSpeed-Ulysses): every rank has a stretch of all sequences, and
    for attention alone every rank has all sequences of some of the heads."""

    def __init__(self, args, vocab, group=None):
        super().__init__()
        h, std = args.hidden_size, args.init_method_std
        self.args = args
        attend, self.rank = KERNELS[args.attention], 0
        if group is not None:
            attend, self.rank = ulysses(attend, group), group.rank()
        self.kept = HostCopies() if args.checkpoint_in_cpu else contextlib.nullcontext()
        self.wte = Embedding(vocab, h, std)
        self.wpe = Embedding(args.seq_length, h, std)
        self.blocks = nn.ModuleList(Block(args, attend) for _ in range(args.num_layers))
        self.ln_f = nn.LayerNorm(h)
        self.head = Head(args, self.wte.weight)

    def forward(self, tokens):
        """tokens: [batch, this rank's stretch + 1]. Returns this rank's part of the mean loss in nats a token: the sum
        over the ranks that share the sequences is the mean over all of their tokens."""
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        batch, stretch = inputs.shape
        positions = self.rank * stretch + torch.arange(stretch, device=tokens.device)
        x = F.dropout(self.wte(inputs) + self.wpe(positions), self.args.hidden_dropout, self.training)
        random = self.args.hidden_dropout > 0 or self.args.attention_dropout > 0
        for block in self.blocks:
            # Reentrant: the recomputation is then an ordinary forward pass, which is what ZeRO-3's gather hooks expect.
            if self.args.checkpoint_activations:
                with self.kept:
                    x = checkpoint(block, x, use_reentrant=True, preserve_rng_state=random)
            else:
                x = block(x)
        return self.head(self.ln_f(x), targets) / (batch * self.args.seq_length)


def parameter_groups(model, weight_decay):
    """Megatron's rule: decay for matrices, none for biases and layer norms."""
    matrices, vectors = [], []
    for parameter in model.parameters():
        shape = getattr(parameter, "ds_shape", parameter.shape)  # ds_shape: before ZeRO-3 split it
        (matrices if len(shape) > 1 else vectors).append(parameter)
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def hardware_flops(args, vocab):
    """Floating point operations of one iteration of the whole job, as Megatron counts them: full s^2 attention,
    backward = 2 forward, and one more forward where activations are recomputed."""
    b, s, h, layers = args.global_batch_size, args.seq_length, args.hidden_size, args.num_layers
    forward_macs = b * layers * (12 * h * h * s + 2 * h * s * s) + b * vocab * h * s
    return 2 * forward_macs * (4 if args.checkpoint_activations else 3)
