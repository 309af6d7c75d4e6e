"""Host memory in its exact size for ZeRO's CPU offload, and ZeRO-2's offload without casts on the CPU.

Chosen in the JSON by `"superoffload": {"host_memory": "registered", "casts": "fused"}`, each for itself; ../settings.py
says what else can be set. Without that section nothing else is imported, and nothing is DeepSpeed's otherwise.
"""

import functools


def choose_host_memory(config):
    """Sets what `pin_memory` of the accelerator takes its blocks from, for a DeepSpeed JSON that was just read, and
    returns it: a RegisteredMemory, or None for DeepSpeed's own. Raises ValueError where the JSON asks for what ZeRO at
    its stage, or this DeepSpeed, cannot have."""
    try:
        from deepspeed.utils import pin_memory
    except ImportError:
        pin_memory = None
    else:
        pin_memory.chosen = None
    if "superoffload" not in config:
        return None
    from ..settings import read_settings

    settings = read_settings(config)
    stage = (config.get("zero_optimization") or {}).get("stage", 0)
    if settings.casts == "fused" and stage != 2:
        raise ValueError(f'superoffload.casts "fused" is for ZeRO-2 with its optimizer on the CPU, and this is stage '
                         f'{stage}; for ZeRO-3 set superoffload.optimizer to "overlap", which casts nothing on the CPU')
    if settings.host_memory == "published":
        return None
    if pin_memory is None:
        raise ValueError('superoffload.host_memory "registered" needs DeepSpeed 0.19.6 or later: before, there is no '
                         "one place where it pins memory")
    from .registered import process_memory

    pin_memory.chosen = process_memory()
    return pin_memory.chosen


def optimizer_class(default, config):
    """What makes the optimizer of ZeRO-1 and ZeRO-2: `default`, where the JSON (already read) asks for no other."""
    if not isinstance(config, dict) or "superoffload" not in config:
        return default
    from ..settings import read_settings

    settings = read_settings(config)
    if settings.optimizer == "overlap":
        raise ValueError('superoffload.optimizer "overlap" is for ZeRO-3; for ZeRO-2 set superoffload.casts to "fused"')
    if settings.casts == "published":
        return default
    if not hasattr(default, "_wait_for_offload_copies"):
        raise ValueError('superoffload.casts "fused" needs DeepSpeed 0.19.8 or later: before, ZeRO-2 does not say when its '
                         "copies of gradients are done")
    from .optimizer import FusedCastsOptimizer

    return functools.partial(FusedCastsOptimizer, settings=settings)
