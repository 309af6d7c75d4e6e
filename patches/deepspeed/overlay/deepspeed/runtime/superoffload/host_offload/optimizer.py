"""ZeRO-2 with its optimizer on the CPU and no cast there: gradients come and weights go in 16 bits, in one buffer."""

import time

import torch
from deepspeed import comm as dist
from deepspeed.accelerator import get_accelerator
from deepspeed.runtime.utils import all_gather_dp_groups, is_invalid_grad_norm
from deepspeed.runtime.zero.stage_1_and_2 import (INITIAL_MICRO_STEP_ID, OPTIMIZER_ALLGATHER_TIMER,
                                                  OPTIMIZER_STEP_TIMER, DeepSpeedZeroOptimizer)
from deepspeed.runtime.zero.utils import get_norm_dtype

from ..overlap.adam import Adam
from ..overlap.threads import cores_of_rank
from ..refusals import refuse


class FusedCastsOptimizer(DeepSpeedZeroOptimizer):
    """Differs from DeepSpeed's in where a gradient lies on the host: not in fp32 beside the weights' 16-bit buffer, but
    in that buffer, in its own 16 bits. Adam reads it there, scales it, and writes the new weights over it."""

    casts = "fused"

    def __init__(self, init_optimizer, *arguments, settings, **options):
        refuse('casts "fused"', init_optimizer, options, {
            "ZeRO-1": not options.get("partition_grads", True),
            "mixtures of experts": bool(options.get("has_moe_layers")),
        })
        self._received = set()  # parameters whose gradient of this step is in the buffer, whole or in part
        self.journal = None  # a list here gets what was done when, in seconds of perf_counter
        super().__init__(init_optimizer, *arguments, **options)
        if self.torch_autocast_gradscaler is not None:
            raise ValueError('superoffload.casts "fused" does not work with torch_autocast in fp16')
        if self.gradient_accumulation_dtype != self.dtype:
            raise ValueError('superoffload.casts "fused" adds gradients up in the format of the weights, '
                             f"{self.dtype}, not in {self.gradient_accumulation_dtype}: leave "
                             "data_types.grad_accum_dtype out")
        cores, threads = cores_of_rank()
        self.adam = Adam(settings.adam_threads or threads, cores if settings.bind_threads else ())

    # Memory

    def initialize_optimizer_states(self):
        """No fp32 gradients. What DeepSpeed made for the weights' way back is what gradients arrive in."""
        self.crossing = self.param_buffer_of_bit16_for_cpu_offload_groups

    def _place(self, param):
        """Where the gradient lies on the host, and which of its elements are this rank's."""
        i, source_offset, offset, count = self.grad_position[self.get_param_id(param)]
        return self.crossing[i].narrow(0, offset, count), source_offset

    def _get_offload_gradient_dict(self):
        """What safe_get_full_grad reads between the backward pass and the step."""
        for i, params in enumerate(self.params_in_partition):
            self.offload_gradient_dict[i] = [self._place(param)[0] for param in params]

    # Gradients

    def async_accumulate_grad_in_cpu_via_gpu(self, param):
        """Adds what earlier micro-steps left on the host to this one's gradient, on the accelerator and in 16 bits, as
        DeepSpeed does, and leaves the sum on the host again unless it goes there anyway."""
        if self._offload_gradient_safety_enabled:
            self._wait_for_offload_copies()
        place, offset = self._place(param)
        gradient = param.grad
        mine = gradient.view(-1).narrow(0, offset, place.numel())
        if self.get_param_id(param) in self._received:
            before = self.temp_grad_buffer_for_gpu_offload.narrow(0, 0, place.numel())
            before.copy_(place, non_blocking=True)
            mine.add_(before)
        if not self.is_gradient_accumulation_boundary():
            self._send(param, mine, gradient)

    def async_inplace_copy_grad_to_fp32_buffer_from_gpu(self, param):
        """In 16 bits: the name is DeepSpeed's."""
        place, offset = self._place(param)
        self._send(param, param.grad.view(-1).narrow(0, offset, place.numel()), param.grad)
        self.clear_grad_attribute(param)

    def _send(self, param, mine, gradient):
        place, _ = self._place(param)
        stream = get_accelerator().current_stream()
        for producer, event in self._pending_offload_events.items():
            if producer != stream:  # it may still write to this place
                stream.wait_event(event)
        place.copy_(mine, non_blocking=True)
        self._received.add(self.get_param_id(param))
        self._record_gradient_stream(gradient, stream)
        self._record_offload_copy()

    def _restore_cpu_offload_grad_to_gpu(self, param):
        """For loops that call step() when they like: what was added up is needed on the accelerator once more."""
        if self._offload_gradient_safety_enabled:
            self._wait_for_offload_copies()
        place, offset = self._place(param)
        whole = torch.zeros(param.numel(), dtype=param.dtype, device=param.device)
        whole.narrow(0, offset, place.numel()).copy_(place, non_blocking=True)
        param.grad = whole.view_as(param)

    def independent_gradient_partition_epilogue(self):
        super().independent_gradient_partition_epilogue()
        if self.is_gradient_accumulation_boundary():
            self._complete()

    def _complete(self):
        """Makes the buffer whole. In the place of a parameter without a gradient are weights of the last step: its
        gradient is zero. Where the last micro-step brought none, what the ones before brought counts."""
        unseen = [param for params in self.params_in_partition for param in params
                  if self.get_param_id(param) not in self.norm_for_param_grads]
        if unseen:
            self._wait_for_offload_copies()
        for param in unseen:
            place, number = self._place(param)[0], self.get_param_id(param)
            if number in self._received:
                self.norm_for_param_grads[number] = place.to(get_norm_dtype()).norm(2)
                self.update_offload_overflow_tracker(place)
            else:
                place.zero_()
                self._received.add(number)

    # The step

    @torch.no_grad()
    def step(self, closure=None):
        self.micro_step_id = INITIAL_MICRO_STEP_ID
        self._wait_for_offload_copies()
        self._offload_accumulated_param_ids = set()
        self._complete()
        self.overflow = False
        if self.check_grad_overflow:
            self.check_overflow(partition_gradients=self.partition_gradients)
        norm = None if self.overflow else self.scaled_global_norm()
        if norm is not None and is_invalid_grad_norm(norm):
            self.overflow = self.dtype != torch.bfloat16 or self.check_grad_overflow
        scale_of_step = self.loss_scale
        self._update_scale(self.overflow)
        self._received.clear()
        if self.overflow:
            self._global_grad_norm = float("inf")
            self.zero_grad(set_to_none=True)
            self.reset_cpu_buffers()
            return
        self._global_grad_norm = norm / scale_of_step
        scale = self._gradient_scale(norm, scale_of_step)
        self.timers(OPTIMIZER_STEP_TIMER).start()
        for i in range(len(self.bit16_groups)):
            self._step_group(i, scale)
        self.timers(OPTIMIZER_STEP_TIMER).stop()
        self._lazy_init_hp_params_optimizer_state()
        self.reset_cpu_buffers()
        self.timers(OPTIMIZER_ALLGATHER_TIMER).start()
        all_gather_dp_groups(groups_flat=self.bit16_groups_flat,
                             partitioned_param_groups=self.parallel_partitioned_bit16_groups,
                             dp_process_group=self.real_dp_process_group,
                             start_alignment_factor=self.nccl_start_alignment_factor,
                             allgather_bucket_size=self.allgather_bucket_size)
        self.timers(OPTIMIZER_ALLGATHER_TIMER).stop()
        for i in range(len(self.bit16_groups)):
            self._update_model_bit16_weights(i)
        self.timers.log([OPTIMIZER_STEP_TIMER, OPTIMIZER_ALLGATHER_TIMER])

    def _gradient_scale(self, norm, loss_scale):
        """What a gradient is multiplied by. The loss scale is that of the backward pass: DeepSpeed's own step takes the
        one of the next step where it has just grown."""
        if self.clip_grad == 0:
            return 1.0 / loss_scale
        if is_invalid_grad_norm(norm):
            norm = torch.full_like(norm, float("inf"))
        over = torch.clamp((norm / loss_scale + 1e-6) / self.clip_grad, min=1.0)
        return float(1.0 / (over * loss_scale))

    def _step_group(self, i, scale):
        param, buffer = self.single_partition_of_fp32_groups[i], self.crossing[i]
        state = self.optimizer.state[param]  # as DeepSpeedCPUAdam keeps it, so that checkpoints are alike
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(param.data)
            state["exp_avg_sq"] = torch.zeros_like(param.data)
        state["step"] += 1
        values, begin = (param.data, state["exp_avg"], state["exp_avg_sq"]), time.perf_counter()
        self.adam.step(values, values, buffer, buffer, int(state["step"]), self.optimizer.param_groups[i],
                       self.optimizer.adam_w_mode, scale)
        if self.journal is not None:
            self.journal.append(("adam", i, begin, time.perf_counter()))
        rank = dist.get_rank(group=self.real_dp_process_group[i])
        self.parallel_partitioned_bit16_groups[i][rank].data.copy_(buffer, non_blocking=True)

    def destroy(self):
        super().destroy()
        self.adam.close()
