"""What an optimizer of this overlay does not do must not be done silently in another way."""


def refuse(setting, optimizer, options, others):
    """`setting`: the key that asked for it, with its value; `optimizer`: the one that DeepSpeed was given; `options`:
    what ZeRO's optimizer gets from the engine; `others`: what else does not work, by name, with whether it is so.
    Raises ValueError that names all that does not work."""
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    checks = {
        "an optimizer that is not DeepSpeedCPUAdam": type(optimizer) is not DeepSpeedCPUAdam,
        "DeepSpeedCPUAdam(fp32_optimizer_states=False)": not getattr(optimizer, "fp32_optimizer_states", True),
        "offload_optimizer.device other than cpu":
        getattr(options.get("offload_optimizer_config"), "device", None) != "cpu",
        "zenflow": options.get("zenflow_config") is not None,
        "16-bit master weights": bool(options.get("fp16_master_weights_and_gradients")
                                      or options.get("bf16_master_weights_and_gradients")),
        "tensor parallelism": tensor_parallel_size(options.get("mpu")) > 1,
        **others,
    }
    found = [name for name, is_so in checks.items() if is_so]
    if found:
        raise ValueError(f'superoffload.{setting} does not work with {", ".join(found)}')


def tensor_parallel_size(mpu):
    """Megatron hands over its mpu whatever it splits. DeepSpeed's state of sequence parallelism splits no tensor, and
    calls the ranks that share a sequence model-parallel."""
    if hasattr(mpu, "get_tensor_model_parallel_world_size"):
        return mpu.get_tensor_model_parallel_world_size()
    if hasattr(mpu, "initialize_sequence_parallel") or not hasattr(mpu, "get_model_parallel_world_size"):
        return 1
    return mpu.get_model_parallel_world_size()
