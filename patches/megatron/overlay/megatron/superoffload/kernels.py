"""Turns off the fused kernels that cannot be had here, where Megatron would stop or start a compiler in vain."""

import importlib.util

from deepspeed.accelerator import get_accelerator
from torch.utils.cpp_extension import CUDA_HOME


def without_missing(args):
    """Changes args before the model is built. Each kernel left out is one line of rank 0."""
    if args.gradient_accumulation_fusion and importlib.util.find_spec("fused_weight_gradient_mlp_cuda") is None:
        args.gradient_accumulation_fusion = False
        say(args, "gradient accumulation fusion", "Apex was not built with fused_weight_gradient_mlp_cuda")
    if args.masked_softmax_fusion:
        flash = any(getattr(args, f"use_flash_attn_{kind}") for kind in ("v1", "v2", "triton", "builder"))
        cuda = get_accelerator().device_name() == "cuda"
        reason = "flash attention has no use for it" if flash else "no GPU" if not cuda else "no CUDA toolkit"
        if flash or not cuda or CUDA_HOME is None:
            args.masked_softmax_fusion = False
            say(args, "masked softmax fusion", reason)


def say(args, name, reason):
    if args.rank == 0:
        print(f"> without {name}: {reason}", flush=True)
