"""Tables of every layout, and a small network that is the teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.config.folder import read_option
from distill.domain import Domain, Variable
from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.lookup import Table
from distill.firmware.table_storing import store
from distill.firmware.target import Target, load_target
from distill.firmware.uneven_axes import FLOAT_UNITS, Placed, PowerOfTwo

GRID = Domain(
    (
        Variable("a", -3.3, 17.1),
        Variable("b", 0.013, 99.7),
        Variable("g", -1, 5, kind="integer"),
    )
)
PLANE = Domain.box(u=(-1, 2, "m"), v=(0.1, 3, "s"))


def layouts(arithmetic: str) -> Iterator[tuple[Axis, ...]]:
    """Axes of all kinds over GRID."""
    a, b, g = GRID.variables
    span = Axis(b, "fixed").span if arithmetic == "fixed" else FLOAT_UNITS
    shift = span.bit_length() - 4
    whole = Placed(b, arithmetic, (0,))
    top = whole.span >> whole.coarse
    placed = Placed(b, arithmetic, (0, *(int(top * part) for part in (0.03, 0.1, 0.7))))
    for first in (Even(a, arithmetic, 5), Even(a, arithmetic, 4, cubic=True)):
        yield first, Even(b, arithmetic, 9), Whole(g, arithmetic)
        yield first, PowerOfTwo(b, arithmetic, (0,), (shift,)), Axis(g, arithmetic)
        runs = (0, 4 << shift), (shift - 1, shift)
        yield first, PowerOfTwo(b, arithmetic, *runs), Even(g, arithmetic, 3)
        yield first, PowerOfTwo(b, arithmetic, *runs, cubic=True), Even(g, arithmetic, 3)
        yield first, placed, Whole(g, arithmetic)


def tables(arithmetic: str, kind: str, seed: int = 0) -> Iterator[Table]:
    """Tables of random values of all layouts."""
    rng = np.random.default_rng(seed)
    for axes in layouts(arithmetic):
        if kind == "float32" and not all(isinstance(x, Even) or x.order == 1 for x in axes):
            continue
        count = int(np.prod([axis.values for axis in axes]))
        yield store(GRID, axes, rng.normal(size=count) * 20 + 7, kind, arithmetic)


@pytest.fixture
def every_table() -> Callable[..., Iterator[Table]]:
    """Tables of an arithmetic and a type of values, of all layouts."""
    return tables


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Target]:
    """A target of conf/target by name."""
    return lambda name: load_target(read_option("target", name))


@pytest.fixture(scope="session")
def network() -> ClosedForm:
    """A 2-4-1 tanh network over PLANE."""
    rng = np.random.default_rng(4)
    first = Affine(rng.normal(size=(4, 2)) / 2, rng.normal(size=4))
    last = Affine(rng.normal(size=(1, 4)), rng.normal(size=1))
    return ClosedForm(Chain(2, (first, Apply("tanh", 4), last)), PLANE, 0)
