"""What distill emits for a problem: formula or table, in floats or integers, as an export does it.

Inputs are checked as an export checks them by default: moved to the nearest bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from distill.building.order import Order, accuracy_left
from distill.building.scalar import build_table, plain_spec
from distill.config.folder import read_option
from distill.config.schema import ExportConfig
from distill.firmware.graph import Arithmetic
from distill.firmware.interface import make_interface
from distill.firmware.policy import OutOfDomain, Policy
from distill.firmware.render import render_code
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target, load_target
from distill.progress import Silent
from distill.teachers.base import Output

from .measuring import Emitted
from .problems import Problem

AUTO_ROW = "auto, between floats"


@dataclass(frozen=True, slots=True)
class Way:
    """One row: how distill is asked to export. ``options`` are keys of ``conf/export``."""

    name: str
    content: str
    arithmetic: Arithmetic
    interface: Literal["float", "integer"] = "float"
    functions: str = "cheapest"
    table_prefers: str = "bytes"
    out_of_domain: OutOfDomain = "clamp"

    @property
    def options(self) -> ExportConfig:
        """The keys that ask for it."""
        return ExportConfig(
            arithmetic=self.arithmetic,
            interface=self.interface,
            functions=self.functions,
            table_prefers=self.table_prefers,
            out_of_domain=self.out_of_domain,
        )


FIXED = Way("formula, fixed point, integers", "formula", "fixed", "integer")

WAYS = (
    Way("formula, float32, C library", "formula", "float32", functions="library"),
    Way("formula, float32, own functions", "formula", "float32"),
    Way("the same, inputs unchecked", "formula", "float32", out_of_domain="unchecked"),
    FIXED,
    Way("table, fixed point, integers", "table", "fixed", "integer"),
    Way(
        "the same for the fewest instructions",
        "table",
        "fixed",
        "integer",
        table_prefers="instructions",
    ),
)
"""The rows of every problem."""

AUTO = (
    Way("formula in float32", "formula", "float32"),
    Way("formula in fixed point", "formula", "fixed"),
    Way("table in float32", "table", "float32"),
    Way("table in fixed point", "table", "fixed"),
)
"""What ``export.arithmetic=auto`` takes the cheapest of: all of them between floats."""


def specify(problem: Problem, way: Way, target: Target) -> BundleSpec:
    """The bundle of one way.

    Raises
    ------
    ExportError : when it cannot be made, saying why.
    """
    if way.content == "table":
        # What is stored does not depend on the chip, nor on who reads it.
        spec = _table(problem, problem.tolerance, way.arithmetic, way.table_prefers)
        return replace(spec, interface=way.interface, target=target.name)
    accuracy = accuracy_left(problem.formula_error, problem.tolerance)
    spec = plain_spec(
        problem.formula, problem.name, way.arithmetic, accuracy, problem.tolerance, way.options,
        target,
    )  # fmt: skip
    return replace(spec, policy=Policy(way.out_of_domain), label_above=problem.label_above)


@cache
def _table(problem: Problem, tolerance: float, arithmetic: Arithmetic, prefers: str) -> BundleSpec:
    order = Order(
        name=problem.name,
        domain=problem.domain,
        formula=None,
        formula_error=None,
        truth=problem.truth,
        tolerance=tolerance,
        output=Output(problem.name, problem.unit),
        options=ExportConfig(table_prefers=prefers),
        target=load_target(read_option("target", "host")),  # none of its figures are asked for
        provenance={},
    )
    return build_table(order, arithmetic, Silent())


def table_bytes(problem: Problem, tolerance: float) -> int:
    """The bytes of the smallest table in fixed point.

    Raises
    ------
    ExportError : when no table is within the tolerance.
    """
    table = _table(problem, tolerance, "fixed", "bytes").table
    assert table is not None  # a table was asked for
    return table.bytes


def emit(spec: BundleSpec, label: bool = False) -> Emitted:
    """The C of a bundle; with ``label`` of the function beside it that says which class it is."""
    files = render_code(spec)
    output = spec.output_format if spec.interface == "integer" else None
    interface = make_interface(spec.domain, spec.number, output)
    if not label:
        return Emitted(spec.name, files, interface)
    # Called as all functions are, it answers in its own numbers: 1 stands for 1, not for one unit.
    name, real = f"{spec.name}_class", interface.signature.real
    inputs = [f"x{i}" for i in range(len(spec.domain))]
    one = output.integers(np.array([1.0]))[0] if output else 1
    head = f"{real} {name}({', '.join(f'{real} {word}' for word in inputs)})"
    around = (
        f"{head};\n{head}\n{{\n    return {spec.name}_label({', '.join(inputs)}) ? {one} : 0;\n}}\n"
    )
    source = f"{spec.name}.c"
    return Emitted(name, {**files, source: files[source] + around}, interface, label=True)
