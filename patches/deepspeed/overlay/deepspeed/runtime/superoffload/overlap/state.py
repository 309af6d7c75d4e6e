"""Where the optimizer's state and the gradients lie: mixin of OverlapOptimizer_Stage3."""

from collections import Counter
from dataclasses import dataclass

import torch
from deepspeed import comm as dist
from deepspeed.accelerator import get_accelerator

from ..host_memory import HostMemory
from . import subgroups as rules
from .blocks import Blocks


@dataclass
class HostSubgroup:
    """See Stepper."""

    gradient: torch.Tensor
    copy: torch.Tensor
    target: torch.Tensor
    group: int
    norm: torch.Tensor
    steps: int = 0

    @property
    def returning(self):
        """Host memory in the format of the weights, which return from it. Where gradients are not needed again, theirs."""
        return self.gradient if self.copy is None else self.copy


class State:

    def _create_fp16_sub_groups(self, params_group):
        """At most `subgroup_elements` each, or as many as the largest parameter that there is more than one of: what
        layers repeat then goes into blocks that can rotate. The JSON's sub_group_size is not used."""
        sizes = [param.partition_numel() for param in params_group]
        repeated = [size for size, times in Counter(sizes).items() if times > 1]
        limit = max(self.settings.subgroup_elements, *repeated, 0)
        self.largest_turning = max(self.largest_turning, limit)
        return [[params_group[i] for i in run] for run in rules.cut(sizes, limit)]

    def _setup_for_real_optimizer(self):
        self._DeepSpeedZeroOptimizer_Stage3__param_id_to_grad_partition = {}
        self.grad_partitions_flat_buffer = None
        if self.contiguous_gradients and not self.resident:
            for dtype, bucket in self.ipg_buckets.items():
                device = get_accelerator().current_device_name()
                bucket.buffer = torch.empty(self.reduce_bucket_size, dtype=dtype, device=device)
        counts = self.fp16_partitioned_groups_flat_numel
        on_gpu = rules.kept(counts, self.partial_offload)
        self.host_indices = [i for i in range(len(counts)) if i not in on_gpu]
        device = get_accelerator()._name
        self.subgroup_to_device = {i: device if i in on_gpu else "cpu" for i in range(len(counts))}
        self._create_gradients()
        self._create_state()
        for param_group in self.optimizer.param_groups:  # filled only while states are saved and loaded
            param_group["params"] = []
        dist.barrier()

    def _create_state(self):
        counts, host = self.fp16_partitioned_groups_flat_numel, self.host_indices
        largest = min(self.largest_turning, max((counts[i] for i in host), default=0))
        rotating = rules.rotating({i: counts[i] for i in host}, largest)
        spare = int(self.settings.speculation * sum(counts[i] for i in rotating) / largest) if largest else 0
        self.blocks = Blocks({i: counts[i] for i in host}, rotating, largest, spare)
        for i, weights in enumerate(self.fp16_partitioned_groups_flat):
            if i in self.subgroups:
                param, *moments = self.blocks.state(i)
                # Through page-locked memory, then cast by many threads, which are also the first to touch the block:
                # straight from the GPU one thread of its driver would do both.
                weights = self.subgroups[i].returning.copy_(weights)
            else:
                param, *moments = (torch.empty(counts[i], device=weights.device) for _ in range(3))
            param.copy_(weights)
            for moment in moments:
                moment.zero_()
            flat = param.detach().requires_grad_(True)
            ids = self.fp16_partitioned_groups_flat_id[i]
            flat.ds_id = f"{ids[0]}_{ids[-1]}"
            self.fp32_partitioned_groups_flat.append(flat)
            self.optimizer.state[flat] = {"step": 0, "exp_avg": moments[0], "exp_avg_sq": moments[1]}
        self.next_swappable_fp32_partitioned_groups = [None] * len(counts)

    def _create_gradients(self):
        """In host memory a place for every gradient. Accumulated gradients wait on the GPU."""
        counts, host = self.fp16_partitioned_groups_flat_numel, self.host_indices
        accumulates = self.gradient_accumulation_steps > 1 or not self.managed
        format = self.gradient_accumulation_dtype if accumulates or not self.resident else self.dtype
        # A step that is done again at another scale needs its gradients; and weights return in their own format.
        in_gradients = self.clip_grad == 0 and format == self.dtype
        rooms = {i: -(-counts[i] // 64) * 64 for i in host}
        elements = sum(rooms.values())
        bytes_each = format.itemsize + (0 if in_gradients else self.dtype.itemsize)
        self.crossing = HostMemory(elements * bytes_each + 64 * 4 * (len(counts) + 1))
        if self.cuda and self.settings.pin_memory:
            self.crossing.zero()
            self.crossing.register("pin_memory to false")
        norms = self.crossing.tensor(torch.float32, elements * bytes_each, len(counts))
        self.subgroups, at = {}, 0
        for i in host:
            copy = None
            if not in_gradients:
                begin = elements * format.itemsize + at * self.dtype.itemsize
                copy = self.crossing.tensor(self.dtype, begin, counts[i])
            self.subgroups[i] = HostSubgroup(
                gradient=self.crossing.tensor(format, at * format.itemsize, counts[i]), copy=copy,
                target=self.fp16_partitioned_groups_flat[i], norm=norms[i], group=self.sub_group_to_group_id[i])
            at += rooms[i]
        for i, count in enumerate(counts):
            if accumulates or i not in self.subgroups:
                device = self.fp16_partitioned_groups_flat[i].device
                self.accumulated[i] = torch.zeros(count, dtype=format, device=device)

    def _state_moved(self, index):
        """The state of a subgroup lies in another block now: what others see must be that one."""
        state, flat = self.blocks.state(index), self._flat_fp32[index]
        flat.data = state.param
        seen = self.optimizer.state[flat]
        seen["step"], seen["exp_avg"], seen["exp_avg_sq"] = self.subgroups[index].steps, state.momentum, state.variance
