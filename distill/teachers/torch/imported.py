"""Modules by import path, with weights from a safe file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.errors import ConfigError, TeacherError

if TYPE_CHECKING:
    import torch

_WHERE = "config key `teacher.options.module`"


def make_module(path: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """The module that ``package.module:ClassOrFactory`` makes, called with ``arguments``.

    This imports and runs the code named, in this process: it is the user's choice, never a file's.

    Raises
    ------
    ConfigError : when there is no such thing, it raises, or gives something else than a module.
    """
    import torch

    source, _, name = str(path).partition(":")
    if not source or not name:
        raise ConfigError(
            f"`{path}` is not the import path of a module.",
            where=_WHERE,
            hint="write package.module:ClassOrFactory.",
        )
    try:
        with _working_folder():
            found: Any = importlib.import_module(source)
    except Exception as error:
        raise ConfigError(
            f"`{source}` cannot be imported: {type(error).__name__}: {error}.",
            where=_WHERE,
            hint="start in the folder of the file, or install the package.",
        ) from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, torch.nn.Module) and not arguments:
        return found
    if not callable(found) or isinstance(found, torch.nn.Module):
        raise ConfigError(
            f"`{path}` is no class or function that makes a module.",
            where=_WHERE,
            hint="name a torch.nn.Module class, or a function that returns one.",
        )
    try:
        module = found(**arguments)
    except Exception as error:
        raise ConfigError(
            f"`{path}` raised {type(error).__name__}: {error}.",
            where=_WHERE,
            hint="give its arguments by name in `teacher.options.module_arguments`.",
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise ConfigError(
            f"`{path}` gives a {type(module).__qualname__}, not a torch.nn.Module.", where=_WHERE
        )
    return module


def fill(module: torch.nn.Module, state: Mapping[str, torch.Tensor], where: Path) -> None:
    """Put the weights of a file into a module; all of them and nothing else.

    Raises
    ------
    TeacherError : naming what is missing, left over, or of another shape.
    """
    wanted = module.state_dict()
    missing = sorted(set(wanted) - set(state))
    unknown = sorted(set(state) - set(wanted))
    shapes = [
        f"`{key}` is {list(state[key].shape)} in the file and {list(wanted[key].shape)} in the "
        "module"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    faults = (
        [f"the file lacks {_some(missing)}"] * bool(missing)
        + [f"the module has no {_some(unknown)}"] * bool(unknown)
        + shapes[:3]
    )
    if faults:
        raise TeacherError(
            f"the weights do not fit the module: {'; '.join(faults)}.",
            where=str(where),
            hint="name the module that the weights were saved from, with the same arguments "
            "(`teacher.options.module_arguments`).",
        )
    for key, tensor in state.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise TeacherError(
                f"`{key}` holds values that are not finite.",
                where=str(where),
                hint="train the network again.",
            )
    module.load_state_dict(dict(state), strict=True)


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:4])
    return shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")


@contextmanager
def _working_folder() -> Iterator[None]:
    """The folder that the user stands in counts among those that are searched."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
