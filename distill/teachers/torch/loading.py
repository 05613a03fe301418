"""Torch networks from files and modules, by the options that a user gives."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.domain import Domain
from distill.errors import ConfigError, TeacherError
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.options import Options, identifier, outputs_option, truth_option
from distill.teachers.torch.device import Precision, device_named, dtype_of, precision_named
from distill.teachers.torch_module import TorchTeacher, from_module

if TYPE_CHECKING:
    import torch

COMMON = ("name", "outputs", "classes", "probabilities", "input_shape", "device", "dtype")
"""Options of every network."""

SCALING = ("input_mean", "input_scale", "output_mean", "output_scale")
ARCHITECTURE = ("layers", "activation", *SCALING)
"""Options of a multilayer perceptron of ours."""

BLOCK = ("block", "block_data", "block_positions", "block_margin", "block_quantile")
"""Options of a block inside a network."""

IMPORTED = ("module", "module_arguments")
"""Options of a network whose code is the user's."""


def load_weights(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    """Weights: of a module by import path, or of a multilayer perceptron of ours."""
    if "module" in options:
        from distill.teachers.torch.imported import fill, make_module
        from distill.teachers.torch.weights import read_weights

        _without(options, ARCHITECTURE, "a module by import path has its own")
        arguments = options.get("module_arguments") or {}
        module = make_module(str(options["module"]), dict(arguments))
        fill(module, read_weights(path), path)
        return load_module(module, domain, name or identifier(path.stem), options)
    from distill.teachers.card import read_architecture
    from distill.teachers.network import load_network

    _without(options, (*BLOCK, "input_shape"), "a multilayer perceptron of ours has none")
    own = {key: value for key, value in options.items() if key in ARCHITECTURE}
    classes = _classes(options)
    teacher = load_network(
        path,
        name or identifier(path.stem),
        architecture=read_architecture(own) if own else None,
        outputs=None if classes else outputs_option(options),
    )
    if name is not None:
        teacher = replace(teacher, name=name)
    adapted = _adapted(teacher, options, classes, "float64")
    return Checked(adapted, domain or adapted.domain, inputs=adapted.inputs)


def load_module(
    module: torch.nn.Module, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    """A module of the user's, or one of its blocks."""
    if "block" in options:
        return _block(module, domain, name, options)
    _without(options, BLOCK, "no block is named by `teacher.options.block`")
    name = name or identifier(type(module).__name__)
    shape = _shape(options)
    inputs = prod(shape) if shape else None
    teacher = from_module(module, name, (Output(name),), domain, shape=shape, inputs=inputs)
    classes = _classes(options)
    found = _adapted(teacher, {**options, "input_shape": None}, classes, "float64")
    return Checked(found, domain, inputs=inputs)


def load_exported(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    """A ``torch.export`` archive."""
    import torch

    from distill.teachers.torch.exported import read_exported

    found = read_exported(path)
    if found.dtype not in (torch.float32, torch.float64) and "dtype" not in options:
        raise TeacherError(
            f"the network was exported for inputs of {found.dtype}.",
            where=str(path),
            hint="say which precision to evaluate it in: `teacher.options.dtype=float32`.",
        )
    own: Precision = "float64" if found.dtype == torch.float64 else "float32"
    name = name or identifier(path.stem)
    shape = found.shape or (1,)
    teacher = TorchTeacher(
        module=found.network,
        name=name,
        outputs=_numbered(name, found.outputs),
        fingerprint=fingerprint.of("exported", fingerprint.of_file(path)),
        domain=domain,
        inputs=prod(shape),
        shape=() if len(shape) == 1 else shape,
        dtype=own,
        batch=found.batch,
    )
    adapted = _adapted(teacher, options, _classes(options), own)
    return Checked(adapted, domain, inputs=adapted.inputs)


def load_script(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    """A TorchScript archive, with a word of trust."""
    from distill.teachers.torch import script

    module = script.load_script(path, truth_option(options, "trust_torchscript", False))
    kinds = {str(part.dtype) for part in module.parameters()}
    own: Precision = "float64" if kinds == {"torch.float64"} else "float32"
    name = name or identifier(path.stem)
    shape = _shape(options)
    teacher = TorchTeacher(
        module=module,
        name=name,
        outputs=(Output(name),),
        fingerprint=fingerprint.of("script", fingerprint.of_file(path)),
        domain=domain,
        inputs=prod(shape) if shape else None,
        shape=shape,
        dtype=own,
    )
    adapted = _adapted(teacher, {**options, "input_shape": None}, _classes(options), own)
    return Checked(adapted, domain, inputs=adapted.inputs)


def _block(
    network: torch.nn.Module, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    from distill.teachers.torch.blocks import block_teacher

    path = str(options["block"])
    data = options.get("block_data")
    if data is None:
        raise ConfigError(
            "a block needs data that run through the network.",
            where="config key `teacher.options.block_data`",
            hint="save inputs of the network with numpy.save, and name the .npy file.",
        )
    positions = options.get("block_positions", "flat")
    if positions not in ("flat", "each"):
        raise ConfigError(
            f"`{positions}` is no way to take positions.",
            where="config key `teacher.options.block_positions`",
            hint="allowed: flat, each.",
        )
    _without(options, ("input_shape",), "a block's shape is seen")
    block = block_teacher(
        network,
        path,
        _read_array(Path(data)) if isinstance(data, str | Path) else data,
        name=name or identifier(path),
        positions=positions,
        margin=_number(options, "block_margin"),
        quantile=_number(options, "block_quantile"),
    )
    classes = _classes(options)
    adapted = _adapted(block.teacher, options, classes, "float64")
    return Checked(adapted, domain or block.domain, inputs=adapted.inputs)


def _adapted(
    teacher: TorchTeacher, options: Options, classes: tuple[str, ...], own: Precision
) -> TorchTeacher:
    """The teacher with the common options: outputs, classes, shape, precision and device."""
    precision = precision_named(options.get("dtype", own))
    device = device_named(str(options.get("device", "cpu")))
    shape = _shape(options) or teacher.shape
    module, outputs = teacher.module, outputs_option(options) or teacher.outputs
    probabilities = truth_option(options, "probabilities", False)
    if classes:
        from distill.teachers.torch.readout import Readout

        module = Readout(module, len(classes), probabilities)
        outputs = outputs_option(options) or _scores(classes)
    elif probabilities:
        raise ConfigError(
            "`probabilities` is about classes, and none are named.",
            where="config key `teacher.options.probabilities`",
            hint="name them: `teacher.options.classes=[no, yes]`.",
        )
    changed = (classes, probabilities, shape, precision)
    if changed != ((), False, teacher.shape, teacher.dtype):
        teacher = replace(
            teacher, fingerprint=fingerprint.of("adapted", teacher.fingerprint, *changed)
        )
    module = module.to(device=device, dtype=dtype_of(precision)).eval()
    for parameter in module.parameters():
        if parameter.is_leaf:
            parameter.requires_grad_(False)
    return replace(
        teacher,
        module=module,
        outputs=outputs,
        classes=classes,
        shape=shape,
        dtype=precision,
        device=device,
    )


def _scores(classes: tuple[str, ...]) -> tuple[Output, ...]:
    """What the outputs of a classifier are called."""
    if len(classes) == 2:
        return (Output("margin"),)
    return tuple(Output(identifier(f"score_{name}")) for name in classes)


def _classes(options: Options) -> tuple[str, ...]:
    given = options.get("classes")
    names = () if given is None else tuple(str(name) for name in given)
    if given is not None and (
        isinstance(given, str) or len(set(names)) != len(names) or len(names) < 2
    ):
        raise ConfigError(
            f"`classes` must name two classes at least, each once, not {given!r}.",
            where="config key `teacher.options.classes`",
            hint="in the order of the network's answers, such as [no, yes].",
        )
    return names


def _shape(options: Options) -> tuple[int, ...]:
    given = options.get("input_shape")
    if given is None:
        return ()
    shape = (given,) if isinstance(given, int) else tuple(given)
    if not shape or not all(
        isinstance(s, int) and not isinstance(s, bool) and s > 0 for s in shape
    ):
        raise ConfigError(
            f"`{given!r}` is no shape of a point.",
            where="config key `teacher.options.input_shape`",
            hint="without the batch, such as [1, 8, 8] for images of one channel.",
        )
    return shape


def _number(options: Options, key: str) -> float:
    value = options.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(
            f"`{key}` must be a number, not {value!r}.", where=f"config key `teacher.options.{key}`"
        )
    return float(value)


def _without(options: Options, keys: tuple[str, ...], why: str) -> None:
    for key in keys:
        if key in options:
            raise ConfigError(
                f"`{key}` cannot be given here: {why}.", where=f"config key `teacher.options.{key}`"
            )


def _numbered(name: str, count: int) -> tuple[Output, ...]:
    return tuple(Output(name if count == 1 else f"{name}_{i + 1}") for i in range(count))


def _read_array(path: Path) -> Any:
    """The array of a ``.npy`` file, mapped: what it states is there, and nothing is unpickled."""
    import numpy as np

    try:
        return np.array(np.lib.format.open_memmap(path.expanduser(), mode="r"))
    except (OSError, ValueError, EOFError) as error:
        raise TeacherError(
            f"the data cannot be read: {error}.",
            where=str(path),
            hint="save plain numbers with numpy.save: an array (n, ...) of the network's inputs.",
        ) from None
