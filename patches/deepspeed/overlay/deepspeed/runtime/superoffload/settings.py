"""The section `superoffload` of the DeepSpeed JSON."""

from dataclasses import dataclass, fields

KEY = "superoffload"
CHOICES = {
    "optimizer": ("published", "overlap"),
    "host_memory": ("published", "registered"),
    "casts": ("published", "fused"),
}


@dataclass(frozen=True)
class Settings:
    """optimizer: "published" is DeepSpeed's own, "overlap" is the package overlap's (ZeRO-3).
    host_memory: "registered" gives ZeRO's CPU offload page-locked memory in the size that it asks for; "published" is
        PyTorch's, rounded up to a power of two.
    casts: "fused" leaves the casts of ZeRO-2's CPU offload to Adam itself: it reads 16-bit gradients and writes 16-bit
        weights. "published" is DeepSpeed's, with gradients in fp32.
    subgroup_elements: how many elements are stepped and sent back together, at most; more where one
        parameter has more.
    speculation: the share of the optimizer's host memory that may be doubled, so that subgroups are stepped before the
        last gradient has shown that the step is good. 0: every subgroup waits for the end of the backward pass.
    adam_threads: threads of the CPU's Adam; 0: one for each of this rank's cores.
    pin_memory: whether the memory that gradients and weights cross in is registered with CUDA.
    bind_threads: whether each thread of the CPU's Adam is bound to a core.
    copy_streams: whether copies have streams of their own, beside the one that computes.
    fused_casts: whether Adam reads and writes 16 bits in its one pass over memory; else separate casts on the CPU.
    early_return: whether weights return subgroup by subgroup; else all at the end. A weight returns when it has its
        gradient: a model that uses one detached as well, nearer to its inputs, reads the new one there in the backward
        pass. It needs false.
    early_forward: whether the next forward pass begins before all weights are back; for one rank. At 2B on an
        H200 one launch of each could not tell it from none (docs/performance.md).
    stall_seconds: how long Adam may do nothing before that is an error.
    """

    optimizer: str = "published"
    host_memory: str = "published"
    casts: str = "published"
    subgroup_elements: int = 1 << 25
    speculation: float = 0.5
    adam_threads: int = 0
    pin_memory: bool = True
    bind_threads: bool = True
    copy_streams: bool = True
    fused_casts: bool = True
    early_return: bool = True
    early_forward: bool = False
    stall_seconds: int = 30


def read_settings(config):
    """Settings of a DeepSpeed JSON. Raises ValueError that names every fault."""
    section = config.get(KEY, {})
    if not isinstance(section, dict):
        raise ValueError(f'{KEY}: expected an object such as {{"optimizer": "overlap"}}')
    types = {field.name: type(field.default) for field in fields(Settings)}
    faults = [f"{KEY}.{name}: unknown; known are {', '.join(types)}" for name in section if name not in types]
    values = {}
    for name, value in section.items():
        kind = types.get(name)
        if kind is float and type(value) is int or kind is int and type(value) is float and value == int(value):
            value = kind(value)
        if kind is not None and type(value) is not kind:
            faults.append(f"{KEY}.{name}: expected {kind.__name__}, found {value!r}")
        values[name] = value
    for name, choices in CHOICES.items():
        if values.get(name, "published") not in choices:
            faults.append(f"{KEY}.{name}: expected one of {', '.join(choices)}, found {values[name]!r}")
    if not faults:
        settings = Settings(**values)
        if settings.subgroup_elements < 1:
            faults.append(f"{KEY}.subgroup_elements: expected 1 or more")
        if not 0 <= settings.speculation <= 1:
            faults.append(f"{KEY}.speculation: expected 0 to 1")
        if settings.adam_threads < 0:
            faults.append(f"{KEY}.adam_threads: expected 0 or more")
        if settings.stall_seconds < 1:
            faults.append(f"{KEY}.stall_seconds: expected 1 or more")
    if faults:
        raise ValueError("\n".join(faults))
    return settings
