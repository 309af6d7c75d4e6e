"""ZeRO-3 with its optimizer on the CPU, whose Adam runs while gradients arrive and weights return."""

import math
import os
from collections import Counter
from dataclasses import dataclass

import torch
from deepspeed import comm as dist
from deepspeed.accelerator import get_accelerator
from deepspeed.runtime.zero.partition_parameters import ZeroParamStatus
from deepspeed.runtime.zero.stage3 import DeepSpeedZeroOptimizer_Stage3

from ..settings import read_settings
from .adam import Adam
from .blocks import Blocks
from .host_memory import HostMemory
from .link import CudaLink, HostLink
from .stepper import Stepper


@dataclass
class HostSubgroup:
    """See Stepper."""

    gradient: torch.Tensor
    copy: torch.Tensor
    target: torch.Tensor
    group: dict
    norm: torch.Tensor
    steps: int = 0


class OverlapOptimizer_Stage3(DeepSpeedZeroOptimizer_Stage3):

    def __init__(self, module, init_optimizer, param_names, timers, ds_config, **kwargs):
        self.settings = read_settings(ds_config)
        self.cuda = get_accelerator().device_name() == "cuda"
        self._refuse(init_optimizer, kwargs)
        self.resident = dist.get_world_size(group=kwargs.get("dp_process_group")) == 1
        self._pieces, self._received, self._submitted = {}, set(), set()
        self._micro_step, self.accumulated, self.largest_turning = 0, {}, 0
        self.link = CudaLink() if self.cuda else HostLink()
        super().__init__(module, init_optimizer, param_names, timers, ds_config, **kwargs)
        if self.torch_autocast_gradscaler is not None:
            raise ValueError('superoffload.optimizer "overlap" does not work with torch_autocast in fp16')
        if self.resident:
            self._keep_weights()
        self._start_stepper()

    def _refuse(self, optimizer, options):
        """What this optimizer does not do must not be done silently in another way."""
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        offload, parameters = options.get("offload_optimizer_config"), options.get("offload_param_config")
        mpu = options.get("mpu")
        checks = {
            "an optimizer that is not DeepSpeedCPUAdam": type(optimizer) is not DeepSpeedCPUAdam,
            "DeepSpeedCPUAdam(fp32_optimizer_states=False)": not getattr(optimizer, "fp32_optimizer_states", True),
            "offload_optimizer.device other than cpu": getattr(offload, "device", None) != "cpu",
            "offload_param": getattr(parameters, "device", "none") not in ("none", None),
            "zenflow": options.get("zenflow_config") is not None,
            "zero_hpz_partition_size": options.get("zero_hpz_partition_size", 1) > 1,
            "zero_quantized_weights": bool(options.get("zero_quantized_weights")),
            "16-bit master weights": bool(options.get("fp16_master_weights_and_gradients")
                                          or options.get("bf16_master_weights_and_gradients")),
            "tensor parallelism": mpu is not None and not hasattr(mpu, "initialize_sequence_parallel"),
        }
        found = [name for name, is_so in checks.items() if is_so]
        if found:
            raise ValueError(f'superoffload.optimizer "overlap" does not work with {", ".join(found)}')

    # Memory

    def _create_fp16_sub_groups(self, params_group):
        """At most `subgroup_elements` each, or as many as the largest parameter that there is more than one of: what
        layers repeat then goes into blocks that can rotate. The JSON's sub_group_size is not used."""
        sizes = [param.partition_numel() for param in params_group]
        repeated = [size for size, times in Counter(sizes).items() if times > 1]
        limit = max(self.settings.subgroup_elements, *repeated, 0)
        self.largest_turning = max(self.largest_turning, limit)
        groups, count = [[]], 0
        for param, size in zip(params_group, sizes):
            if groups[-1] and count + size > limit:
                groups.append([])
                count = 0
            groups[-1].append(param)
            count += size
        return groups

    def _setup_for_real_optimizer(self):
        self._DeepSpeedZeroOptimizer_Stage3__param_id_to_grad_partition = {}
        self.grad_partitions_flat_buffer = None
        if self.contiguous_gradients and not self.resident:
            for dtype, bucket in self.ipg_buckets.items():
                device = get_accelerator().current_device_name()
                bucket.buffer = torch.empty(self.reduce_bucket_size, dtype=dtype, device=device)
        counts = self.fp16_partitioned_groups_flat_numel
        on_gpu, bound = 0, (1 - self.partial_offload) * sum(counts)
        self.host_indices, self.subgroup_to_device = [], {}
        for i, count in enumerate(counts):  # on the GPU are the first: their gradients come last
            on_gpu += count
            if on_gpu > bound:
                self.host_indices.append(i)
            self.subgroup_to_device[i] = get_accelerator()._name if on_gpu <= bound else "cpu"
        self._create_state()
        self._create_gradients()
        for param_group in self.optimizer.param_groups:  # filled only while states are saved and loaded
            param_group["params"] = []
        dist.barrier()

    def _create_state(self):
        counts, host = self.fp16_partitioned_groups_flat_numel, self.host_indices
        largest = min(self.largest_turning, max((counts[i] for i in host), default=0))
        turning = sum(counts[i] for i in host if counts[i] <= largest)
        spare = int(self.settings.speculation * turning / largest) if largest else 0
        self.blocks = Blocks({i: counts[i] for i in host}, largest, spare)
        for i, weights in enumerate(self.fp16_partitioned_groups_flat):
            if i in self.blocks.held:
                param, *moments = self.blocks.state(i)
            else:
                param, *moments = (torch.empty(counts[i], device=weights.device) for _ in range(3))
            param.copy_(weights.float())  # cast where the weights are
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
        accumulates = self.gradient_accumulation_steps > 1
        format = self.gradient_accumulation_dtype if accumulates or not self.resident else self.dtype
        # A step that is done again at another scale needs its gradients; and weights return in their own format.
        in_gradients = self.clip_grad == 0 and format == self.dtype
        rooms = {i: -(-counts[i] // 64) * 64 for i in host}
        elements = sum(rooms.values())
        bytes_each = format.itemsize + (0 if in_gradients else self.dtype.itemsize)
        register = self.cuda and self.settings.pin_memory
        self.crossing = HostMemory(elements * bytes_each + 64 * 4 * (len(counts) + 1), register)
        norms = self.crossing.tensor(torch.float32, elements * bytes_each, len(counts))
        self.subgroups, at = {}, 0
        for i in host:
            copy = None
            if not in_gradients:
                begin = elements * format.itemsize + at * self.dtype.itemsize
                copy = self.crossing.tensor(self.dtype, begin, counts[i])
            self.subgroups[i] = HostSubgroup(
                gradient=self.crossing.tensor(format, at * format.itemsize, counts[i]), copy=copy,
                target=self.fp16_partitioned_groups_flat[i], norm=norms[i],
                group=self.optimizer.param_groups[self.sub_group_to_group_id[i]])
            at += rooms[i]
        for i, count in enumerate(counts):
            if accumulates or i not in self.subgroups:
                device = self.fp16_partitioned_groups_flat[i].device
                self.accumulated[i] = torch.zeros(count, dtype=format, device=device)

    def _start_stepper(self):
        cores = sorted(os.sched_getaffinity(0))
        ranks, rank = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
        if 1 < ranks <= len(cores) and len(cores) == os.cpu_count():  # nobody gave each rank its own
            share = len(cores) // ranks
            cores = cores[rank * share : (rank + 1) * share]
        # On all cores: Python's threads need theirs only while gradients are few. Measured at 2B on 16 cores: 0.53 s a
        # step with 16 threads, 0.57 with 14.
        self.adam = Adam(self.settings.adam_threads or len(cores), cores)
        device = get_accelerator().current_device() if self.cuda else None
        self.stepper = Stepper(self.blocks, self.link, self.adam, self.optimizer.adam_w_mode, self.subgroups,
                               self._state_moved, device)

    def _state_moved(self, index):
        """The state of a subgroup lies in another block now: what others see must be that one."""
        state, flat = self.blocks.state(index), self.fp32_partitioned_groups_flat[index]
        flat.data = state.param
        seen = self.optimizer.state[flat]
        seen["step"], seen["exp_avg"], seen["exp_avg_sq"] = self.subgroups[index].steps, state.momentum, state.variance

    # Weights that stay where they are: with one rank a partition is the whole

    def _keep_weights(self):
        self.parameter_offload._remove_module_hooks()
        self._make_resident()
        self.module.register_forward_pre_hook(lambda *_: self._make_resident())

    def _make_resident(self):
        for group in self.fp16_groups:
            for param in group:
                if param.ds_status != ZeroParamStatus.AVAILABLE:
                    param.data = param.ds_tensor.data.view(param.ds_shape)
                    param.ds_status = ZeroParamStatus.AVAILABLE

    def checkpoint_event_epilogue(self):
        super().checkpoint_event_epilogue()
        if self.resident:
            self._make_resident()

    # Gradients

    def reduce_ready_partitions_and_remove_grads(self, param):
        if not self.resident:
            return super().reduce_ready_partitions_and_remove_grads(param)
        if getattr(param, "ds_grad_is_ready", True):
            self._take(param, param.grad.reshape(-1))
            param.grad = None

    @torch.no_grad()
    def partition_grads(self, params_to_release, grad_partitions):
        for param, partition in zip(params_to_release, grad_partitions):
            if param.partition_numel() * self._get_param_partition_rank(param) < param.ds_numel:
                self._take(param, partition.reshape(-1))
            param.grad = None

    @torch.no_grad()
    def _take(self, param, gradient):
        i, offset, _ = self.grad_position[self.get_param_id(param)]
        if i in self._submitted:
            raise RuntimeError("superoffload: a parameter got a second gradient in one backward pass, after its first "
                               "was used already")
        if self._micro_step != self.micro_step_id:
            self._micro_step = self.micro_step_id
            self._pieces.clear()
        pieces = self._pieces.setdefault(i, {})
        if i in self.accumulated:
            place = self.accumulated[i][offset : offset + gradient.numel()]
            if (i, offset) in self._received:
                place.add_(gradient)
            else:
                place.copy_(gradient)
            gradient = place
        elif offset in pieces:
            gradient = pieces[offset] + gradient
        self._received.add((i, offset))
        pieces[offset] = gradient
        if self.is_gradient_accumulation_boundary() and len(pieces) == len(self.fp16_groups[i]):
            self._submit(i)

    def _submit(self, i):
        """All gradients of a subgroup are there: they go to the host. What got none counts as zero."""
        self._submitted.add(i)
        pieces = self._pieces.pop(i, {})
        if i not in self.subgroups:
            return
        if i in self.accumulated:
            pieces = [self.accumulated[i]]
        else:
            pieces = self._with_zeros(i, pieces)
        event = self.link.fetch(pieces, self.subgroups[i].gradient, self.subgroups[i].norm)
        self.stepper.submit(i, event, 1.0 / self.loss_scale)
        self._last_fetch = event

    def _with_zeros(self, i, pieces):
        """The gradients of a subgroup in its order, each in its full (padded) length."""
        ordered = []
        for param in self.fp16_groups[i]:
            _, offset, count = self.grad_position[self.get_param_id(param)]
            piece = pieces.get(offset)
            if piece is None:
                piece = torch.zeros(count, dtype=self.dtype, device=self.fp16_partitioned_groups_flat[i].device)
            elif piece.numel() < count:
                piece = torch.cat([piece, piece.new_zeros(count - piece.numel())])
            ordered.append(piece)
        return ordered

    # The step

    @torch.no_grad()
    def step(self, closure=None):
        self._pre_step()
        if not self.resident:
            self._partition_all_parameters()
        for i in range(len(self.fp16_groups)):
            if i not in self._submitted:
                self._drop_stale(i)
                self._submit(i)
        norm = self._norm()
        self.overflow = not math.isfinite(norm)
        scale_of_step = self.loss_scale
        self._loss_scale_update_and_overflow_cleanup()
        if self.overflow:
            self.stepper.decide(None)
        else:
            self._global_grad_norm = torch.tensor(norm / scale_of_step)
            over = max(1.0, (norm / scale_of_step + 1e-6) / self.clip_grad) if self.clip_grad > 0 else 1.0
            scale = 1.0 / (scale_of_step * over)
            self.stepper.decide(scale, over > 1)
            self._step_on_gpu(scale)
        self.link.after(self.stepper.wait())
        for record in (self._submitted, self._pieces, self._received):
            record.clear()
        self._post_step(set())

    def _drop_stale(self, i):
        """Where a parameter got no gradient in any micro-step, what is accumulated for it is of an earlier step."""
        if i not in self.accumulated:
            return
        for param in self.fp16_groups[i]:
            _, offset, count = self.grad_position[self.get_param_id(param)]
            if (i, offset) not in self._received:
                self.accumulated[i][offset : offset + count].zero_()

    def _norm(self):
        """The norm of all gradients of all ranks, still times the loss scale. Waits for the backward pass."""
        if self.subgroups:
            self.link.wait(self._last_fetch)
        squares = sum(float(s.norm) ** 2 for s in self.subgroups.values())
        for i, gradient in self.accumulated.items():
            if i not in self.subgroups:
                squares += float(torch.linalg.vector_norm(gradient, dtype=torch.float32)) ** 2
        if not self.resident:
            total = torch.tensor([squares], dtype=torch.float64, device=get_accelerator().current_device_name())
            dist.all_reduce(total, group=self.dp_process_group)
            squares = total.item()
        return math.sqrt(squares) if squares == squares else math.nan

    def _step_on_gpu(self, scale):
        step_of = torch._fused_adamw_ if self.optimizer.adam_w_mode else torch._fused_adam_
        for i, gradient in self.accumulated.items():
            if i in self.subgroups:
                continue
            flat = self.fp32_partitioned_groups_flat[i]
            group, state = self.optimizer.param_groups[self.sub_group_to_group_id[i]], self.optimizer.state[flat]
            state["step"] += 1
            count = torch.tensor(float(state["step"]), device=flat.device)
            beta1, beta2 = group["betas"]
            step_of([flat.data], [gradient.float().mul_(scale)], [state["exp_avg"]], [state["exp_avg_sq"]], [], [count],
                    lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"], eps=group["eps"],
                    amsgrad=False, maximize=False)
            self.fp16_partitioned_groups_flat[i].copy_(flat.data)

    # What others may ask of a ZeRO-3 optimizer

    def _get_fp32_grad_state_partition(self, param, release_swap_buffers):
        raise RuntimeError("superoffload: the overlap optimizer keeps no fp32 gradients")

    def get_fp32_grad_partitions(self):
        raise RuntimeError("superoffload: the overlap optimizer keeps no fp32 gradients")

    def offload_states(self, *args, **options):
        raise RuntimeError("superoffload: the overlap optimizer's states cannot be moved elsewhere")

    # Checkpoints

    def _rigid_load_state_dict(self, state_dict, load_optimizer_states=True):
        super()._rigid_load_state_dict(state_dict, load_optimizer_states)
        for i, flat in enumerate(self.fp32_partitioned_groups_flat):
            state = self.optimizer.state[flat]
            if i in self.subgroups:
                _, momentum, variance = self.blocks.state(i)
                momentum.copy_(state["exp_avg"])
                variance.copy_(state["exp_avg_sq"])
                self.subgroups[i].steps = int(state["step"])
                self.subgroups[i].group = self.optimizer.param_groups[self.sub_group_to_group_id[i]]
                self._state_moved(i)
        self.stepper.groups = self.optimizer.param_groups

    def destroy(self):
        self.stepper.close()
        self.adam.close()
        super().destroy()
        self.crossing.close()
        self.blocks.close()
