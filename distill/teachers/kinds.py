"""The kinds of teachers: what each is called, its options, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distill.domain import Domain
from distill.teachers import fingerprint
from distill.teachers.base import Output, Teacher
from distill.teachers.checked import Checked
from distill.teachers.options import (
    Options,
    identifier,
    names_option,
    outputs_option,
    positive_option,
    truth_option,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source: what people call it, its options, and how it is loaded."""

    title: str
    options: tuple[str, ...]
    load: Callable[[Any, Domain | None, str | None, Options], Checked]


def _load_network(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.card import read_architecture
    from distill.teachers.network import load_network

    teacher = load_network(
        path,
        name or identifier(path.stem),
        architecture=read_architecture(options) if set(options) - {"outputs"} else None,
        outputs=outputs_option(options),
    )
    if name is not None:
        teacher = replace(teacher, name=name)
    return Checked(teacher, domain or teacher.domain, inputs=teacher.inputs)


def _load_module(module: Any, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.torch_module import from_module

    name = name or identifier(type(module).__name__)
    return Checked(
        from_module(module, name, outputs_option(options) or (Output(name),), domain), domain
    )


def _load_callable(
    function: Callable[..., Any], domain: Domain | None, name: str | None, options: Options
) -> Checked:
    from distill.teachers.function import CallableTeacher

    name = name or identifier(getattr(function, "__name__", type(function).__name__))
    vectorized = truth_option(options, "vectorized", True)
    return Checked(
        CallableTeacher(
            function=function,
            name=name,
            outputs=outputs_option(options) or (Output(name),),
            fingerprint=fingerprint.of("callable", function, vectorized),
            vectorized=vectorized,
            domain=domain,
        ),
        domain,
    )


def _load_imported(text: str, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.function import load_function

    name = name or identifier(text.rpartition(":")[2].rpartition(".")[2])
    teacher = load_function(
        text,
        name,
        outputs_option(options) or (Output(name),),
        vectorized=truth_option(options, "vectorized", True),
        timeout=positive_option(options, "timeout", 60.0),
        batch=int(positive_option(options, "batch", 1024)),
    )
    return Checked(teacher, domain, batch=teacher.batch)


def _load_csv(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.columns import read_csv

    return _table(read_csv(path), domain, name or identifier(path.stem), options, path, path)


def _load_parquet(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.columns import read_parquet

    return _table(read_parquet(path), domain, name or identifier(path.stem), options, path, None)


def _load_frame(frame: Any, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.columns import from_frame

    return _table(from_frame(frame), domain, name or "table", options, "DataFrame", None)


def _table(
    columns: Any,
    domain: Domain | None,
    name: str,
    options: Options,
    where: object,
    source: Path | None,
) -> Checked:
    from distill.teachers.table import make_table

    output = options.get("output")
    teacher = make_table(
        columns,
        name,
        where=str(where),
        source=source,
        domain=domain,
        inputs=names_option(options, "inputs"),
        output=None if output is None else str(output),
    )
    return Checked(teacher, teacher.domain)


def _load_teacher(
    teacher: Teacher, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    if not isinstance(teacher, Checked):
        teacher = Checked(teacher, teacher.domain)
    return teacher if domain is None else replace(teacher, domain=domain)


_SCALING = ("input_mean", "input_scale", "output_mean", "output_scale")
NETWORK = Kind("a network", ("name", "outputs", "layers", "activation", *_SCALING), _load_network)
MODULE = Kind("a torch module", ("name", "outputs"), _load_module)
CALLABLE = Kind("a callable", ("name", "outputs", "vectorized"), _load_callable)
IMPORTED = Kind("a function", ("name", "outputs", "vectorized", "timeout", "batch"), _load_imported)
CSV = Kind("a table", ("name", "inputs", "output"), _load_csv)
PARQUET = Kind("a table", ("name", "inputs", "output"), _load_parquet)
FRAME = Kind("a table", ("name", "inputs", "output"), _load_frame)
TEACHER = Kind("a teacher", (), _load_teacher)
