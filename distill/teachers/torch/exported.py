"""``torch.export`` archives (.pt2), read as data.

``torch.export.load`` is never called: it unpickles example inputs, constants and old weights,
hands text of the file to ``sympy.sympify`` and looks operators up by any dotted name, each of which
runs code of the file's choosing. Here the graph is JSON, its operators come from a closed list, its
weights are bytes, and pickles in the archive are left unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from distill.errors import TeacherError
from distill.teachers.torch.archive import Archive, open_archive
from distill.teachers.torch.graph import LARGEST, Call, Graph, GraphNetwork, Value, largest_tensor
from distill.teachers.torch.operators import CHECKS, operator_named

SCHEMA = 8
"""The major version of the graph's format."""

_AGAIN = (
    "export it again: torch.export.save(torch.export.export(model.eval(), (example,), "
    'dynamic_shapes=({0: torch.export.Dim("n")},)), path), with PyTorch 2.9 or later.'
)

_DTYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}


@dataclass(frozen=True)
class Exported:
    """A network from an archive: the precision it was exported in, its inputs and batch."""

    network: GraphNetwork
    dtype: torch.dtype
    shape: tuple[int, ...]
    batch: int | None
    outputs: int


def read_exported(path: Path) -> Exported:
    """The network in a ``.pt2`` archive; nothing in it is run.

    Raises
    ------
    TeacherError : when it is damaged, holds something else than one graph of plain tensors, calls
        an operator that is not allowed, or states sizes that no network has.
    """
    archive = open_archive(path)
    if archive.folder("data/aotinductor/"):
        raise _refused(path, "it holds compiled machine code, which is never loaded")
    models = archive.folder("models/")
    if len(models) != 1:
        found = ", ".join(models) or "none: an older format, perhaps"
        raise _refused(path, f"it must hold one graph in `models/`, and holds {found}")
    try:
        graph, dtype = _read(archive, models[0])
        most, answer = largest_tensor(network := GraphNetwork(graph))
    except TeacherError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise _refused(
            path, f"its graph is not as torch writes it ({type(error).__name__}: {error})"
        ) from error
    except (RuntimeError, NotImplementedError, OverflowError) as error:
        raise _refused(
            path, f"its graph does not fit together: {str(error).splitlines()[0]}"
        ) from error
    if most > LARGEST:
        raise _refused(
            path,
            f"one of its tensors would take {most:,} bytes for "
            f"{graph.batch or 1} point(s); {LARGEST:,} are allowed",
        )
    if not answer or answer[0] != (graph.batch or 1):
        raise _refused(
            path, f"its answer has shape {list(answer)}, whose first size is not that of the batch"
        )
    outputs = 1
    for size in answer[1:]:
        outputs *= size
    return Exported(network, dtype, graph.shape, graph.batch, outputs)


def _read(archive: Archive, model: str) -> tuple[Graph, torch.dtype]:
    name = Path(model).stem
    whole = json.loads(archive.read(model))
    version = whole["schema_version"]
    if version["major"] != SCHEMA:
        raise _refused(
            archive.path,
            f"its format has version {version['major']}.{version['minor']} (written by torch "
            f"{whole.get('torch_version', 'of unknown version')}); {SCHEMA} can be read",
        )
    data, signature = whole["graph_module"]["graph"], whole["graph_module"]["signature"]
    stored = _tensors(archive, f"data/weights/{name}_weights_config.json", "data/weights/")
    stored |= _tensors(archive, f"data/constants/{name}_constants_config.json", "data/constants/")
    constants: dict[str, torch.Tensor] = {}
    inputs: list[str] = []
    for spec in signature["input_specs"]:
        ((kind, entry),) = spec.items()
        if kind == "user_input":
            inputs.append(next(iter(entry["arg"].values()))["name"])
        elif kind in {"parameter", "buffer", "tensor_constant"}:
            constants[entry["arg"]["name"]] = stored[entry[f"{kind}_name"]]
        elif kind != "constant_input":
            raise _refused(archive.path, f"it takes a {kind.replace('_', ' ')} as input")
    outputs = signature["output_specs"]
    if mutated := [kind for spec in outputs for kind in spec if kind != "user_output"]:
        raise _refused(
            archive.path,
            f"it changes its own weights or buffers ({mutated[0]}), as networks in training do",
        )
    if len(inputs) != 1 or len(outputs) != 1:
        raise _refused(
            archive.path,
            f"it takes {len(inputs)} tensors and gives {len(outputs)}; one of shape (n, ...) and "
            "one are wanted",
        )
    meta = data["tensor_values"][inputs[0]]
    first, *rest = meta["sizes"]
    graph = Graph(
        input=inputs[0],
        output=outputs[0]["user_output"]["arg"]["as_tensor"]["name"],
        shape=tuple(_whole(size) for size in rest),
        batch=_whole(first) if "as_int" in first else None,
        constants=constants,
        calls=_calls(archive.path, data["nodes"], set(constants)),
    )
    return graph, _DTYPES[meta["dtype"]]


