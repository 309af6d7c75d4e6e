"""ZeRO-3 with its optimizer on the CPU, whose Adam runs while gradients arrive and weights return."""

from deepspeed import comm as dist
from deepspeed.accelerator import get_accelerator
from deepspeed.runtime.zero.stage3 import DeepSpeedZeroOptimizer_Stage3

from ..refusals import refuse
from ..releases import Stage3Fallbacks
from ..settings import read_settings
from .adam import Adam
from .checkpoints import Checkpoints
from .clipping import ClipRule
from .gradients import Gradients
from .link import CudaLink, HostLink
from .state import State
from .step import Step
from .stepper import Stepper
from .threads import cores_of_rank
from .update import Update
from .weights import Weights


class OverlapOptimizer_Stage3(Weights, Checkpoints, Step, Gradients, State, DeepSpeedZeroOptimizer_Stage3,
                              Stage3Fallbacks):

    def __init__(self, module, init_optimizer, param_names, timers, ds_config, **kwargs):
        self.settings = read_settings(ds_config)
        ranks = dist.get_world_size(group=kwargs.get("dp_process_group"))
        self._refuse(init_optimizer, kwargs, ranks)
        self.cuda, self.resident = get_accelerator().device_name() == "cuda", ranks == 1
        self.largest_turning, self.stepper = 0, None
        self.managed = ds_config.get("managed_gradient_accumulation", True)  # else only step() says where it ends
        self.gathers_beside = self.cuda and ranks > 1 and bool(kwargs.get("overlap_comm"))
        self._begin_gradients()
        self._begin_weights()
        self.link = (CudaLink if self.cuda else HostLink)(self.settings.copy_streams)
        super().__init__(module, init_optimizer, param_names, timers, ds_config, **kwargs)
        if self.torch_autocast_gradscaler is not None:
            raise ValueError('superoffload.optimizer "overlap" does not work with torch_autocast in fp16')
        if not hasattr(DeepSpeedZeroOptimizer_Stage3, "clear_backward_seen_flag"):  # before 0.18.5 nobody calls it
            self._hooks.append(self.module.register_forward_pre_hook(lambda *_: self.clear_backward_seen_flag()))
        self._start_stepper()
        if self.resident:
            self._keep_weights()

    def _refuse(self, optimizer, options, ranks):
        parameters = options.get("offload_param_config")
        refuse('optimizer "overlap"', optimizer, options, {
            "offload_param": getattr(parameters, "device", "none") not in ("none", None),
            "zero_hpz_partition_size": options.get("zero_hpz_partition_size", 1) > 1,
            "zero_quantized_weights": bool(options.get("zero_quantized_weights")),
            f"superoffload.early_forward with {ranks} ranks (it is for one)": self.settings.early_forward and ranks > 1,
        })

    def _start_stepper(self):
        cores, threads = cores_of_rank()
        self.adam = Adam(self.settings.adam_threads or threads, cores if self.settings.bind_threads else ())
        self.update = Update(self.blocks, self.link, self.adam, self.optimizer.adam_w_mode, self.subgroups, self.settings,
                             self._state_moved)
        device = get_accelerator().current_device() if self.cuda else None
        self.stepper = Stepper(self.blocks, self.link, self.update, self.subgroups, ClipRule(),
                               self.settings.stall_seconds, device)

    def destroy(self):
        self._give_weights_back()
        ended = self.stepper.close()
        super().destroy()
        if ended:  # else a thread that hangs may still use all of it
            self.link.close()
            self.adam.close()
            self.crossing.unregister()
