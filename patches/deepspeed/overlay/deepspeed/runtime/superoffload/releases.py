"""What releases of DeepSpeed from 0.18.0 on do in different ways. The newest way is the one that is used elsewhere."""

from deepspeed import comm as dist


def at_boundary(optimizer):
    """Whether the micro-step ends a step. A method since 0.19.5; before, the engine sets an attribute."""
    boundary = optimizer.is_gradient_accumulation_boundary
    return boundary() if callable(boundary) else boundary


class Stage3Fallbacks:
    """Comes after ZeRO-3's own class, and so counts where that has no such member."""

    _coalesce_grad_reduction = False  # before 0.19.1

    def _get_param_partition_rank(self, param):  # before 0.19.3
        return dist.get_rank(self.dp_process_group)

    def clear_backward_seen_flag(self):  # before 0.18.5
        pass
