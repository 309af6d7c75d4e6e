"""Reads {name: {"config": ..., "ranks": N}} from stdin; prints {name: null or the error} as DeepSpeed itself sees it."""
import json
import os
import sys

os.environ.setdefault("DS_ACCELERATOR", "cpu")
OUT, sys.stdout = sys.stdout, sys.stderr
from deepspeed.runtime import config as runtime_config  # noqa: E402


class Ranks:
    """The data-parallel size that a real launch would have: DeepSpeed checks the batch against it."""

    def __init__(self, count):
        self.count = count

    def get_data_parallel_world_size(self):
        return self.count


runtime_config.dist.get_rank = lambda: 0  # one process, no process group


def verdict(entry):
    try:
        parsed = runtime_config.DeepSpeedConfig(entry["config"], mpu=Ranks(entry["ranks"]))
        return None if parsed.world_size == entry["ranks"] else "the ranks were not seen"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


json.dump({name: verdict(entry) for name, entry in json.load(sys.stdin).items()}, OUT)
