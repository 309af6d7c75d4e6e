"""Writes the JSON Schema of every key that the installed DeepSpeed reads from its JSON.

    PYTHONPATH=FOLDER_WITH_DEEPSPEED python scripts/export-deepspeed-keys.py > experiment/schema/deepspeed-0.19.8.json

Sections that are pydantic models give their own schema. Top-level keys that DeepSpeed reads without a model
(get_scalar_param and friends) are found where they are read, in runtime/config.py, and get their type from the
default. Sections without a model (optimizer, scheduler, data_efficiency, ...) stay open: only their name is checked.
"""

import ast
import dataclasses
import importlib
import inspect
import json
import os
import sys

os.environ.setdefault("DS_ACCELERATOR", "cpu")
REAL_STDOUT, sys.stdout = sys.stdout, sys.stderr  # DeepSpeed logs to stdout while it is imported

from pydantic.json_schema import GenerateJsonSchema  # noqa: E402

import deepspeed  # noqa: E402
from deepspeed.runtime import config as runtime_config  # noqa: E402
from deepspeed.runtime.config_utils import DeepSpeedConfigModel  # noqa: E402

# section -> candidates "module:class"; the first that exists in this version is taken
SECTIONS = {
    "zero_optimization": ["deepspeed.runtime.zero.config:DeepSpeedZeroConfig"],
    "fp16": ["deepspeed.runtime.precision_config:DeepSpeedFP16Config"],
    "bf16": ["deepspeed.runtime.precision_config:DeepSpeedBF16Config"],
    "bfloat16": ["deepspeed.runtime.precision_config:DeepSpeedBF16Config"],
    "tensorboard": ["deepspeed.monitor.config:TensorBoardConfig"],
    "wandb": ["deepspeed.monitor.config:WandbConfig"],
    "csv_monitor": ["deepspeed.monitor.config:CSVConfig"],
    "comet": ["deepspeed.monitor.config:CometConfig"],
    "comms_logger": ["deepspeed.comm.config:CommsLoggerConfig"],
    "compile": ["deepspeed.compile.config:CompileConfig", "deepspeed.runtime.compiler:CompileConfig"],
    "timers": [],
    "hybrid_engine": ["deepspeed.runtime.config:HybridEngineConfig"],
    "tensor_parallel": ["deepspeed.runtime.tensor_parallel:TPTrainingConfig",
                        "deepspeed.runtime.tensor_parallel.config:TPTrainingConfig"],
}
# Keys that are passed on by another name before they are read: listed when this version has the constant.
PASSED_ON = {
    "deepspeed.runtime.constants:COMMUNICATION_DATA_TYPE": {"type": "string"},
    "deepspeed.runtime.constants:SEQ_PARALLEL_COMMUNICATION_DATA_TYPE": {"type": "string"},
    "deepspeed.compression.constants:COMPRESSION_TRAINING": {},
}
# Keys of inner sections whose parser also calls its section `param_dict`.
NESTED = {"attention", "data_routing", "data_sampling", "dynamic_batching", "mode", "model_info", "random_ltd",
          "writer"}
# The section that patches/deepspeed adds, where it is applied.
OVERLAY = "deepspeed.runtime.superoffload.settings:Settings"
# Integers that DeepSpeed also takes as None by default: their type cannot be read off the default.
NUMBER_KEYS = {"train_batch_size": 1, "train_micro_batch_size_per_gpu": 1, "gradient_accumulation_steps": 1,
               "steps_per_print": 0}


