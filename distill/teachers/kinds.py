"""The kinds of teachers: what each is called, its options, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distill.domain import Domain
from distill.errors import ConfigError
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
from distill.teachers.own import check_own
from distill.teachers.simulator_options import EQUATIONS
from distill.teachers.torch import loading as networks


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source: what people call it, its options, and how it is loaded."""

    title: str
    options: tuple[str, ...]
    load: Callable[[Any, Domain | None, str | None, Options], Checked]


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
    if any(key in options for key in ("cache", "processes", "calls")):
        return _load_kept(text, domain, name, options)
    teacher = load_function(
        text,
        name,
        outputs_option(options) or (Output(name),),
        vectorized=truth_option(options, "vectorized", True),
        timeout=positive_option(options, "timeout", 60.0),
        batch=int(positive_option(options, "batch", 1024)),
    )
    return Checked(teacher, domain, batch=teacher.batch)


def _load_kept(text: str, domain: Domain | None, name: str, options: Options) -> Checked:
    """A function whose answers are kept, or that runs in several processes."""
    from distill.teachers.simulator import load_slow
    from distill.teachers.simulator_options import slow_options

    batch = int(positive_option(options, "batch", 1024))
    slow = slow_options(options, cache=False)
    teacher = load_slow(
        text,
        name,
        outputs_option(options) or (Output(name),),
        **slow,
        timeout=positive_option(options, "timeout", 60.0),
        batch=batch,
        vectorized=truth_option(options, "vectorized", True),
        failing="raise",
    )
    return Checked(teacher, domain, batch=batch * slow["processes"])


def _load_simulator(
    text: str, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    from distill.teachers.simulator_options import load_simulator

    teacher = load_simulator(text, domain, name, options)
    return Checked(teacher, domain, batch=64 * len(teacher.workers))


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

    output, outputs = options.get("output"), names_option(options, "outputs")
    if output is not None and outputs is not None:
        raise ConfigError(
            "`output` and `outputs` both name the columns of the answers.",
            where="config key `teacher.options.outputs`",
            hint="state one of them.",
        )
    teacher = make_table(
        columns,
        name,
        where=str(where),
        source=source,
        domain=domain,
        inputs=names_option(options, "inputs"),
        outputs=outputs if output is None else (str(output),),
    )
    return Checked(teacher, teacher.domain)


def _load_teacher(
    teacher: Teacher, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    if not isinstance(teacher, Checked):
        check_own(teacher)
        teacher = Checked(teacher, teacher.domain)
    return teacher if domain is None else replace(teacher, domain=domain)


def _load_onnx(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    from distill.teachers.onnx.loading import load_onnx

    teacher = load_onnx(
        path,
        name or identifier(path.stem),
        domain,
        outputs=outputs_option(options),
        answers=names_option(options, "answers"),
        classes=names_option(options, "classes"),
        threads=int(positive_option(options, "threads", 1)),
        timeout=positive_option(options, "timeout", 60.0),
        batch=int(positive_option(options, "batch", 8192)),
    )
    return Checked(teacher, domain, inputs=teacher.inputs, batch=teacher.batch)


def _load_estimator_file(
    path: Path, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    from distill.teachers.sklearn.loading import load_file

    return load_file(path, domain, name, options)


def _load_estimator(
    model: Any, domain: Domain | None, name: str | None, options: Options
) -> Checked:
    from distill.teachers.sklearn.loading import load_object

    return load_object(model, domain, name, options)


NETWORK = Kind(
    "a network",
    (*networks.COMMON, *networks.ARCHITECTURE, *networks.IMPORTED, *networks.BLOCK),
    networks.load_weights,
)
EXPORTED = Kind("a torch.export archive", networks.COMMON, networks.load_exported)
SCRIPT = Kind(
    "a TorchScript archive", (*networks.COMMON, "trust_torchscript"), networks.load_script
)
MODULE = Kind("a torch module", (*networks.COMMON, *networks.BLOCK), networks.load_module)
CALLABLE = Kind("a callable", ("name", "outputs", "vectorized"), _load_callable)
_KEPT = ("processes", "cache", "calls")
IMPORTED = Kind(
    "a function",
    ("name", "outputs", "vectorized", "timeout", "batch", *_KEPT),
    _load_imported,
)
SIMULATOR = Kind(
    "a simulator",
    ("name", "outputs", "vectorized", "timeout", *_KEPT, *EQUATIONS),
    _load_simulator,
)
ONNX = Kind(
    "an ONNX model",
    ("name", "outputs", "answers", "classes", "threads", "timeout", "batch"),
    _load_onnx,
)
ESTIMATOR_FILE = Kind(
    "a file of scikit-learn",
    ("name", "outputs", "trusted", "trust_pickle"),
    _load_estimator_file,
)
ESTIMATOR = Kind("an estimator", ("name", "outputs"), _load_estimator)
CSV = Kind("a table", ("name", "inputs", "output", "outputs"), _load_csv)
PARQUET = Kind("a table", ("name", "inputs", "output", "outputs"), _load_parquet)
FRAME = Kind("a table", ("name", "inputs", "output", "outputs"), _load_frame)
TEACHER = Kind("a teacher", (), _load_teacher)
