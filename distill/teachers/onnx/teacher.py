"""ONNX models as teachers, in the precision they were exported in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import NotDifferentiable, TeacherError
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.differences import refuse_many
from distill.teachers.onnx.differences import slopes
from distill.teachers.onnx.heads import Head
from distill.teachers.onnx.session import Session, padded
from distill.teachers.onnx.signature import Signature
from distill.teachers.options import identifier

ALIKE = 16
"""Points are asked in multiples of this: a product of one row is summed in another order."""

NUMBERS = 2**22
"""Numbers that go into one call at most: bounds the memory of the layers between."""

JUMPS = (
    "TreeEnsemble", "TreeEnsembleRegressor", "TreeEnsembleClassifier", "Round", "Floor", "Ceil",
    "Sign", "ArgMax", "ArgMin", "Binarizer", "OneHotEncoder", "QuantizeLinear", "OneHot",
    "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Equal",
)  # fmt: skip
"""Operators whose answers jump: differences of them are no derivatives."""


@dataclass
class Moved:
    """How many of a classifier's answers were moved onto the side of the model's own label."""

    points: int = 0
    asked: int = 0


@dataclass(frozen=True)
class OnnxTeacher:
    """A model asked through onnxruntime on the CPU.

    A model exported in float32 answers in float32: its answers carry that rounding, 6e-8 of their
    size and more where large terms cancel. Inputs are rounded to what the model takes.

    Attributes
    ----------
    input_names : the d columns, C identifiers after the model's own names.
    classes : of a classifier; its outputs are the margin (of two classes) or the scores, from
        before the model's step to probabilities where that is known, and the labels that follow
        from them are the model's own: where rounding made a tie, the label decided.
    """

    session: Session = field(repr=False)
    signature: Signature = field(repr=False)
    head: Head = field(repr=False)
    jumps: tuple[str, ...] = field(repr=False)
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    domain: Domain | None
    timeout: float
    batch: int
    source: Path
    moved: Moved = field(default_factory=Moved, repr=False, compare=False)
    can_be_asked: bool = True
    validation_error: float | None = None

    @property
    def inputs(self) -> int:
        """How many columns it takes."""
        return len(self.signature.names)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The columns in the model's order."""
        return self.signature.names

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of a classifier's classes; empty where numbers are meant."""
        return self.head.classes

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the answers."""
        said = []
        if self.signature.single:
            said.append("The model answers in float32, with a rounding of 6e-8 of its answers.")
        if self.moved.points:
            said.append(
                f"At {self.moved.points:,} of {self.moved.asked:,} points the scores were moved to "
                "the side of the model's own label."
            )
        return tuple(said)

    @property
    def chain(self) -> Chain | None:
        """The model's own arithmetic, where all of its operators are known."""
        return self.closed_form[0]

    @property
    def why_no_chain(self) -> str:
        """Why there is no chain; empty where there is one."""
        return self.closed_form[1]

    @cached_property
    def closed_form(self) -> tuple[Chain | None, str]:
        """The chain, or None and why there is none."""
        import onnx

        from distill.teachers.onnx.closed import chain_of_graph

        model = onnx.load_model_from_string(self.session.model)
        return chain_of_graph(model, self.signature, self.head)

    def predict(self, x: Array) -> Array:
        """Answers at x (n, d), shape (n, k).

        Raises
        ------
        TeacherError : when onnxruntime cannot, or not in ``timeout`` s a batch; for a fraction
            where the model takes whole numbers.
        """
        parts = []
        size = self.signature.batch or max(ALIKE, min(self.batch, NUMBERS // max(self.inputs, 1)))
        for at in range(0, len(x), size):
            part = x[at : at + size]
            rows = self.signature.batch or -(-len(part) // ALIKE) * ALIKE
            parts.append(self._ask(padded(part, rows))[: len(part)])
        return np.concatenate(parts)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, k, d), by central differences.

        Two steps of 1 and 2 % of each variable's range (0.1 and 0.2 % where the model computes in
        double) and Richardson's extrapolation: about five digits of a smooth model in float32.

        Raises
        ------
        NotDifferentiable : for whole inputs, very many inputs, and models that jump, such as trees.
        """
        refuse_many(self.inputs, self.name)
        if not self.signature.smooth:
            raise NotDifferentiable(f"the model `{self.name}` takes whole numbers.")
        if self.jumps:
            raise NotDifferentiable(
                f"the model `{self.name}` jumps: it has the operator `{self.jumps[0]}`.",
                hint="a smooth model has a gradient: a network, a linear or a kernel model.",
            )
        return slopes(self.predict, x, self.domain, single=self.signature.single)

    def _ask(self, x: Array) -> Array:
        answers = self.session.run(self.signature.feed(x, self.session.where), self.timeout)
        numbers = [
            _rows(answer, len(x), name, self.session.where)
            for answer, name in zip(answers, self.session.names, strict=True)
            if name != self.head.label
        ]
        if not self.head.classes:
            return np.concatenate(numbers, axis=1)
        labels = None
        if self.head.label is not None:
            labels = self._numbered(answers[self.session.names.index(self.head.label)])
        return decide(numbers[0], labels, self.head, self.moved)

    def _numbered(self, said: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
        places = {label: i for i, label in enumerate(self.head.labels)}
        try:
            return np.array([places[value] for value in np.asarray(said).reshape(-1).tolist()])
        except KeyError as error:
            raise TeacherError(
                f"the model answers with the label {error.args[0]!r}, which is none of its "
                f"classes {', '.join(map(repr, self.head.labels))}.",
                where=self.session.where,
                hint="export it with its probabilities beside its labels.",
            ) from None


def decide(scores: Array, labels: npt.NDArray[np.int64] | None, head: Head, moved: Moved) -> Array:
    """The margin (n, 1) of two classes or the scores (n, k) of more, agreeing with the labels."""
    k = len(head.classes)
    if scores.shape[1] not in {k, k - 1 if k == 2 else k}:
        raise TeacherError(
            f"the model has {k} classes, but answers with {scores.shape[1]} scores.",
            hint="export it with a score for each class.",
        )
    if k > 2:
        if labels is not None:
            rows = np.flatnonzero(_first_largest(scores) != labels)
            top = scores[rows].max(axis=1, initial=-np.inf)
            scores = scores.copy()
            scores[rows, labels[rows]] = np.nextafter(top, np.inf)
            moved.points, moved.asked = moved.points + len(rows), moved.asked + len(scores)
        return scores
    if scores.shape[1] == 1:
        margin = scores[:, 0] - head.threshold
    else:
        first, second = scores.T
        margin = {
            "difference": second - first,
            "half": 0.5 * (second - first),
            "second": second,
            "first": first,
        }[head.margin]
    if labels is not None:
        up, down = (labels == 1) & (margin <= 0), (labels == 0) & (margin > 0)
        margin = np.where(up, float(np.finfo(np.float32).tiny), np.where(down, 0.0, margin))
        moved.points, moved.asked = moved.points + int((up | down).sum()), moved.asked + len(scores)
    return margin[:, None]


def _first_largest(scores: Array) -> npt.NDArray[np.intp]:
    places: npt.NDArray[np.intp] = np.argmax(scores, axis=1)
    return places


def _rows(answer: object, points: int, name: str, where: str) -> Array:
    """One tensor of answers as (n, columns); of ZipMap's maps their values."""
    if isinstance(answer, list) and len(answer) == points and isinstance(answer[0], dict):
        answer = [list(row.values()) for row in answer]
    values = np.asarray(answer)
    if values.dtype.kind not in "fiub" or values.shape[:1] != (points,):
        raise TeacherError(
            f"asked for {points} points, the model's output `{name}` has the shape "
            f"{values.shape}: it has no dimension for the points.",
            where=where,
            hint="export it with the first dimension of inputs and outputs open.",
        )
    return values.reshape(points, -1).astype(np.float64)


def output_names(teacher: OnnxTeacher, x: Array) -> tuple[Output, ...]:
    """Outputs after the model's own names, found by asking at one point x (1, d)."""
    if len(teacher.classes) == 2:
        return (Output("margin"),)
    if teacher.classes:
        names = [f"score_{label}" for label in teacher.classes]
    else:
        x = padded(x, teacher.signature.batch or ALIKE)
        answers = teacher.session.run(
            teacher.signature.feed(x, teacher.session.where), teacher.timeout
        )
        names = []
        for answer, name in zip(answers, teacher.session.names, strict=True):
            width = _rows(answer, len(x), name, teacher.session.where).shape[1]
            names += [name] if width == 1 else [f"{name[:50]}_{i}" for i in range(width)]
    return tuple(Output(name) for name in _different(names))


def _different(names: Sequence[str]) -> list[str]:
    result: list[str] = []
    for name in map(identifier, names):
        taken, count, other = {n.lower() for n in result}, 1, name
        while other.lower() in taken:
            count += 1
            other = f"{name[:58]}_{count}"
        result.append(other)
    return result


def fingerprint_of(model: bytes, threads: int, head: Head) -> str:
    """Hash of the model with its weights and of how it is asked."""
    import onnxruntime

    return fingerprint.of(
        "onnx", model, threads, onnxruntime.__version__, head.numbers, head.classes
    )
