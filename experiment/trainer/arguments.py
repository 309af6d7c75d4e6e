"""The arguments of train.py, and whether they, the DeepSpeed JSON and the DeepSpeed at hand agree."""

import argparse

from attention import KERNELS


def parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("num-layers", "hidden-size", "num-attention-heads", "seq-length", "micro-batch-size",
                 "global-batch-size", "train-iters"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name, default in {"vocab-size": 50257, "make-vocab-size-divisible-by": 256, "seed": 1234, "lr": 5e-5,
                          "min-lr": 1e-5, "weight-decay": 0.1, "init-method-std": 0.006, "hidden-dropout": 0.0,
                          "attention-dropout": 0.0, "ds-sequence-parallel-size": 1, "loss-chunk": 0}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    for name in ("checkpoint-activations", "checkpoint-in-cpu", "fp16-lm-cross-entropy", "bf16", "fp16"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--attention", choices=KERNELS, default="sdpa")
    parser.add_argument("--data-path", help="PREFIX of PREFIX.bin and PREFIX.idx; default: a Markov chain")
    parser.add_argument("--markov-states", type=int, help="default: the padded vocabulary, at most 1024")
    parser.add_argument("--deepspeed_config", required=True)
    parser.add_argument("--stop-file", help="end after the step in which this file appears")
    parser.add_argument("--local_rank", type=int, default=0, help="set by the deepspeed launcher")
    return parser.parse_args()


def check_arguments(args, vocab, world_size, ds_config):
    """Where JSON and arguments disagree on the batch, DeepSpeed silently scales the loss by an accumulation that does
    not happen. It would guess batch sizes that the JSON leaves out, so they are filled in here."""
    faults = []
    if args.hidden_size % args.num_attention_heads:
        faults.append(f"--hidden-size {args.hidden_size} is not divisible by {args.num_attention_heads} heads")
    if args.markov_states is not None and not 2 <= args.markov_states <= vocab:
        faults.append(f"--markov-states {args.markov_states}: expected 2 to {vocab}, the padded vocabulary")
    if args.checkpoint_in_cpu and not args.checkpoint_activations:
        faults.append("--checkpoint-in-cpu moves what --checkpoint-activations keeps, and that is not given")
    if args.fp16_lm_cross_entropy and not (args.bf16 or args.fp16):
        faults.append("--fp16-lm-cross-entropy is for the 16 bits of --bf16 or --fp16")
    if args.loss_chunk < 0:
        faults.append(f"--loss-chunk {args.loss_chunk}: expected a number of tokens, or 0 for all at once")
    sequence_ranks = args.ds_sequence_parallel_size
    shared = {"ranks": world_size, "--num-attention-heads": args.num_attention_heads, "--seq-length": args.seq_length}
    if sequence_ranks < 1:
        faults.append(f"--ds-sequence-parallel-size {sequence_ranks}: expected 1 or more")
    faults += [f"--ds-sequence-parallel-size {sequence_ranks} does not divide the {number} {name}"
               for name, number in shared.items() if sequence_ranks > 0 and number % sequence_ranks]
    data_ranks = max(1, world_size // max(1, sequence_ranks))
    accumulation, rest = divmod(args.global_batch_size, args.micro_batch_size * data_ranks)
    if rest:
        faults.append(f"--global-batch-size is not divisible by --micro-batch-size x {data_ranks} ranks: {rest} left")
    batches = {"train_batch_size": args.global_batch_size, "gradient_accumulation_steps": accumulation,
               "train_micro_batch_size_per_gpu": args.micro_batch_size}
    pairs = {key: (ds_config.setdefault(key, expected), expected) for key, expected in batches.items()}
    for key in ("bf16", "fp16"):
        pairs[f"{key}.enabled"] = (ds_config.get(key, {}).get("enabled", False), getattr(args, key))
    faults += [f"{args.deepspeed_config}: {key} is {found}, the arguments give {expected}"
               for key, (found, expected) in pairs.items() if found != expected]
    faults += [f"{args.deepspeed_config}: {key} is set, but this script has its own"
               for key in ("optimizer", "scheduler") if key in ds_config]
    if faults:
        raise SystemExit("\n".join(f"config error: {fault}" for fault in faults))


def check_offload_parts(ds_config, optimizer, cpu_optimizer, overlap):
    """Where the optimizer's pinned memory comes from, and who casts. What the JSON asks for must be there: DeepSpeed
    without this project's patches trains on without a word."""
    try:
        from deepspeed.utils import pin_memory
    except ImportError:  # before DeepSpeed 0.19.6
        pin_memory = None

    asked = ds_config.get("superoffload", {})
    parts = {"host_memory": ("registered", getattr(pin_memory, "chosen", None) is not None),
             "casts": ("fused", getattr(optimizer, "casts", None) == "fused")}
    missing = {key: name for key, (name, there) in parts.items() if asked.get(key) == name and not there}
    faults = [f'config error: superoffload.{key} is "{name}", but this DeepSpeed has no such thing: '
              "see `superoffload patch`" for key, name in missing.items()]
    if faults:
        raise SystemExit("\n".join(faults))
    if overlap:  # has its own of both
        return tuple(name if asked.get(key, True) else "published"
                     for key, name in (("pin_memory", "registered"), ("fused_casts", "fused")))
    if not cpu_optimizer:
        return "none", "none"
    return tuple(name if there else "published" for name, there in parts.values())
