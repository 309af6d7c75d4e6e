"""train.py with the published SuperOffload on the CPU accelerator, where DeepSpeed 0.19.8 refuses it: "SuperOffload only
supports NVIDIA CUDA GPUs", and then lacks a stream to wait for. The worker process, its queues and shared memory are the
real ones. Its spawned worker imports this file, and with it train.py, as it does on a GPU.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[2] / "experiment" / "trainer"))
import train  # noqa: E402

if __name__ == "__main__":
    import torch
    from deepspeed.accelerator import get_accelerator
    from deepspeed.runtime.superoffload import superoffload_stage3

    superoffload_stage3._validate_superoffload_accelerator = lambda: None
    type(get_accelerator()).current_stream = lambda *_: SimpleNamespace(synchronize=lambda: None)
    train.main()
    print("copy_ is PyTorch's:", "copy_" not in vars(torch.Tensor))
