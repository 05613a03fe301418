"""The part of this package that a registered model needs to answer, as one zip that Python imports.

A file for each module would be a request for each where a server keeps the files.
"""

from __future__ import annotations

import ast
import functools
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import distill

ENTRY = "distill.chain.expression"
"""What ``champion_model`` imports."""

_ROOT = Path(distill.__file__).parent.parent
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date a zip can hold: equal code, equal bytes


@functools.cache
def model_code() -> bytes:
    """The zip, with the modules of this package that :data:`ENTRY` imports, at whatever depth."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in sorted(needed(ENTRY)):
            path = _file(module)
            assert path is not None  # `needed` names modules that are there
            entry = zipfile.ZipInfo(path.relative_to(_ROOT).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def needed(entry: str) -> set[str]:
    """A module, what it imports of this package in turn, and the packages they are in."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        module = waiting.pop()
        path = _file(module)
        if module in found or path is None:
            continue
        found.add(module)
        waiting += [module.rpartition(".")[0], *_imported(ast.parse(path.read_bytes()))]
    return found


def _imported(node: ast.AST) -> Iterator[str]:
    """What code imports when it runs, also inside functions; names may be no modules."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.module
            yield from (f"{child.module}.{name.name}" for name in child.names)
        elif isinstance(child, ast.Import):
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from _imported(ast.Module(child.orelse, []))
        else:
            yield from _imported(child)


def _file(module: str) -> Path | None:
    """Where the source of a module of this package is, None of anything else."""
    if module.partition(".")[0] != distill.__name__:
        return None
    path = _ROOT.joinpath(*module.split("."))
    return next((f for f in (path / "__init__.py", path.with_suffix(".py")) if f.is_file()), None)
