"""Weights that stay where they are, and a forward pass that begins before all of them are back: mixin of
OverlapOptimizer_Stage3.

With one rank a partition is the whole, so nothing is gathered and nothing released. With `early_forward` a step ends
when it is decided. Until its new weights are there, a parameter is as ZeRO-3 has it between steps: without data. Who
comes to it by a module (its forward pass, an attribute such as `embedding.weight` in another module's, `state_dict()`,
`parameters()`) or gathers it waits for it. Who kept the parameter itself finds it empty, and never half written.
"""

from deepspeed.runtime.zero.parameter_offload import ZeROOrderedDict
from deepspeed.runtime.zero.partition_parameters import ZeroParamStatus


class WaitingDict(ZeROOrderedDict):
    """The parameters of a module. `use` is told of each that is looked up, `settle` that all are."""

    def __getitem__(self, key):
        param = dict.__getitem__(self, key)
        if param is not None:
            self.use(param)
        return param

    def get(self, key, default=None):
        return self[key] if key in self else default

    def items(self):
        self.settle()
        return super().items()

    def values(self):
        self.settle()
        return super().values()

    def __reduce__(self):  # a copy of the model belongs to no optimizer
        return ZeROOrderedDict, (self._parent_module,), None, None, iter(self.items())


class Weights:

    def _begin_weights(self):
        self.withheld, self.first_uses, self._order_is_known = set(), [], False
        self._settled, self._hooks, self._own_parameters = True, [], {}

    def _keep_weights(self):
        self.parameter_offload._remove_module_hooks()
        self._make_resident()
        self._hooks.append(self.module.register_forward_pre_hook(self._begin_forward))
        if self.settings.early_forward:
            self._wait_at_use()

    def _begin_forward(self, *_):
        self._make_resident()
        if not self._order_is_known:
            self.first_uses.clear()

    def _make_resident(self):
        for i, group in enumerate(self.fp16_groups):
            if i not in self.withheld:
                self._lend(group)

    @staticmethod
    def _lend(group):
        for param in group:
            if param.ds_status != ZeroParamStatus.AVAILABLE:
                param.data = param.ds_tensor.data.view(param.ds_shape)
                param.ds_status = ZeroParamStatus.AVAILABLE

    # The next forward pass before all weights are back

    def _wait_at_use(self):
        for module in self.module.modules():
            own = [param for param in module._parameters.values() if param is not None]
            if own:
                self._watch(module, own)
        for group in self.fp16_groups:
            for param in group:
                for name in ("all_gather", "all_gather_coalesced", "partition"):
                    setattr(param, name, self._after_settling(getattr(param, name)))

    def _watch(self, module, own):
        """Modules that do not look their parameters up (LSTM keeps a list) are covered by the hook; parameters that
        another module uses (a tied head) by the dictionary."""
        waiting = WaitingDict(module)
        waiting.use, waiting.settle = self._use, self.settle
        for key, param in module._parameters.items():
            waiting[key] = param
        self._own_parameters[module], module._parameters = module._parameters, waiting

        def use_all(*_):
            for param in own:
                self._use(param)

        self._hooks.append(module.register_forward_pre_hook(use_all))

    def _after_settling(self, method):
        def settled(*args, **options):
            self.settle()
            return method(*args, **options)

        return settled

    def _use(self, param):
        if not hasattr(param, "ds_id") or param.ds_id not in self.grad_position:
            return
        i = self.grad_position[param.ds_id][0]
        if not self._order_is_known and i not in self.first_uses:
            self.first_uses.append(i)
        self._await(i)

    def _await(self, i):
        if i in self.withheld:
            event = self.stepper.wait(i)
            if event is not None:
                self.link.after(event)
            self._lend(self.fp16_groups[i])
            self.withheld.discard(i)

    def _withhold(self):
        """A step is decided, and its weights are on their way."""
        self._settled, self._order_is_known = False, True
        if self.settings.early_forward:
            for i in self.subgroups:
                self.withheld.add(i)
                for param in self.fp16_groups[i]:
                    param.data = param.data.new_empty(0)
                    param.ds_status = ZeroParamStatus.NOT_AVAILABLE

    def settle(self):
        """The last step is all done, and what is read from now on is what it made."""
        if self._settled:
            return
        event = self.stepper.wait()
        if event is not None:
            self.link.after(event)
        self._settled, withheld, self.withheld = True, self.withheld, set()
        for i in withheld:
            self._lend(self.fp16_groups[i])

    def _give_weights_back(self):
        """The model is as without this optimizer; where that failed, its parameters stay empty."""
        if self.stepper.error is None:
            self.settle()
        for hook in self._hooks:
            hook.remove()
        for module, parameters in self._own_parameters.items():
            module._parameters = parameters
        self._hooks, self._own_parameters = [], {}