def find(candidates):
    """The first `module:name` that exists in this version, else None."""
    for candidate in candidates:
        module, name = candidate.split(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    return None


def section_schema(candidates):
    model = find(candidates)
    if model is None:
        return {"type": "object"}
    forget_functions()
    return both_names(model.model_json_schema(by_alias=True, schema_generator=OpenWherePythonOnly), model)


class OpenWherePythonOnly(GenerateJsonSchema):
    """A field whose type exists in Python only (torch.dtype, a callable) stays open."""

    def handle_invalid_for_json_schema(self, schema, error_info):
        return {}


def forget_functions(model=DeepSpeedConfigModel):
    """Deprecated fields carry a Python function, which no JSON Schema can hold."""
    for field in model.model_fields.values():
        if isinstance(field.json_schema_extra, dict):
            field.json_schema_extra.pop("new_param_fn", None)
    for child in model.__subclasses__():
        forget_functions(child)


def both_names(schema, model):
    """DeepSpeed's models are populated by name and by alias: both spellings are keys."""
    for name, field in model.model_fields.items():
        if field.alias and field.alias in schema.get("properties", {}):
            schema["properties"][name] = dict(schema["properties"][field.alias])
    return schema


DOCUMENTATION = {"title", "description", "default", "format", "new_param", "deprecated_msg", "set_new_param"}


def clean(node):
    """Drops what only documents (titles, descriptions, defaults) and closes every object that pydantic closes."""
    if isinstance(node, list):
        return [clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: clean(child) for name, child in value.items()}
        elif key in DOCUMENTATION:
            continue
        else:
            kept[key] = clean(value)
    return kept


def lift_definitions(schema, definitions):
    """Moves a section's $defs to the root, where its references (#/$defs/NAME) then point."""
    for name, definition in schema.pop("$defs", {}).items():
        definitions.setdefault(name, definition)
    return schema


def type_of(key, default):
    if key in NUMBER_KEYS:
        return {"type": "integer", "minimum": NUMBER_KEYS[key]}
    if isinstance(default, bool):
        return {"type": "boolean"}
    if isinstance(default, (int, float)):
        return {"type": "number"}
    if isinstance(default, str):
        return {"type": "string"}
    return {}


def keys_read_at_top_level():
    """Every key that runtime/config.py and the parsers it calls look up in the whole JSON, with its default."""
    found = {}
    for module in modules_that_parse():
        namespace = vars(module)
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            key, default = key_of(call, namespace)
            if key:
                found.setdefault(key, default)
    return {key: default for key, default in found.items() if key not in NESTED}


def modules_that_parse():
    names = ["deepspeed.runtime.config", "deepspeed.utils.config", "deepspeed.runtime.activation_checkpointing.config",
             "deepspeed.comm.config", "deepspeed.monitor.config", "deepspeed.profiling.config",
             "deepspeed.autotuning.config", "deepspeed.datastates.config", "deepspeed.runtime.swap_tensor.aio_config",
             "deepspeed.runtime.model_checkpointing.config", "deepspeed.runtime.tensor_parallel.config",
             "deepspeed.runtime.precision_config", "deepspeed.runtime.zero.config",
             "deepspeed.runtime.data_pipeline.config", "deepspeed.nebula.config"]
    for name in names:
        try:
            yield importlib.import_module(name)
        except ImportError:
            continue


WHOLE = {"param_dict", "pd", "ds_config", "monitor_dict", "config"}  # what DeepSpeed calls the whole JSON


def key_of(node, namespace):
    """(key, default) of one look-up in the whole JSON: get_*_param(), .get(), [KEY] or `KEY in`; else (None, None)."""
    def text(item):
        if isinstance(item, ast.Constant):
            return item.value if isinstance(item.value, str) else None
        value = namespace.get(item.id) if isinstance(item, ast.Name) else None
        return value if isinstance(value, str) else None

    def whole(item):
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr == "keys":
            item = item.func.value
        return (isinstance(item, ast.Name) and item.id in WHOLE) or \
            (isinstance(item, ast.Attribute) and item.attr == "_param_dict")

    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        getters = ("get_scalar_param", "get_list_param", "get_dict_param")
        if name in getters and len(node.args) == 3 and whole(node.args[0]):
            default = namespace.get(node.args[2].id) if isinstance(node.args[2], ast.Name) else None
            return text(node.args[1]), default
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and whole(node.func.value) and node.args:
            return text(node.args[0]), None
    if isinstance(node, ast.Subscript) and whole(node.value):
        return text(node.slice), None
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In) and whole(node.comparators[0]):
        return text(node.left), None
    return None, None


def overlay_schema():
    from deepspeed.runtime.superoffload.settings import CHOICES, Settings

    names = {bool: "boolean", int: "integer", float: "number"}
    properties = {field.name: {"type": names[type(field.default)], **overlay_bounds(field)}
                  for field in dataclasses.fields(Settings) if type(field.default) in names}
    properties.update({name: {"enum": list(choices)} for name, choices in CHOICES.items()})
    return {"type": "object", "additionalProperties": False, "properties": dict(sorted(properties.items()))}


def overlay_bounds(field):
    """How small and how large the overlay lets a number be: it is asked, so that its rules stand in one place."""
    from deepspeed.runtime.superoffload.settings import KEY, read_settings

    def takes(value):
        try:
            read_settings({KEY: {field.name: value}})
            return True
        except ValueError:
            return False

    if type(field.default) is bool:
        return {}
    least = [{"minimum": value} for value in (0, 1) if takes(value) and not takes(value - 1)]
    most = [{"maximum": value} for value in (1,) if takes(value) and not takes(value + 1)]
    return {name: bound for found in least + most for name, bound in found.items()}


def main():
    definitions = {}
    removed = set(getattr(runtime_config, "_REMOVED_TOP_LEVEL_CONFIG_KEYS", {}))
    properties = {key: type_of(key, default) for key, default in keys_read_at_top_level().items() if key not in removed}
    for name, key_schema in PASSED_ON.items():
        key = find([name])
        if key is not None and key not in removed:
            properties[key] = key_schema
    for key, candidates in SECTIONS.items():
        if key in properties or candidates:
            properties[key] = lift_definitions(clean(section_schema(candidates)), definitions)
    if find([OVERLAY]) is not None:
        properties["superoffload"] = overlay_schema()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"deepspeed-{deepspeed.__version__}",
        "title": f"Keys that DeepSpeed {deepspeed.__version__} reads from its JSON",
        "$comment": "Generated by scripts/export-deepspeed-keys.py; do not edit.",
        "type": "object",
        "additionalProperties": False,
        "properties": dict(sorted(properties.items())),
        "$defs": dict(sorted(definitions.items())),
    }
    json.dump(schema, REAL_STDOUT, indent=1, sort_keys=False)
    REAL_STDOUT.write("\n")


if __name__ == "__main__":
    main()
