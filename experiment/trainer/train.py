"""Trains a small GPT on the DeepSpeed engine and prints Megatron's log line for every step.

    python train.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 64 --vocab-size 1000 \\
        --micro-batch-size 4 --global-batch-size 8 --train-iters 20 --bf16 --deepspeed_config ds_config.json
    deepspeed --num_gpus 4 --bind_cores_to_rank train.py ...
    torchrun --nproc-per-node 4 train.py ...

DS_ACCELERATOR=cpu forces the CPU. The JSON decides everything about ZeRO, offload, clipping and precision; this script
builds the optimizer. Batches are in sequences: micro for one forward pass, global for a step of all ranks.

With --ds-sequence-parallel-size P, P neighbouring ranks share each sequence (DeepSpeed-Ulysses): every rank has 1/P of
its tokens, and in attention 1/P of the heads. --checkpoint-activations, --checkpoint-in-cpu and --loss-chunk keep the
memory of long sequences down: activations are recomputed from what lies in host memory, and logits are never whole.
"""

import json
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist

from arguments import check_arguments, check_offload_parts, parse_arguments
from data import MarkovChain, TokenFile
from machine import HostMemory, ask_cpu_once, device_name, fullest_host
from model import GPT, hardware_flops, parameter_groups
from timeline import Timeline


def learning_rate(args, steps_done):
    """Cosine decay without warm-up, as Megatron's scheduler counts."""
    cosine = math.cos(math.pi * steps_done / args.train_iters)
    return args.min_lr + 0.5 * (args.lr - args.min_lr) * (1 + cosine)


def say(kind, fields):
    print(f" {kind} | " + " | ".join(f"{name}: {value}" for name, value in fields.items()) + " |", flush=True)


