"""Formulas of each number alone: their C is the step, bit for bit where no C library is asked."""

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.formula import Each
from distill.domain import Domain
from distill.errors import FormulaError
from distill.firmware.chains.code import chain_code
from distill.formula import Formula

X = Domain.box(x=(-4, 4))
EXACT = (
    "1.2/(inv(x) + 0.2)",
    "cube(x) - 0.3*square(x) + 0.1",
    "sqrt(abs(x - 0.7))/3",
    "ifless(x, 0.5, -x, max(x, 2) - min(x, 3))",
)


def chain(text: str) -> Chain:
    return Chain(3, (Each(Formula.parse(text, X), 3),))


@pytest.mark.parametrize("arithmetic", ["float32", "double"])
def test_formulas_without_a_c_library_give_the_same_bits(arithmetic, compilers, build) -> None:
    chains = {f"each{i}": chain(text) for i, text in enumerate(EXACT)}
    codes = {name: chain_code(c, name, arithmetic) for name, c in chains.items()}
    assert all(code.exact for code in codes.values())
    kind = np.float32 if arithmetic == "float32" else np.float64
    x = np.random.default_rng(0).uniform(-4, 4, (5000, 3)).astype(kind).astype(float)
    x[0] = [0.0, 0.5, -4.0]
    program = build(codes, chains.values(), next(iter(compilers.values())))
    for name, c in chains.items():
        assert program(name, x).tobytes() == c.evaluate(x, arithmetic).tobytes(), name


def test_functions_of_the_c_library_are_said_to_round_as_they_like() -> None:
    code = chain_code(chain("tanh(0.5*x)"), "soft", "float32")
    assert not code.exact
    assert code.headers == ("math.h",)
    assert "tanhf(" in code.functions


def test_equal_formulas_share_their_c() -> None:
    step = Each(Formula.parse("0.5*x + 1", X), 3)
    code = chain_code(Chain(3, (step, step, Each(Formula.parse("0.5*x", X), 3))), "twice", "double")
    assert code.functions.count("static double twice_formula") == 2
    assert code.functions.count("static void twice_each") == 2


def test_a_formula_of_two_variables_is_refused() -> None:
    both = Formula.parse("x + y", Domain.box(x=(0, 1), y=(0, 1)))
    with pytest.raises(FormulaError, match="2 variables, not one"):
        Each(both, 3)
