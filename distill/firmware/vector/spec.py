"""What a bundle of a function of arrays is made from, and what its C answers, in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, cast

import numpy as np

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.axes import bounds
from distill.firmware.door import to_float
from distill.firmware.fixed.formats import QFormat
from distill.firmware.given import take
from distill.firmware.graph import Arithmetic
from distill.firmware.harness import Number
from distill.firmware.implementation import (
    FixedImplementation,
    FloatImplementation,
    implement,
)
from distill.firmware.interface import Interface
from distill.firmware.names import check_function_name
from distill.firmware.numbers import InterfaceName, check_numbers
from distill.firmware.policy import Policy
from distill.firmware.proven import Proof
from distill.firmware.vector.content import (
    Content,
    FixedChain,
    FixedFormulas,
    FloatChain,
    FloatFormulas,
)
from distill.firmware.vector.interface import vector_interface
from distill.formula import Formula
from distill.identifiers import why_not_identifier
from distill.teachers.base import Output
from distill.teachers.labels import LabelArray, labels_of

SOFT = 10.0
"""From so many instructions on an addition of floats is taken for a call of a library."""

MOST_NUMBERS = 32_767
"""Inputs, and outputs, at most: an int of 16 bits counts them."""


LOCALS = frozenset([
    "x", "y", "i", "j", "held", "value", "low", "high", "key", "bits", "numbers", "best", "most",
    "score", "shifts", "label", "wrong", "failed", "number", "same", "inputs", "expected",
    "allowed", "labels", "agrees", "answer", "wanted", "difference",
])  # fmt: skip
"""What the C around the content calls its own variables."""


@dataclass(frozen=True, eq=False)
class VectorSpec:
    """Everything a bundle of ``void NAME(const real x[d], real y[k])`` is written from.

    Equal specs give equal bytes.

    Attributes
    ----------
    name : the C function's name, and the stem of the files.
    outputs : the k outputs, in order.
    tolerance, max_errors : (k,), the error allowed, and the largest against the teacher that is
        known, in each output's unit; ``error_kind`` says whether it was sampled or proven.
    chain : what gives all outputs at once; or else
    formulas : one for each output.
    classes : names of the classes of a classifier, in the order of the labels, of which the C
        gets a function: 2 with one output, whose label is 1 above 0; else one for each output, the
        label the number of the largest, of equals the first. A score that is NaN has label -1.
    accuracy : (k,), how far the C's formulas may be from the formulas; None leaves the
        mathematical functions to the C library. Fixed point needs it.
    proofs : (k,), what is proven of each output, None where nothing is; empty where none is. An
        output whose ``max_errors`` is its proof's bound is proven, whatever ``error_kind`` says.
    interface, costs, policy, provenance, target, figures, verified, vectors, remarks : as in
        :class:`distill.firmware.spec.BundleSpec`.

    Raises
    ------
    ExportError : when the parts do not fit together.
    """

    name: str
    domain: Domain
    outputs: tuple[Output, ...]
    tolerance: tuple[float, ...]
    max_errors: tuple[float, ...]
    chain: Chain | None = None
    formulas: tuple[Formula, ...] = ()
    classes: tuple[str, ...] = ()
    error_kind: Literal["sampled", "proven"] = "sampled"
    arithmetic: Arithmetic = "float32"
    interface: InterfaceName = "float"
    accuracy: tuple[float, ...] | None = None
    costs: Mapping[str, float] | None = None
    policy: Policy = field(default_factory=Policy)
    provenance: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    figures: tuple[str, ...] = ()
    verified: bool = True
    vectors: Array | None = None
    proofs: tuple[Proof | None, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_function_name(self.name)
        if self.name in LOCALS:
            raise ExportError(
                f"the generated function cannot be called `{self.name}`: its C uses that name.",
                hint=f"give another name, such as `my_{self.name}`.",
            )
        self._check_outputs()
        self._check_content()
        self._check_numbers()
        if self.vectors is not None and (
            self.vectors.ndim != 2 or self.vectors.shape[1] != len(self.domain)
        ):
            raise ExportError(f"the vectors need shape (n, {len(self.domain)}).")
        for variable in self.domain.variables:
            bounds(variable, self.arithmetic)

    def _check_outputs(self) -> None:
        """Names, errors and classes belong to the outputs."""
        k = len(self.outputs)
        if k < 1 or max(k, len(self.domain)) > MOST_NUMBERS:
            raise ExportError(
                f"a function of {len(self.domain)} inputs and {k} outputs cannot be written: "
                f"1 to {MOST_NUMBERS:,} of each can."
            )
        seen = set[str]()
        for output in self.outputs:
            if why := why_not_identifier(output.name):
                raise ExportError(f"`{output.name}` cannot name an output: {why}.")
            if output.name.upper() in seen:
                raise ExportError(
                    f"two outputs are called `{output.name}`.",
                    hint="names must differ in more than their case.",
                )
            seen.add(output.name.upper())
        for key in ("tolerance", "max_errors", *(["accuracy"] if self.accuracy else [])):
            if len(getattr(self, key)) != k:
                raise ExportError(f"`{key}` needs {k} numbers, one for each output.")
        if self.proofs and len(self.proofs) != k:
            raise ExportError(f"{len(self.proofs)} proofs do not go with {k} outputs.")
        for size in self.tolerance:
            if not (size > 0 and np.isfinite(size)):
                raise ExportError(f"the tolerance {size} is no size.", where="tolerance")
        for size in self.max_errors:
            if not size >= 0:
                raise ExportError(f"the largest error {size} is no size.")
        if self.error_kind not in ("sampled", "proven"):
            raise ExportError(f"an error is sampled or proven, not `{self.error_kind}`.")
        if self.classes and len(self.classes) != (2 if k == 1 else k):
            raise ExportError(
                f"{len(self.classes)} classes do not go with {k} outputs.",
                hint="two classes have one output, more have one each.",
            )

    def _check_content(self) -> None:
        """A chain or formulas, over this domain and for these outputs."""
        if (self.chain is None) != bool(self.formulas):
            raise ExportError("there is nothing to export, or too much: a chain or formulas.")
        d, k = len(self.domain), len(self.outputs)
        if self.chain is not None and (self.chain.inputs, self.chain.outputs) != (d, k):
            raise ExportError(
                f"the chain goes from {self.chain.inputs} numbers to {self.chain.outputs}, not "
                f"from {d} inputs to {k} outputs."
            )
        if self.formulas and len(self.formulas) != k:
            raise ExportError(f"{len(self.formulas)} formulas do not give {k} outputs.")
        if any(formula.domain != self.domain for formula in self.formulas):
            raise ExportError("a formula has another domain.")

    def _check_numbers(self) -> None:
        """Arithmetic, interface and policy must fit together."""
        check_numbers(self.arithmetic, self.interface, self.policy)
        accurate = self.accuracy is not None and all(a > 0 for a in self.accuracy)
        if self.arithmetic == "fixed" and self.formulas and not accurate:
            raise ExportError("fixed point needs to know how accurate it must be.")

    @cached_property
    def content(self) -> Content:
        """What answers, as the C computes it.

        Raises
        ------
        ExportError : when the arithmetic cannot hold it.
        """
        if self.chain is not None:
            if self.arithmetic == "fixed":
                return FixedChain(self.chain, self.domain)
            real: Real = "double" if self.arithmetic == "double" else "float32"
            return FloatChain(self.chain, self.domain, real, self.by_order)
        accuracies = self.accuracy or (None,) * len(self.outputs)
        parts = [
            implement(formula, self.arithmetic, accuracy, self.costs)
            for formula, accuracy in zip(self.formulas, accuracies, strict=True)
        ]
        if self.arithmetic == "fixed":
            return FixedFormulas(tuple(cast("list[FixedImplementation]", parts)))
        return FloatFormulas(tuple(cast("list[FloatImplementation]", parts)))

    @property
    def number(self) -> Number:
        """What the C function takes and gives."""
        if self.interface == "integer":
            return "int32"
        return "double" if self.arithmetic == "double" else "float32"

    @property
    def by_order(self) -> bool:
        """Whether floats are compared as integers: where a library would compare them."""
        if self.arithmetic != "float32" or self.costs is None:
            return False
        return self.costs["add"] > SOFT

    @property
    def output_formats(self) -> tuple[QFormat, ...]:
        """The formats of fixed point's answers; empty in floats."""
        return self.content.formats

    @property
    def numbers(self) -> Interface:
        """What the function's arguments and results stand for, the label among them."""
        return vector_interface(
            self.domain, self.number, self.output_formats, len(self.outputs), bool(self.classes)
        )

    @property
    def exact(self) -> bool:
        """Whether the C answers with the very bits of :func:`evaluate_vector`, on every target."""
        return all(self.content.exact)

    @property
    def missed(self) -> tuple[Output, ...]:
        """The outputs whose largest known error is beyond the tolerance."""
        rows = zip(self.outputs, self.max_errors, self.tolerance, strict=True)
        return tuple(output for output, error, allowed in rows if not error <= allowed)

    @property
    def error_kinds(self) -> tuple[str, ...]:
        """Of each output, whether its largest error known is sampled or proven."""
        if not self.proofs:
            return (self.error_kind,) * len(self.outputs)
        proven = [
            self.error_kind == "proven" or (proof is not None and proof.bound == error)
            for proof, error in zip(self.proofs, self.max_errors, strict=True)
        ]
        return tuple("proven" if each else "sampled" for each in proven)

    @property
    def within_tolerance(self) -> bool:
        """Whether no output misses its tolerance."""
        return not self.missed


def evaluate_vector(spec: VectorSpec, x: Array) -> Array:
    """What the C answers at x (n, d), shape (n, k), with its policy for any input whatsoever.

    x and the answers are the C function's own numbers, integers where it takes integers. They are
    the C's to the bit where ``spec.content.exact``; else up to the C library's functions.
    """
    given = take(x, spec.domain, spec.arithmetic, spec.policy, spec.interface == "integer")
    answers = np.full((len(x), len(spec.outputs)), np.nan)
    if not len(given.rows):
        return answers
    if given.reals is not None:
        answers[given.rows] = spec.content.answers(given.reals)
        return answers
    assert given.integers is not None  # the other of the two
    found = spec.content.answers(given.integers.astype(float))
    if spec.interface == "integer":
        return found
    for i, form in enumerate(spec.output_formats):
        answers[given.rows, i] = to_float(found[:, i].astype(np.int64), form)
    return answers


def labels_vector(spec: VectorSpec, x: Array) -> LabelArray:
    """What ``NAME_label`` answers at x (n, d), shape (n,)."""
    answers = evaluate_vector(spec, x)
    if spec.interface == "integer":
        steps = np.array([form.step for form in spec.output_formats])
        answers = answers * steps
    return labels_of(answers)
