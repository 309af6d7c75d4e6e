"""An optimizer for ZeRO-3 whose Adam runs on the CPU while copies cross the link both ways and the GPU goes on.

It takes the place of SuperOffload's where the JSON has, at its top level, `"superoffload": {"optimizer": "overlap"}`.
../settings.py says what else can be set. Nothing here runs, and nothing is imported, without that key.
"""


def optimizer_class(default, config):
    """The optimizer class for a DeepSpeed JSON (already read): `default`, where nothing asks for this package's."""
    if not isinstance(config, dict) or "superoffload" not in config:
        return default
    from ..settings import read_settings

    settings = read_settings(config)
    if settings.optimizer == "published":
        return default
    from .optimizer import OverlapOptimizer_Stage3

    return OverlapOptimizer_Stage3
