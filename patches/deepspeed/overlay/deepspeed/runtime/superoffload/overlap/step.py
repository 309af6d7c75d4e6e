"""The step: mixin of OverlapOptimizer_Stage3."""

import math

import torch
from deepspeed import comm as dist
from deepspeed.accelerator import get_accelerator

RATES = ("lr", "eps", "weight_decay", "bias_correction", "betas")


class Step:

    @torch.no_grad()
    def step(self, closure=None):
        self.settle()
        self._pre_step()
        if not self.resident:
            self._partition_all_parameters()
        self._submit_rest()
        norm = self._norm()
        self.overflow = not math.isfinite(norm)
        scale_of_step = self.loss_scale
        self._update_scale(self.overflow)
        if self.overflow:
            self._global_grad_norm = float("inf")
            self._overflow_clean_up(scale_of_step)
            self.stepper.decide(None, self._rates(), order=self.first_uses)
        else:
            self._global_grad_norm = torch.tensor(norm / scale_of_step)
            over = max(1.0, (norm / scale_of_step + 1e-6) / self.clip_grad) if self.clip_grad > 0 else 1.0
            scale = 1.0 / (scale_of_step * over)
            self.stepper.decide(scale, self._rates(), over > 1, self.first_uses)
            self._step_on_gpu(scale)
        self._withhold()
        if not self.settings.early_forward:
            self.settle()
        if self.gathers_beside:  # ZeRO-3's next all-gathers have a stream of their own, which waits for no other
            get_accelerator().synchronize()
        self._forget_gradients()
        self._post_step(set())

    def _rates(self):
        """What else a step depends on, as it is now: a training loop may change it at any time after."""
        return [{name: value.item() if torch.is_tensor(value) else value
                 for name in RATES for value in [group.get(name, True)]} for group in self.optimizer.param_groups]

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
            flat = self._flat_fp32[i]
            group, state = self.optimizer.param_groups[self.sub_group_to_group_id[i]], self.optimizer.state[flat]
            state["step"] += 1
            corrected = group.get("bias_correction", True)
            count = torch.tensor(float(state["step"]) if corrected else math.inf, device=flat.device)
            beta1, beta2 = group["betas"]
            step_of([flat.data], [gradient.float().mul_(scale)], [state["exp_avg"]], [state["exp_avg_sq"]], [], [count],
                    lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"], eps=group["eps"],
                    amsgrad=False, maximize=False)
            self._flat_weights[i].copy_(flat.data)

    def _post_step(self, timer_names):
        if not self.resident:
            return super()._post_step(timer_names)
        # Nothing to gather: weights are whole, or on their way back.
        persistent, self.persistent_parameters = self.persistent_parameters, []
        super()._post_step(timer_names)
        self.persistent_parameters = persistent
