from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.fixed.formats import hold, input_format
from distill.firmware.graph import Arithmetic
from distill.firmware.subexpressions import dear_parts, subexpression_tables
from distill.formula import Formula

FLOW = Domain.box(p=(1, 10, "bar"), t=(250, 350, "K"), d=(0.1, 2, "bar"), b=(0.3, 0.7), k=(1, 2))
ORIFICE = Formula.parse("k*b^2.1/sqrt(1 - b^4)*sqrt(p*d)*exp(-t/300) + 0.1*log(p)", FLOW)
COSTS = {"add": 1.0, "sub": 1.0, "mul": 1.0, "neg": 1.0, "div": 3.0, "pow": 30.0, "sqrt": 8.0,
         "exp": 20.0, "log": 20.0}  # fmt: skip


def test_the_parts_are_the_largest_of_two_inputs() -> None:
    parts = dear_parts(ORIFICE.tree, COSTS, dear=10)
    texts = [Formula(node, FLOW).text for node in parts]
    assert any("exp" in text for text in texts)
    assert any("log" in text for text in texts)
    for node in parts:
        assert not any(node in other.args for other in parts if other is not node)
    assert dear_parts(ORIFICE.tree, COSTS, dear=1000) == []


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_five_inputs_fit_into_few_bytes(arithmetic: Arithmetic) -> None:
    tabled = subexpression_tables(
        ORIFICE, 0.01, COSTS, max_bytes=600, dear=10, arithmetic=arithmetic
    )
    x = np.vstack([FLOW.corners(), FLOW.sample(50_000, seed=4)])
    assert np.abs(tabled(x) - ORIFICE(x)).max() <= 0.01
    assert tabled.bytes <= 600
    assert len(tabled.parts) >= 3
    for part in tabled.parts:
        # The formula that is left knows nothing of what the tables replace.
        assert part.variable.name in tabled.formula.text
        assert len(part.columns) <= 2
        answers = part.table(x[:, part.columns])
        assert answers.min() >= part.variable.low
        assert answers.max() <= part.variable.high
        if arithmetic == "fixed":
            # A table's integers are the formula's inputs as they are.
            assert part.table.output == input_format(part.variable)
            q = hold(x[:9, part.columns], part.table.domain)
            np.testing.assert_array_equal(
                part.table.output.reals(part.table.read_integers(q)), answers[:9]
            )


def test_a_looser_tolerance_takes_fewer_bytes() -> None:
    simple = Formula.parse("k*exp(-t/300) + sqrt(p*d)*b", FLOW)
    sizes = [
        subexpression_tables(simple, tolerance, COSTS, max_bytes=5000, dear=10).bytes
        for tolerance in (0.1, 0.003)
    ]
    assert all(a < b for a, b in pairwise(sizes))


def test_nothing_worth_a_table_and_too_few_bytes_are_said() -> None:
    with pytest.raises(ExportError, match="costs 1000 or more"):
        subexpression_tables(ORIFICE, 0.01, COSTS, max_bytes=600, dear=1000)
    with pytest.raises(ExportError, match="are allowed"):
        subexpression_tables(ORIFICE, 0.01, COSTS, max_bytes=12, dear=10)
