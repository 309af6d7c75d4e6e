"""The section `superoffload` of the DeepSpeed JSON."""

from dataclasses import dataclass, fields

from . import KEY

OPTIMIZERS = ("published", "overlap")


@dataclass(frozen=True)
class Settings:
    """optimizer: "published" is DeepSpeed's own, "overlap" is this package's.
    subgroup_elements: how many elements are stepped and sent back together, at most; more where one
        parameter has more.
    speculation: the share of the optimizer's host memory that may be doubled, so that subgroups are stepped before the
        last gradient has shown that the step is good. 0: every subgroup waits for the end of the backward pass.
    adam_threads: threads of the CPU's Adam; 0: one for each of this rank's cores.
    pin_memory: whether the memory that gradients and weights cross in is registered with CUDA.
    """

    optimizer: str = "published"
    subgroup_elements: int = 1 << 25
    speculation: float = 0.5
    adam_threads: int = 0
    pin_memory: bool = True


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
    if values.get("optimizer", "published") not in OPTIMIZERS:
        faults.append(f"{KEY}.optimizer: expected one of {', '.join(OPTIMIZERS)}, found {values['optimizer']!r}")
    if not faults:
        settings = Settings(**values)
        if settings.subgroup_elements < 1:
            faults.append(f"{KEY}.subgroup_elements: expected 1 or more")
        if not 0 <= settings.speculation <= 1:
            faults.append(f"{KEY}.speculation: expected 0 to 1")
        if settings.adam_threads < 0:
            faults.append(f"{KEY}.adam_threads: expected 0 or more")
    if faults:
        raise ValueError("\n".join(faults))
    return settings