def _calls(path: Path, nodes: list[Any], constants: set[str]) -> tuple[Call, ...]:
    calls = []
    for node in nodes:
        target = node["target"]
        if target in CHECKS:
            continue
        args = [_argument(a["arg"]) for a in node["inputs"] if a.get("kind") != 2]
        first = args[0] if args else None
        if "_." in target and isinstance(first, Value) and first.name in constants:
            raise _refused(
                path, "it changes its own weights or buffers, as networks in training mode do"
            )
        if (operator := operator_named(target)) is None:
            shown = re.sub(r"[^\w.#]", "?", str(target))[:80]
            raise _refused(
                path,
                f"it calls `{shown}`, which is not among the operators that can be read",
                "leave the operation out of the model, or give the model as a function "
                "(`package.module:function`).",
            )
        results: list[str | None] = []
        several = len(node["outputs"]) > 1
        for output in node["outputs"]:
            ((kind, entry),) = output.items()
            if kind == "as_tensors":
                several = True
                results += [part["name"] for part in entry]
            elif kind == "as_none":
                results.append(None)
            else:
                results.append(entry["name"] if "name" in entry else entry["as_name"])
        kwargs = {a["name"]: _argument(a["arg"]) for a in node["inputs"] if a.get("kind") == 2}
        calls.append(Call(target, operator, tuple(args), kwargs, tuple(results), several))
    return tuple(calls)


def _argument(argument: Mapping[str, Any]) -> object:
    """An argument of a call, from the tagged form in which the file has it."""
    ((kind, value),) = argument.items()
    if kind in {"as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool", "as_optional_tensor"}:
        if "as_tensor" in value:
            value = value["as_tensor"]
        if "as_none" in value:
            return None
        for key in ("name", "as_name"):
            if key in value:
                return Value(value[key])
        return next(iter(value.values()))
    if kind in {"as_tensors", "as_sym_ints", "as_sym_floats", "as_optional_tensors"}:
        plain = {"as_tensors": "as_tensor"}.get(kind, "as_optional_tensor")
        return [_argument({plain: entry}) for entry in value]
    if kind == "as_none":
        return None
    if kind == "as_scalar_type":
        return _DTYPES[value]
    if kind == "as_memory_format":
        return _FORMATS[value]
    if kind == "as_layout":
        return torch.strided
    if kind == "as_device":
        return torch.device("cpu")
    if kind in {"as_int", "as_float", "as_bool", "as_string"}:
        return float(value) if kind == "as_float" else value
    if kind in {"as_ints", "as_floats", "as_bools"}:
        return list(value)
    raise ValueError(f"an argument of the kind `{kind}`")


def _tensors(archive: Archive, config: str, folder: str) -> dict[str, torch.Tensor]:
    """Tensors by name: views of the bytes that stand in a folder of the archive."""
    found: dict[str, torch.Tensor] = {}
    flat: dict[str, torch.Tensor] = {}
    for name, entry in json.loads(archive.read(config))["config"].items():
        meta = entry["tensor_meta"]
        if entry["use_pickle"] or meta is None:
            raise _refused(
                archive.path,
                f"`{name}` is pickled, and pickles are not opened: they can run any code",
            )
        dtype = _DTYPES[meta["dtype"]]
        size = [_whole(s) for s in meta["sizes"]]
        stride = [_whole(s) for s in meta["strides"]]
        offset = _whole(meta["storage_offset"])
        count, last = 1, offset
        for length, step in zip(size, stride, strict=True):
            count *= length
            last += (length - 1) * step
        key = f"{entry['path_name']}:{meta['dtype']}"
        if key not in flat:
            data = bytearray(archive.read(folder + entry["path_name"]))
            flat[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        there = flat[key].numel()
        if count > there or (count and not 0 <= last < there) or min([offset, *stride, 0]) < 0:
            raise _refused(
                archive.path,
                f"`{name}` states the shape {size}, but there are {there} numbers for it",
            )
        found[name] = flat[key].as_strided(size, stride, offset) if count else flat[key][:0]
    return found


def _whole(size: Mapping[str, Any]) -> int:
    value = size.get("as_int")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"a size of {size!r}, where only the batch may vary")
    return value


def _refused(path: Path, why: str, hint: str = _AGAIN) -> TeacherError:
    return TeacherError(f"the torch.export archive is not read: {why}.", where=str(path), hint=hint)
