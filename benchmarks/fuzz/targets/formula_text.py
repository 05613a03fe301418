"""The reader of formulas: whatever it reads must be read again to the same tree."""

from __future__ import annotations

from distill.domain import Domain
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from fuzz.target import Target, Wrong

DOMAIN = Domain.box(x=(-2, 3, "m"), y=(0.1, 5), z_1=(-100, 100))
POINTS = DOMAIN.corners()


def once(data: bytes) -> None:
    """Parse, print, parse again, evaluate, and print for every other reader."""
    formula = Formula.parse(data.decode("utf-8", errors="replace"), DOMAIN)
    again = Formula.parse(formula.text, DOMAIN)
    if again != formula:
        raise Wrong(f"{formula.text} is read as another formula")
    formula.readable()
    formula.latex()
    formula.fpcore()
    formula(POINTS)


def seeds() -> list[bytes]:
    """A line for each operator, and some of each other."""
    calls = [f"{name}({', '.join('xyx1'[: row.arity])})" for name, row in OPERATORS.items()]
    texts = [
        *calls,
        "0.5*x^2 - -3e-5/y",
        "((x))",
        "x**-y**2",
        "-x^2",
        "ifless(x, 1, y, pi)",
        ".5e3",
    ]
    return [text.encode() for text in texts]


TARGET = Target(
    "formulas as text",
    once,
    seeds,
    words=(*OPERATORS, "pi", "**", "1e308", "5e-324", "z_1", "x", "y"),
)
