"""Apex's optimizers by PyTorch's, whose fused kernels also read and write each value once."""

import torch


def on_gpu(params):
    """True where a parameter lies on a GPU, and the parameters as a list, since an iterator can be read once only."""
    params = list(params)
    tensors = [tensor for entry in params for tensor in (entry["params"] if isinstance(entry, dict) else [entry])]
    return params, any(tensor.is_cuda for tensor in tensors)


class FusedAdam(torch.optim.AdamW):
    """Adam with decoupled weight decay and bias correction: the only kind that Megatron asks Apex for."""

    def __init__(self, params, lr=1e-3, bias_correction=True, betas=(0.9, 0.999), eps=1e-8, adam_w_mode=True,
                 weight_decay=0.0, amsgrad=False):
        if amsgrad or not (bias_correction and adam_w_mode):
            raise ValueError("this FusedAdam is AdamW with bias correction and without amsgrad, and nothing else")
        params, fused = on_gpu(params)
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=fused or None)


class FusedSGD(torch.optim.SGD):
    def __init__(self, params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        params, fused = on_gpu(params)
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                         nesterov=nesterov, fused=fused or None)
