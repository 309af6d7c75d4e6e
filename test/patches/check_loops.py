"""What a training loop may do beside one step after another, with ZeRO-3's own CPU optimizer and with the overlap
optimizer: how many fp32 weights differ at the end. One rank, on the CPU accelerator, or with --cuda on the GPU; exit
status 1 where one is not "within" its tolerance.

    check_loops.py [--cuda] [CASE...]              prints a line of JSON for each
"""

import mmap
import tempfile
from pathlib import Path
from types import SimpleNamespace

import check_overlap
import torch
from check_accelerator import check
from check_overlap import engine_of, tokens_of
from deepspeed.utils import safe_get_full_fp32_param


class Planted(RuntimeError):
    pass


def backward(engine, case, step, micro=0):
    engine.backward(engine(tokens_of(case, step, micro)))


def train(engine, case, steps):
    for step in steps:
        for micro in range(case.get("accumulation", 1)):
            backward(engine, case, step, micro)
            engine.step()
    return engine


def drops_gradients(engine, case):
    """Those of the first micro-step do not count."""
    backward(engine, case, 0, 0)
    engine.step()
    engine.optimizer.zero_grad()
    backward(engine, case, 0, 1)
    engine.step()
    return train(engine, case, [1, 2])


def decides_when(engine, case):
    """managed_gradient_accumulation is false: step() says where a step ends."""
    for step in range(3):
        for micro in range(2):
            backward(engine, case, step, micro)
        engine.step()
    return engine


def coalesces(engine, case):
    for step in range(3):
        with engine.coalesce_grad_reduction():
            for micro in range(2):
                backward(engine, case, step, micro)
        engine.step()
    return engine


def goes_on(engine, case):
    """A backward pass that fails half-way is as if it had not been. DeepSpeed's own cannot go on at all."""
    train(engine, case, [0])
    if case["fails"]:

        def plant(module, inputs, output):
            def fail(gradient):
                raise Planted

            output.register_hook(fail)

        hook = engine.module.layers[1].register_forward_hook(plant)
        try:
            backward(engine, case, 1)
            raise AssertionError("nothing failed")
        except Planted:
            hook.remove()
    return train(engine, case, [2, 3])


def begins_again(engine, case):
    """From a universal checkpoint."""
    from deepspeed.checkpoint import ds_to_universal

    with tempfile.TemporaryDirectory() as folder:
        train(engine, case, range(4)).save_checkpoint(folder, tag="4")
        overlap = hasattr(engine.optimizer, "stepper")
        engine.destroy()
        arguments = SimpleNamespace(input_folder=f"{folder}/4", output_folder=f"{folder}/5", num_extract_workers=1,
                                    num_merge_workers=1, keep_temp_folder=False, strict=True,
                                    inject_missing_state=False)
        ds_to_universal.main(arguments)
        Path(folder, "latest_universal").write_text("5")
        engine = engine_of({**case, "universal": True}, overlap)
        engine.load_checkpoint(folder, tag="5")
    return train(engine, case, range(4, 8))


def config(case, overlap, of_overlap=check_overlap.config):
    made = of_overlap(case, overlap)
    if case.get("unmanaged"):
        made["managed_gradient_accumulation"] = False
    if case.get("universal"):
        made["checkpoint"] = {"load_universal": True}
    return made


def without_bias_correction(engine, case):
    for group in engine.optimizer.param_groups:
        group["bias_correction"] = False
    return train(engine, case, range(4))


# what the loop does, and what is compared: ZeRO-3's own with the overlap optimizer, or two cases of that one
CASES = {
    "gradients dropped": (drops_gradients, {"accumulation": 2}),
    "its own boundary": (decides_when, {"unmanaged": True}),
    "coalesced": (coalesces, {}),
    "a backward pass that failed": (goes_on, {"fails": False, "keys": {"subgroup_elements": 10**6}}, {"fails": True}),
    "a universal checkpoint": (begins_again, {}),
    "no bias correction": (without_bias_correction, {"dtype": "fp32", "keys": {"subgroup_elements": 1500}},
                           {"ratio": 0.5}),
}


def weights(loop, case, overlap):
    engine = loop(engine_of(case, overlap), case)
    found = {name: safe_get_full_fp32_param(param).clone() for name, param in engine.module.named_parameters()}
    engine.optimizer.destroy()
    return found


def compare(name):
    loop, case, *other = CASES[name]
    expected = weights(loop, case, overlap=bool(other))
    found = weights(loop, {**case, **(other[0] if other else {})}, overlap=True)
    different = sum(not torch.equal(found[name], weight) for name, weight in expected.items())
    off = max(check_overlap.off(found[name], weight) for name, weight in expected.items())
    # Half of that one is stepped on the accelerator, which rounds otherwise.
    return {"case": name, "different": different, "off": off,
            "within": off < 1e-5 if name == "no bias correction" else different == 0}


def forked():
    """Whether a forked process gets a copy of memory that is registered."""
    from deepspeed.runtime.superoffload.host_memory import HostMemory

    found = {}
    for register in (True, False):
        memory = HostMemory(mmap.PAGESIZE)
        if register:
            memory.register("pin_memory to false")
        found["registered" if register else "plain"] = "dc" not in flags_at(memory.begin)  # "do not copy"
    return {"case": "forked", **found, "within": found == {"registered": False, "plain": True}}


def flags_at(place):
    """What the kernel says of the memory at an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split()
        if name == "VmFlags:" and inside:
            return rest
        if not name.endswith(":"):
            begin, end = (int(part, 16) for part in name.split("-"))
            inside = begin <= place < end
    raise AssertionError("no such memory")


def result_of(name, _):
    check_overlap.config = config
    return forked() if name == "forked" else compare(name)


if __name__ == "__main__":
    check([*CASES, "forked"], result_of)
