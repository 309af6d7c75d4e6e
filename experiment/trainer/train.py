"""Trains a small GPT on the DeepSpeed engine and prints Megatron's log line for every step.

One process, on whatever DeepSpeed finds (DS_ACCELERATOR=cpu forces the CPU):

    python train.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 64 --vocab-size 1000 \\
        --micro-batch-size 4 --global-batch-size 8 --train-iters 20 --bf16 --deepspeed_config ds_config.json

Four GPUs of one machine:

    deepspeed --num_gpus 4 --bind_cores_to_rank train.py ... --deepspeed_config ds_config.json
    torchrun --nproc-per-node 4 train.py ... --deepspeed_config ds_config.json

Any other launcher sets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT. The same model, data and schedule
on plain PyTorch AdamW, as a reference: --plain-adamw instead of --deepspeed_config.

The JSON decides everything about ZeRO, offload, clipping and precision; this script builds the optimizer. Names and
defaults of the arguments are Megatron's where Megatron has them.
"""

import argparse
import json
import math
import os
import platform
import socket
import threading
import time

import torch
import torch.distributed as dist

from data import MarkovChain, TokenFile
from model import GPT, hardware_flops, parameter_groups

GIB = 2**30


def parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    # Sizes. Batches in sequences: micro for one rank's forward pass, global for a step of all ranks.
    for name in ("num-layers", "hidden-size", "num-attention-heads", "seq-length", "micro-batch-size",
                 "global-batch-size", "train-iters"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--vocab-size", type=int, default=50257)
    parser.add_argument("--make-vocab-size-divisible-by", type=int, default=256)
    # Training
    for name, default in {"lr": 5e-5, "min-lr": 1e-5, "weight-decay": 0.1, "adam-beta1": 0.9, "adam-beta2": 0.95,
                          "adam-eps": 1e-8, "init-method-std": 0.006, "hidden-dropout": 0.0,
                          "attention-dropout": 0.0}.items():
        parser.add_argument(f"--{name}", type=float, default=default)
    parser.add_argument("--lr-decay-iters", type=int, help="default: --train-iters")
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--checkpoint-activations", action="store_true")
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument("--bf16", action="store_true")
    precision.add_argument("--fp16", action="store_true")
    # Data
    parser.add_argument("--data-path", help="PREFIX of PREFIX.bin and PREFIX.idx; default: a Markov chain")
    parser.add_argument("--markov-states", type=int, help="default: the padded vocabulary, at most 1024")
    # Run
    engine = parser.add_mutually_exclusive_group(required=True)
    engine.add_argument("--deepspeed_config")
    engine.add_argument("--plain-adamw", action="store_true", help="no DeepSpeed: one process, CPU, fp32")
    parser.add_argument("--clip-grad", type=float, default=0.0, help="for --plain-adamw; otherwise the JSON decides")
    parser.add_argument("--stop-file", help="end after the step in which this file appears")
    parser.add_argument("--local_rank", type=int, default=0, help="set by the deepspeed launcher")
    return parser.parse_args()


def check_arguments(args, vocab, world_size, ds_config):
    """All that can be known to be wrong before anything is built. The JSON and the arguments must agree on the batch:
    DeepSpeed is silent where they do not, and scales the loss by an accumulation that does not happen. It would guess
    batch sizes that the JSON leaves out, so they are written into ds_config."""
    faults = []
    if min(args.num_layers, args.hidden_size, args.num_attention_heads, args.seq_length, args.micro_batch_size,
           args.global_batch_size, args.train_iters) < 1:
        raise SystemExit("config error: layers, sizes, batches and iterations must be at least 1")
    if args.hidden_size % args.num_attention_heads:
        faults.append(f"--hidden-size {args.hidden_size} is not divisible by {args.num_attention_heads} heads")
    accumulation, rest = divmod(args.global_batch_size, args.micro_batch_size * world_size)
    if rest:
        faults.append(f"--global-batch-size {args.global_batch_size} is not divisible by --micro-batch-size "
                      f"{args.micro_batch_size} x {world_size} ranks")
    if args.markov_states is not None and not 2 <= args.markov_states <= vocab:
        faults.append(f"--markov-states {args.markov_states}: expected 2 to {vocab}, the padded vocabulary")
    if args.plain_adamw:
        if args.bf16 or args.fp16 or world_size > 1:
            faults.append("--plain-adamw is fp32 and one process")
    else:
        flags = {key: ds_config.get(key, {}).get("enabled", False) for key in ("bf16", "fp16")}
        batches = {"train_batch_size": args.global_batch_size, "gradient_accumulation_steps": accumulation,
                   "train_micro_batch_size_per_gpu": args.micro_batch_size}
        faults += [f"{args.deepspeed_config}: {key} is {found}, the arguments give {expected}"
                   for key, found, expected in
                   [(f"{key}.enabled", found, getattr(args, key)) for key, found in flags.items()]
                   + [(key, ds_config.get(key, expected), expected) for key, expected in batches.items()]
                   if found != expected]
        faults += [f"{args.deepspeed_config}: {key} is set, but this script has its own"
                   for key in ("optimizer", "scheduler") if key in ds_config]
        ds_config.update(batches)
    if faults:
        raise SystemExit("\n".join(f"config error: {fault}" for fault in faults))


def learning_rate(args, steps_done):
    """Cosine decay without warm-up, as Megatron's scheduler counts."""
    progress = min(1.0, steps_done / (args.lr_decay_iters or args.train_iters))
    return args.min_lr + 0.5 * (args.lr - args.min_lr) * (1 + math.cos(math.pi * progress))


class HostMemory(threading.Thread):
    """Peak host memory of this rank and its descendants (SuperOffload's worker is one).

    PSS divides each shared or pinned page by the number of its users, so the sum over ranks counts it once. Reading it
    walks the page tables, which takes a while when they are large: the pause grows with it, to stay under 5% of a core.
    (The kernel gives way to page faults while it walks, since Linux 5.10.)
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.pss, self.done, self.cgroup_at_start = 0, threading.Event(), self.cgroup_peak()

    def run(self):
        pause = 0.0
        while not self.done.wait(pause):
            start = time.monotonic()
            self.pss = max(self.pss, self.tree_pss(os.getpid()))
            pause = max(1.0, 20 * (time.monotonic() - start))

    def tree_pss(self, pid):
        total = 0
        try:
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                total += sum(1024 * int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as children:
                    total += sum(self.tree_pss(child) for child in children.read().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # A process or thread ended while we looked.
        return total

    def cgroup_peak(self):
        """Bytes, or 0 where there is no memory controller of cgroup v2."""
        with open("/proc/self/cgroup") as groups:
            path = next((line[3:].strip("/\n") for line in groups if line.startswith("0::")), "")
        try:
            with open(os.path.join("/sys/fs/cgroup", path, "memory.peak")) as peak:
                return int(peak.read())
        except FileNotFoundError:
            return 0

    def end(self):
        """Peaks of the run in bytes: PSS, cgroup. A cgroup's peak from before the run says nothing about it: 0."""
        self.done.set()
        self.join()
        peak = self.cgroup_peak()
        return max(self.pss, self.tree_pss(os.getpid())), peak if peak > self.cgroup_at_start else 0


def device_name(accelerator):
    if accelerator == "cuda":
        return torch.cuda.get_device_name()
    with open("/proc/cpuinfo") as cpus:  # aarch64 has no model name there
        names = (line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name"))
        return next(names, platform.machine())


def adam_threads(optimizer):
    """Threads of the CPU optimizer. SuperOffload's worker has its own cores and starts OpenMP there."""
    worker = getattr(optimizer, "superoffload_cpu_optimizer", None)
    if worker is None:
        return torch.get_num_threads()
    return os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(worker.cpuadam_process.pid))


def say(kind, fields):
    print(f" {kind} | " + " | ".join(f"{name}: {value}" for name, value in fields.items()) + " |", flush=True)


def main():
    args = parse_arguments()
    host_memory = HostMemory()
    host_memory.start()  # Before SuperOffload binds the main thread to a few cores: this one stays free.
    cores = len(os.sched_getaffinity(0))

    # Ranks
    rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    local_rank = int(os.environ.get("LOCAL_RANK", args.local_rank))
    vocab = math.ceil(args.vocab_size / args.make_vocab_size_divisible_by) * args.make_vocab_size_divisible_by
    ds_config = None
    if not args.plain_adamw:
        with open(args.deepspeed_config) as file:
            ds_config = json.load(file)
    check_arguments(args, vocab, world_size, ds_config)
    accumulation = args.global_batch_size // (args.micro_batch_size * world_size)

    # Device
    zero = (ds_config or {}).get("zero_optimization", {})
    offload = zero.get("offload_optimizer") or {}
    if args.plain_adamw:
        accelerator, device, synchronize = "cpu", torch.device("cpu"), lambda: None
    else:
        import deepspeed
        from deepspeed.accelerator import get_accelerator

        accelerator, synchronize = get_accelerator().device_name(), get_accelerator().synchronize
        get_accelerator().set_device(local_rank)
        device = torch.device(get_accelerator().device_name(local_rank))
        os.environ.setdefault("LOCAL_RANK", str(local_rank))
        if world_size == 1:  # port 0: any free one
            for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
                os.environ.setdefault(name, value)
        deepspeed.init_distributed(dist_backend=get_accelerator().communication_backend_name())

    # Model, made in its final precision where it will live: an fp32 copy would be the peak of the GPU's memory.
    torch.manual_seed(args.seed)
    dtype = torch.bfloat16 if args.bf16 else torch.float16 if args.fp16 else torch.float32
    torch.set_default_dtype(dtype)
    if zero.get("stage") == 3:
        with deepspeed.zero.Init(config_dict_or_path=ds_config):
            model = GPT(args, vocab)
    else:  # ZeRO 1 and 2 cannot take parameters that are already split.
        with device:
            model = GPT(args, vocab)
    torch.set_default_dtype(torch.float32)
    parameters = sum(getattr(p, "ds_numel", p.numel()) for p in model.parameters())

    # Optimizer
    groups = parameter_groups(model, args.weight_decay)
    adam = {"lr": args.lr, "betas": (args.adam_beta1, args.adam_beta2), "eps": args.adam_eps}
    cpu_optimizer = offload.get("device") in ("cpu", "nvme")
    if cpu_optimizer:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        optimizer = DeepSpeedCPUAdam(groups, adamw_mode=True, **adam)
    else:
        optimizer = torch.optim.AdamW(groups, fused=accelerator == "cuda", **adam)
    if args.plain_adamw:
        engine = model
    else:
        engine, optimizer, _, _ = deepspeed.initialize(model=model, optimizer=optimizer, config=ds_config)
    if hasattr(optimizer, "loss_scale_config"):  # 16 bit without ZeRO: FP16_UnfusedOptimizer makes Adam's state by a
        for state in optimizer.optimizer.state.values():  # step with zero gradients, and Adam counts that step.
            state["step"].zero_()

    # Data
    data = (TokenFile(args.data_path, args.seq_length, args.seed, vocab) if args.data_path else
            MarkovChain(args.markov_states or min(vocab, 1024), args.seq_length, args.seed))

    if rank == 0:
        say("run facts", {
            "world size": world_size, "parameters": parameters, "zero stage": zero.get("stage", 0),
            "dtype": "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32", "torch": torch.__version__,
            "cuda": torch.version.cuda or "none", "accelerator": accelerator, "device": device_name(accelerator),
            "deepspeed": "none" if args.plain_adamw else deepspeed.__version__, "cores": cores,
            "adam threads": adam_threads(optimizer) if cpu_optimizer else "none",
            "data": "file" if args.data_path else "markov",
            "data entropy (nats)": "none" if data.entropy is None else f"{data.entropy:.6f}",
            "attention": "sdpa", "super offload": str(bool(offload.get("super_offload"))).lower(),
        })

    # Training
    skipped_before = 0
    for iteration in range(1, args.train_iters + 1):
        synchronize()
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(args, iteration - 1)
        loss_sum = torch.zeros((), device=device)
        for micro_step in range(accumulation):
            first = ((iteration - 1) * accumulation + micro_step) * world_size + rank  # in units of micro-batches
            samples = range(first * args.micro_batch_size, (first + 1) * args.micro_batch_size)
            tokens = torch.stack([torch.from_numpy(data.sample(n)) for n in samples]).to(device)
            loss = engine(tokens)
            loss_sum += loss.detach()
            if args.plain_adamw:
                (loss / accumulation).backward()
            else:
                engine.backward(loss)  # divides by the accumulation itself
                engine.step()  # acts at the last micro-step
        if args.plain_adamw:
            if args.clip_grad:
                torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip_grad)
            optimizer.step()
            optimizer.zero_grad()
        synchronize()
        seconds = time.perf_counter() - start

        # One reduction tells every rank the mean loss, and whether rank 0 wants to stop.
        stop = rank == 0 and args.stop_file is not None and os.path.exists(args.stop_file)
        report = torch.stack([loss_sum.double() / (accumulation * world_size),
                              torch.tensor(float(stop), dtype=torch.float64, device=device)])
        if world_size > 1:
            dist.all_reduce(report)
        mean_loss, stop = report.tolist()

        if rank == 0:
            scaler = getattr(optimizer, "loss_scale_config", None)  # 16 bit without ZeRO
            scale = scaler.cur_scale if scaler else getattr(optimizer, "loss_scale", 1.0)
            skipped = getattr(engine, "skipped_steps", 0)
            samples_done, samples_per_second = iteration * args.global_batch_size, args.global_batch_size / seconds
            norm = None if args.plain_adamw else engine.get_global_grad_norm()
            say(f"iteration {iteration:8}/{args.train_iters:8}", {
                "consumed samples": f"{samples_done:12}", "consumed tokens": f"{samples_done * args.seq_length:12}",
                "elapsed time per iteration (ms)": f"{1000 * seconds:.3f}",
                "learning rate": f"{learning_rate(args, iteration):.3E}",  # as Megatron: after the scheduler's step
                "global batch size": f"{args.global_batch_size:5}", "lm loss": f"{mean_loss:.6E}",
                "loss scale": f"{scale:.1f}", **({} if norm is None else {"grad norm": f"{float(norm):.3f}"}),
                "actual seqlen": f"{args.seq_length:5}",
                "number of skipped iterations": f"{skipped - skipped_before:3}",
                "number of nan iterations": f"{not math.isfinite(mean_loss):3}",
                "samples per second": f"{samples_per_second:.3f}",
                "tokens per gpu per second (tgs)": f"{samples_per_second * args.seq_length / world_size:.3f}",
                "TFLOPs": f"{hardware_flops(args, vocab) / (seconds * world_size * 1e12):.4f}",
            })
            skipped_before = skipped
        if stop:
            break

    # Peak memory: the fullest GPU, the fullest host
    cuda = accelerator == "cuda"
    mine = (socket.gethostname(), *host_memory.end(),
            torch.cuda.max_memory_allocated() if cuda else 0, torch.cuda.max_memory_reserved() if cuda else 0)
    ranks = [mine] * world_size
    if world_size > 1:
        dist.all_gather_object(ranks, mine)
    hosts, pss, cgroup, allocated, reserved = zip(*ranks, strict=True)
    if rank == 0:
        pss_of_hosts = [sum(p for h, p in zip(hosts, pss, strict=True) if h == host) for host in hosts]
        host_peak = max(cgroup if all(cgroup) else pss_of_hosts)
        say("peak memory", {
            "gpu allocated (GiB)": f"{max(allocated) / GIB:.3f}" if cuda else "none",
            "gpu reserved (GiB)": f"{max(reserved) / GIB:.3f}" if cuda else "none",
            "host (GiB)": f"{host_peak / GIB:.3f}" if host_peak else "none",
            "host source": "cgroup" if all(cgroup) else "pss" if host_peak else "none",
        })

    # End
    if not args.plain_adamw:
        if hasattr(optimizer, "superoffload_cpu_optimizer"):
            optimizer.superoffload_cpu_optimizer.close()
        engine.destroy()
        dist.barrier()
        dist.destroy_process_group()
    if rank == 0:
        say("training finished", {"iterations": iteration})


if __name__ == "__main__":  # SuperOffload starts its worker by spawn, which imports this script again.
    main()
