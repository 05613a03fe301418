"""Bundles of every kind on disk, and one whose error is proven."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from distill.building.order import Order
from distill.building.proof import with_proof
from distill.building.scalar import build_formula
from distill.config.folder import read_option
from distill.config.schema import ExportConfig
from distill.domain import Domain
from distill.firmware.bundle import write_bundle
from distill.firmware.spec import BundleSpec
from distill.firmware.target import load_target
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.progress import Silent
from distill.teachers.base import Output
from tests.firmware.bundle.conftest import make_specs
from tests.firmware.vector.conftest import make_specs as make_vectors

PLANE = Domain.box(u=(-1, 2, "m"), v=(0.1, 3, "s"))
TEACHER = Formula.parse("u*v + 0.25*u^2 + 0.003*v", PLANE)
CLOSE = Formula.parse("u*v + 0.25*u^2 + 0.005", PLANE)
"""Off the teacher by 0.005 - 0.003*v: by up to 0.0047 at the lowest v."""


@cache
def proven_spec() -> BundleSpec:
    """A formula with a certificate, for a chip."""
    order = Order(
        name="plane", domain=PLANE, formula=CLOSE, formula_error=0.0047, truth=TEACHER,
        tolerance=0.01, output=Output("height", "m"), options=ExportConfig(table_bytes=64),
        target=load_target(read_option("target", "cortex_m0plus")), provenance={},
        own=TEACHER, why_not_own="",
    )  # fmt: skip
    return with_proof(order, build_formula(order, "float32", Silent()), Silent())


@cache
def all_specs() -> dict[str, BundleSpec | VectorSpec]:
    """Every kind of bundle by name."""
    return {**make_specs(), **make_vectors(), "plane": proven_spec()}


def write(spec: BundleSpec | VectorSpec, folder: Path) -> Path:
    """Write a bundle as `distill export` does."""
    if isinstance(spec, VectorSpec):
        return write_vector_bundle(spec, folder).directory
    return write_bundle(spec, folder).directory


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[[str], Path]:
    """Write the bundle of that name, and give its folder."""
    return lambda name: write(all_specs()[name], tmp_path / name)
