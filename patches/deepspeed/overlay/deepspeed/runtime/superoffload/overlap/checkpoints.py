"""Checkpoints, and what others may ask of a ZeRO-3 optimizer: mixin of OverlapOptimizer_Stage3.

Whoever reads or writes state or weights by way of the optimizer comes through here and waits until the last step is all
done: DeepSpeed's own code (checkpoints, safe_get_*, safe_set_*) takes them from these lists.
"""

from deepspeed.runtime.zero.stage3 import DeepSpeedZeroOptimizer_Stage3


class Checkpoints:

    _flat_fp32, _flat_weights = (), ()

    @property
    def fp32_partitioned_groups_flat(self):
        self.settle()
        return self._flat_fp32

    @fp32_partitioned_groups_flat.setter
    def fp32_partitioned_groups_flat(self, tensors):
        self._flat_fp32 = tensors

    @property
    def fp16_partitioned_groups_flat(self):
        self.settle()
        return self._flat_weights

    @fp16_partitioned_groups_flat.setter
    def fp16_partitioned_groups_flat(self, tensors):
        self._flat_weights = tensors

    def _get_state(self):
        self.settle()
        return super()._get_state()

    state = property(_get_state, DeepSpeedZeroOptimizer_Stage3._set_state)

    def checkpoint_event_prologue(self):
        self.settle()
        super().checkpoint_event_prologue()

    def checkpoint_event_epilogue(self):
        super().checkpoint_event_epilogue()
        if self.resident:
            self._make_resident()

    def _rigid_load_state_dict(self, state_dict, load_optimizer_states=True):
        self.settle()
        super()._rigid_load_state_dict(state_dict, load_optimizer_states)
        self._adopt_state()

    def _load_universal_checkpoint(self, *arguments):
        self.settle()
        super()._load_universal_checkpoint(*arguments)
        self._adopt_state()

    def _adopt_state(self):
        """DeepSpeed puts tensors of its own in the place of the moments: what is in them goes to where Adam steps."""
        for i, flat in enumerate(self._flat_fp32):
            state = self.optimizer.state[flat]
            state["step"] = int(state["step"])  # of a universal checkpoint: one object for all
            if i in self.subgroups:
                _, momentum, variance = self.blocks.state(i)
                momentum.copy_(state["exp_avg"])
                variance.copy_(state["exp_avg_sq"])
                self.subgroups[i].steps = state["step"]
                self._state_moved(i)

    def _get_fp32_grad_state_partition(self, param, release_swap_buffers):
        raise RuntimeError("superoffload: the overlap optimizer keeps no fp32 gradients")

    def get_fp32_grad_partitions(self):
        raise RuntimeError("superoffload: the overlap optimizer keeps no fp32 gradients")

    def offload_states(self, *args, **options):
        raise RuntimeError("superoffload: the overlap optimizer's states cannot be moved elsewhere")
