"""Random formulas through every printer, and those that once came out differently."""

from __future__ import annotations

import numpy as np
import pytest
from differential.exactly import exactly
from differential.generating import NAMES, Case, case
from differential.printers import check_printers
from differential.problem import Mistake
from differential.shrinking import shrunk
from differential.trying import try_batch

from distill.domain import Domain, Variable
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, complexity, postorder

SEED = 2026

PLAIN, UNCHECKED = 0, 4
"""Numbers of cases whose policy is to clamp, and to believe the caller."""

ONE = Domain.box(x=(-3, 2))
TWO = Domain.box(x=(-3, 2), y=(0.5, 4))
WHOLE = Domain((Variable("n", -3, 9, kind="integer"), Variable("b", 0, 1, kind="boolean")))

FOUND = [
    # C's `a < b ? a : b` gives the other one for a NaN, and the second of two zeros.
    ("max(acos(x), x)", ONE, PLAIN),
    ("min(x, acos(x))", ONE, PLAIN),
    ("max(-x*0, 0*x)", ONE, PLAIN),
    ("min(0*x, 0)", ONE, PLAIN),
    # Where the caller is believed, a whole number is not rounded, and -0 stays -0.
    ("n*4", WHOLE, UNCHECKED),
    ("b*4", WHOLE, UNCHECKED),
    # Arguments no float has: a function of our own would be scaled without bounds.
    ("exp(x*1e-315) + x", ONE, PLAIN),
    # Leading coefficients beyond 16 bits, where all coefficients were tiny.
    ("cube(x)", Domain.box(x=(1.5525e-6, 2.0076e-5)), PLAIN),
    # A power of a negative number has no logarithm; a bound of 8e-5 stood beside an error of 0.8.
    ("sin(n)^n", Domain((Variable("n", 5, 10, kind="integer"),)), PLAIN),
    # Many rows, and a bound at 0: NumPy's clip loses the sign of a zero.
    ("max(z, -0.5)", Domain.box(z=(0, 3)), PLAIN),
    # Never real, or never a number: sympy compares such things with nothing.
    ("max(acos(9), x)", ONE, PLAIN),
    ("min(y, asin(8 + abs(y)))", TWO, PLAIN),
    ("atan2(x - x, acos(-8)*y)", TWO, PLAIN),
    # A jump that a zero's sign decides.
    ("atan2(-tanh(x), -y)", TWO, PLAIN),
]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_random_formulas_agree_everywhere(compilers, first):
    cases = [case(SEED, number) for number in range(first, first + 20)]
    tally = try_batch(cases, compilers[:1])
    assert tally.mistakes == []
    for printer in ("text", "JSON", "FPCore", "NumPy", "torch"):
        assert tally.formulas[printer] == 20
    assert tally.formulas["sympy"] >= 15, "a part of some is a number nowhere"
    refusals = {printer for printer, _ in tally.refused}
    assert refusals <= {"fixed", "table", "float32", "own"}, "NumPy has all, double all but little"
    assert tally.formulas["fixed, bit for bit"] >= 5


@pytest.mark.slow
def test_more_random_formulas_and_every_compiler(compilers):
    tally = try_batch([case(SEED + 1, number) for number in range(400)], compilers)
    assert tally.mistakes == []
    assert tally.formulas["fixed, bit for bit"] >= 150


@pytest.mark.parametrize(("text", "domain", "number"), FOUND, ids=[text for text, *_ in FOUND])
def test_formulas_that_once_came_out_differently(compilers, text, domain, number):
    tally = try_batch([Case(number, Formula.parse(text, domain), 1e-3)], compilers[:1])
    assert tally.mistakes == []


@pytest.mark.parametrize("number", [5773, 6564, 6591, 8444, 9519])
def test_what_rounding_turns_or_a_zeros_sign_decides_is_no_mistake(compilers, number):
    # angles of millions, a value that only rounding has left, -0 to a caller who is believed
    tally = try_batch([case(1, number)], compilers[:1])
    assert tally.mistakes == []


def test_the_generator_reaches_everything_and_repeats_itself():
    cases = [case(5, number) for number in range(400)]
    assert cases[:20] == [case(5, number) for number in range(20)]
    used = {n.operator for c in cases for n in postorder(c.formula.tree) if isinstance(n, Call)}
    assert used == set(OPERATORS)
    sizes = [complexity(c.formula.tree) for c in cases]
    assert min(sizes) == 2
    assert 50 <= max(sizes) <= 60
    variables = [v for c in cases for v in c.formula.domain.variables]
    assert {v.kind for v in variables} == {"continuous", "integer", "boolean"}
    assert {v.scale for v in variables} == {"linear", "log"}
    assert {v.name for v in variables} == set(NAMES)


def test_a_printer_that_is_wrong_is_noticed_and_the_formula_made_small(monkeypatch):
    from distill.formula import to_torch

    monkeypatch.setitem(to_torch._TABLE, "cosh", lambda a: a.sinh())

    def wrong(given: Case) -> bool:
        x = given.formula.domain.sample(8)
        try:
            list(check_printers(given.formula, x))
        except Mistake as mistake:
            return mistake.printer == "torch"
        return False

    start = Case(0, Formula.parse("3.25*x + sqrt(y)*cosh(x/y - 1) - 7", TWO), 1e-3)
    assert wrong(start)
    least = shrunk(start, wrong)
    assert least.formula.complexity <= 3
    assert "cosh" in least.formula.text


def test_the_truth_is_that_of_real_numbers():
    x = np.array([[0.5, 2.0], [-1.0, 1.0], [0.0, 3.0]])
    found = exactly(Formula.parse("log(x) + y/x", TWO), x)
    assert found[0] == np.log(0.5) + 4
    assert np.isnan(found[1:]).all(), "no logarithm of -1, and none of 0"
    # In floats the sum loses all of x.
    assert exactly(Formula.parse("(x + 1e30) - 1e30", ONE), x[:1, :1])[0] == 0.5
