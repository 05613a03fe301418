"""From the file of a model to a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from distill.domain import Domain
from distill.errors import ConfigError
from distill.teachers.base import Output
from distill.teachers.onnx.ensembles import check_trees
from distill.teachers.onnx.heads import read_head
from distill.teachers.onnx.reading import read_model
from distill.teachers.onnx.session import Session
from distill.teachers.onnx.signature import read_signature
from distill.teachers.onnx.teacher import JUMPS, OnnxTeacher, fingerprint_of, output_names
from distill.teachers.onnx.tensors import nodes_of


def load_onnx(
    path: Path,
    name: str,
    domain: Domain | None = None,
    *,
    outputs: tuple[Output, ...] | None = None,
    answers: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    threads: int = 1,
    timeout: float = 60.0,
    batch: int = 8192,
) -> OnnxTeacher:
    """A teacher from an ONNX file.

    Parameters
    ----------
    outputs : names and units in place of the model's own.
    answers : the model's outputs that are distilled, by their names in it; all if None.
    classes : names of the classes of a model that only answers with scores.
    threads : of one call.
    timeout, batch : seconds that so many points may take.

    Raises
    ------
    TeacherError : when the model cannot be read safely, loaded or asked, or does not fit the
        domain.
    ConfigError : for options that do not fit the model.
    """
    where = str(path)
    model = read_model(path)
    check_trees(model, where)
    signature = read_signature(model, where)
    if domain is not None:
        signature.check_domain(domain, where)
    model, head = read_head(model, where, answers, classes)
    asked = head.numbers if head.label is None else (head.label, *head.numbers)
    data = model.SerializeToString()
    teacher = OnnxTeacher(
        session=Session(data, asked, threads, where),
        signature=signature,
        head=head,
        jumps=tuple(node.op_type for node in nodes_of(model) if node.op_type in JUMPS),
        name=name,
        outputs=outputs or (),
        fingerprint=fingerprint_of(data, threads, head),
        domain=domain,
        timeout=timeout,
        batch=batch,
        source=path,
    )
    point = np.zeros((1, teacher.inputs))
    if domain is not None and len(domain) == teacher.inputs:
        point = domain.sample(1)
    own = output_names(teacher, point)
    if outputs is not None and len(outputs) != len(own):
        raise ConfigError(
            f"{len(outputs)} outputs are named, the model has {len(own)} "
            f"({', '.join(o.name for o in own)}).",
            where="config key `teacher.options.outputs`",
            hint="name every output, or choose some of the model's with `answers`.",
        )
    return replace(teacher, outputs=outputs or own)
