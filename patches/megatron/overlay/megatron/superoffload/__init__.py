"""What superoffload adds to Megatron-DeepSpeed, in files of its own; the patches only call it.

attention.py  flash attention's function on PyTorch's scaled_dot_product_attention
kernels.py    turns off what was not compiled
run.py        facts at the start, the stop file, peak memory and a clean end
"""
