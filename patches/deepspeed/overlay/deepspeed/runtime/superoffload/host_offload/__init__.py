"""Host memory in its exact size for ZeRO's CPU offload, and ZeRO-2's offload without casts on the CPU.

Chosen in the JSON by `"superoffload": {"host_memory": "registered", "casts": "fused"}`, each for itself; ../settings.py
says what else can be set. Without that section nothing here runs, and nothing is imported.
"""

import functools


def choose_host_memory(config):
    """What `pin_memory` of the accelerator takes its blocks from: a RegisteredMemory, or None for DeepSpeed's own.
    Raises ValueError where the JSON asks for what ZeRO at its stage cannot have."""
    from ..settings import read_settings

    settings = read_settings(config)
    stage = (config.get("zero_optimization") or {}).get("stage", 0)
    if settings.casts == "fused" and stage != 2:
        raise ValueError(f'superoffload.casts "fused" is for ZeRO-2 with its optimizer on the CPU, and this is stage '
                         f'{stage}; for ZeRO-3 set superoffload.optimizer to "overlap", which casts nothing on the CPU')
    if settings.host_memory == "published":
        return None
    from .registered import process_memory

    return process_memory()


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
    from .optimizer import FusedCastsOptimizer

    return functools.partial(FusedCastsOptimizer, settings=settings)