def main():
    args = parse_arguments()
    host_memory = HostMemory()
    host_memory.start()  # Before SuperOffload binds the main thread to a few cores: this one stays free.
    cores = len(os.sched_getaffinity(0))
    rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    local_rank = int(os.environ.get("LOCAL_RANK", args.local_rank))
    vocab = math.ceil(args.vocab_size / args.make_vocab_size_divisible_by) * args.make_vocab_size_divisible_by
    ds_config = json.loads(Path(args.deepspeed_config).read_text())
    check_arguments(args, vocab, world_size, ds_config)
    sequence_ranks = args.ds_sequence_parallel_size
    data_ranks, stretch = world_size // sequence_ranks, args.seq_length // sequence_ranks
    data_rank, sequence_rank = divmod(rank, sequence_ranks)
    accumulation = ds_config["gradient_accumulation_steps"]
    zero = ds_config.get("zero_optimization", {})
    offload = zero.get("offload_optimizer") or {}
    cpu_optimizer = offload.get("device") in ("cpu", "nvme")
    if cpu_optimizer:
        ask_cpu_once()

    # Device
    import deepspeed  # not above: SuperOffload's worker imports this script too

    accelerator = deepspeed.accelerator.get_accelerator()
    if args.fp16 and not accelerator.is_fp16_supported():
        raise SystemExit(f"config error: --fp16: {device_name(False)} has no fp16 to compute with; use --bf16")
    cuda = accelerator.device_name() == "cuda"
    torch.backends.cuda.enable_math_sdp(not cuda)  # torch's last resort is the whole matrix of scores: better no run
    accelerator.set_device(local_rank)
    device = torch.device(accelerator.device_name(local_rank))
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    if world_size == 1:  # port 0: any free one
        for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
            os.environ.setdefault(name, value)
    deepspeed.init_distributed(dist_backend=accelerator.communication_backend_name())

    # Ranks that share a sequence. DeepSpeed averages gradients over the data ranks and adds them up over these; but
    # ZeRO-3 with its default reduce_scatter averages over all (0.19.8, stage3.py, __avg_scatter_grads).
    mpu, group = None, None
    averaged = sequence_ranks if zero.get("stage") == 3 and zero.get("reduce_scatter", True) else 1
    if sequence_ranks > 1:
        from deepspeed.runtime.sequence_parallel import parallel_state_sp as mpu

        mpu.initialize_sequence_parallel(sequence_ranks)
        group = mpu.get_sequence_parallel_group()

    # Model, made in its final precision where it will live: an fp32 copy would be the peak of the GPU's memory. Split
    # from the start for ZeRO-3 only: stages 1 and 2 cannot take it so.
    torch.manual_seed(args.seed)
    torch.set_default_dtype(torch.bfloat16 if args.bf16 else torch.float16 if args.fp16 else torch.float32)
    with deepspeed.zero.Init(config_dict_or_path=ds_config, mpu=mpu) if zero.get("stage") == 3 else device:
        model = GPT(args, vocab, group)
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(args.seed + rank)  # dropout is not the same on any two ranks
    parameters = sum(getattr(p, "ds_numel", p.numel()) for p in model.parameters())

    # Optimizer
    groups = parameter_groups(model, args.weight_decay)
    if cpu_optimizer:
        optimizer = deepspeed.ops.adam.DeepSpeedCPUAdam(groups, lr=args.lr, betas=(0.9, 0.95), adamw_mode=True)
    else:
        optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95), fused=cuda)
    engine, optimizer, _, _ = deepspeed.initialize(model=model, optimizer=optimizer, config=ds_config, mpu=mpu)
    if hasattr(optimizer, "loss_scale_config"):  # 16 bit without ZeRO: FP16_UnfusedOptimizer makes Adam's state by a
        for state in optimizer.optimizer.state.values():  # step with zero gradients, and Adam counts that step.
            state["step"].zero_()

    # Data
    if args.data_path:
        data = TokenFile(args.data_path, args.seq_length, args.seed, vocab)
    else:
        data = MarkovChain(args.markov_states or min(vocab, 1024), args.seq_length, args.seed)
    adam_threads = torch.get_num_threads() if cpu_optimizer else "none"
    worker = getattr(optimizer, "superoffload_cpu_optimizer", None)
    overlap = hasattr(optimizer, "stepper")  # patches/deepspeed: asked for in the JSON, and there where it is applied
    if overlap != (ds_config.get("superoffload", {}).get("optimizer") == "overlap"):
        raise SystemExit('config error: superoffload.optimizer is "overlap", but this DeepSpeed has no such optimizer, or '
                         "the JSON is not for ZeRO-3: see `superoffload patch`")
    memory_kind, casts = check_offload_parts(ds_config, optimizer, cpu_optimizer, overlap)
    if hasattr(optimizer, "adam"):  # a pool of its own, not PyTorch's
        adam_threads = optimizer.adam.threads
    elif worker is not None:  # It has its own cores and starts OpenMP there.
        adam_threads = os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(worker.cpuadam_process.pid))
    if rank == 0:
        say("run facts", {
            "world size": world_size, "data-parallel size": data_ranks, "sequence-parallel size": sequence_ranks,
            "parameters": parameters, "zero stage": zero.get("stage", 0),
            "dtype": "bf16" if args.bf16 else "fp16" if args.fp16 else "fp32", "torch": torch.__version__,
            "cuda": torch.version.cuda or "none", "accelerator": accelerator.device_name(),
            "device": device_name(cuda), "deepspeed": deepspeed.__version__, "cores": cores,
            "adam threads": adam_threads, "data": "file" if args.data_path else "markov",
            "data entropy (nats)": f"{data.entropy:.6f}" if data.entropy else "none",
            "attention": args.attention, "tied head": "true",
            "super offload": str(overlap or worker is not None).lower(),
            "offload optimizer": "overlap" if overlap else "published" if cpu_optimizer else "none",
            "host memory": memory_kind, "casts": casts,
        })

    # Training
    timeline = Timeline(cuda, rank)
    skipped_before = 0
    for iteration in range(1, args.train_iters + 1):
        accelerator.synchronize()
        timeline.begin(iteration, optimizer)
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(args, iteration - 1)
        loss_sum = torch.zeros((), device=device)
        for micro_step in range(accumulation):
            first = (((iteration - 1) * accumulation + micro_step) * data_ranks + data_rank) * args.micro_batch_size
            samples = [torch.from_numpy(data.sample(first + i)) for i in range(args.micro_batch_size)]
            # A token is the input at its place, and the target of the one before it: stretches overlap by one.
            tokens = torch.stack(samples)[:, sequence_rank * stretch : (sequence_rank + 1) * stretch + 1]
            with timeline.phase("forward"):
                loss = engine(tokens.to(device))
            loss_sum += loss.detach()
            with timeline.phase("backward"):
                engine.backward(loss * averaged)  # divides by the accumulation itself
            with timeline.phase("step"):
                engine.step()  # acts at the last micro-step
        accelerator.synchronize()
        seconds = time.perf_counter() - start
        timeline.end()
        # One reduction tells every rank the mean loss of all tokens, and whether rank 0 wants to stop.
        stop = rank == 0 and args.stop_file is not None and os.path.exists(args.stop_file)
        report = [loss_sum.item() / (accumulation * data_ranks), stop]
        report = torch.tensor(report, dtype=torch.float64, device=device)
        if world_size > 1:
            dist.all_reduce(report)
        mean_loss, stop = report.tolist()
        if rank == 0:
            scaler = getattr(optimizer, "loss_scale_config", None)  # 16 bit without ZeRO
            scale = scaler.cur_scale if scaler else getattr(optimizer, "loss_scale", 1.0)
            norm = engine.get_global_grad_norm()
            samples_done, rate = iteration * args.global_batch_size, args.global_batch_size / seconds
            skipped, skipped_before = engine.skipped_steps - skipped_before, engine.skipped_steps
            say(f"iteration {iteration:8}/{args.train_iters:8}", {
                "consumed samples": f"{samples_done:12}", "consumed tokens": f"{samples_done * args.seq_length:12}",
                "elapsed time per iteration (ms)": f"{1000 * seconds:.3f}",
                "learning rate": f"{learning_rate(args, iteration):.3E}",  # Megatron: after the scheduler's step
                "global batch size": f"{args.global_batch_size:5}", "lm loss": f"{mean_loss:.6E}",
                "loss scale": f"{scale:.1f}", **({} if norm is None else {"grad norm": f"{float(norm):.3f}"}),
                "actual seqlen": f"{args.seq_length:5}", "number of skipped iterations": f"{skipped:3}",
                "number of nan iterations": f"{not math.isfinite(mean_loss):3}", "samples per second": f"{rate:.3f}",
                "tokens per gpu per second (tgs)": f"{rate * args.seq_length / world_size:.3f}",
                "TFLOPs": f"{hardware_flops(args, vocab) / (seconds * world_size * 1e12):.4f}",
            })
        if stop:
            break

    # Peak memory: the fullest GPU, the fullest host. On the CPU, torch.cuda says 0.
    gpu_peaks = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    mine = (*gpu_peaks, host_memory.end())
    ranks = [mine] * world_size
    if world_size > 1:
        dist.all_gather_object(ranks, mine)
    allocated, reserved, host_ends = zip(*ranks, strict=True)
    if rank == 0:
        host_peak, source = fullest_host(host_ends)
        peaks = {"gpu allocated": max(allocated), "gpu reserved": max(reserved), "host": host_peak}
        say("peak memory", {
            **{f"{name} (GiB)": f"{peak / 2**30:.3f}" if peak else "none" for name, peak in peaks.items()},
            "host source": source if host_peak else "none",
        })

    if overlap and rank == 0:
        optimizer.settle()  # with superoffload.early_forward the last step may still be under way
        say("overlap counts", optimizer.stepper.counts)  # subgroups; steps, and how many of them waited for the norm

    # End
    if worker is not None:
        worker.close()
    engine.destroy()
    dist.barrier()
    dist.destroy_process_group()
    if rank == 0:
        say("training finished", {"iterations": iteration})


if __name__ == "__main__":  # SuperOffload starts its worker by spawn, which imports this script again.
    main()
