"""Drives patches/megatron's run.py without Megatron, on one of several gloo ranks: `check_run.py RUN_PY STORE END`.

STORE is a file that the ranks meet at; END is how the stand-in for Megatron's training ends: `return`, `exit`, `exit 3`
or `error`. Rank 0 makes the stop file that SUPEROFFLOAD_STOP_FILE names for it; the other ranks have no such variable.
"""

import importlib.util
import os
import sys
import time
import types

print(f"imported as {__name__}", flush=True)


def main():
    run_py, store, end = sys.argv[1:]
    import torch
    import torch.distributed as dist
    import torch.multiprocessing

    def training(*_):
        dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=int(os.environ["WORLD_SIZE"]))
        run.set_up([engine])
        print("steps", adam.state[0]["step"].item(), adam.param_groups, flush=True)
        print("stop before", run.stop_requested(), flush=True)
        if rank == 0:
            open(os.environ["SUPEROFFLOAD_STOP_FILE"], "w").close()
        dist.barrier()
        print("stop after", run.stop_requested(), flush=True)
        spawn("hidden")
        if end == "error":
            raise RuntimeError("training failed")
        if end != "return":
            sys.exit(int(end[5:]) if end[5:] else None)

    def spawn(name):
        print("spawn", name, flush=True)
        child = torch.multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
        child.start()
        child.join()
        print("child ended with", child.exitcode, flush=True)

    rank = int(os.environ["RANK"])
    args = types.SimpleNamespace(iteration=0, cpu_optimizer=True, use_flash_attn_v1=False, use_flash_attn_v2=False,
                                 use_flash_attn_triton=False, use_flash_attn_builder=False, masked_softmax_fusion=False)
    megatron = types.ModuleType("megatron")
    megatron.get_args, megatron.training = lambda: args, types.SimpleNamespace(pretrain=training)
    sys.modules["megatron"] = megatron
    spec = importlib.util.spec_from_file_location("run", run_py)
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    adam = types.SimpleNamespace(state={0: {"step": torch.ones(())}}, param_groups=[{"step": 1}, {}])
    optimizer = types.SimpleNamespace(optimizer=adam, loss_scale_config=None)  # as of 16 bit without ZeRO
    engine = types.SimpleNamespace(optimizer=optimizer, zero_optimization_stage=lambda: 2,
                                   destroy=lambda: print("engine destroyed", flush=True))
    spawn("plain")
    run.pretrain()
    print("process group left:", dist.is_initialized(), flush=True)


if __name__ == "__main__":
    main()
