"""The functions that formulas and chains call, each with its turning points or its pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flint import arb

from distill.chain.functions import SELU_SCALE, SELU_SLOPE
from distill.checking.balls import HALF, ONE, UNDEFINED, ZERO, ball, ends, multiples, precise
from distill.checking.bends import (
    CubeRoot,
    Curve,
    Inverse,
    Line,
    Pieces,
    Series,
    Tanh,
    Turning,
    Turns,
    bend,
    no_turns,
)
from distill.checking.terms import Bend, Term

with precise():
    PI = arb.pi()
    _SIXTH = ONE / 6
    _ROOT = arb(3).sqrt()
    _BEND = (2 + _ROOT).log()
    _ERF = 2 / PI.sqrt()


def _zero(low: arb, high: arb) -> tuple[arb, ...]:
    return (ZERO,)


def _fixed(*points: arb) -> Turns:
    return lambda low, high: points


def _periodic(first: arb) -> Turns:
    return lambda low, high: multiples(PI, first, low, high)


def _above(x: arb, value: arb) -> arb:
    """The value where x is surely positive."""
    return value if x > 0 else UNDEFINED


EXP = Turning(arb.exp, arb.exp, arb.exp)
EXPM1 = Turning(arb.expm1, arb.exp, arb.exp)
LOG = Turning(arb.log, lambda x: _above(x, ONE / x), lambda x: _above(x, -ONE / (x * x)))
LOG1P = Turning(
    arb.log1p,
    lambda x: _above(ONE + x, ONE / (ONE + x)),
    lambda x: _above(ONE + x, -ONE / (ONE + x) ** 2),
)
SQRT = Turning(
    arb.sqrt, lambda x: _above(x, HALF * x.rsqrt()), lambda x: _above(x, -(x.rsqrt() ** 3) / 4)
)
SQUARE = Turning(lambda x: x * x, lambda x: 2 * x, lambda x: x * 0 + 2, (_zero, no_turns, no_turns))
CUBE = Turning(
    lambda x: x * x * x, lambda x: 3 * x * x, lambda x: 6 * x, (no_turns, _zero, no_turns)
)
SINH = Turning(arb.sinh, arb.cosh, arb.sinh, (no_turns, _zero, no_turns))
COSH = Turning(arb.cosh, arb.sinh, arb.cosh, (_zero, no_turns, _zero))
SIN = Turning(
    arb.sin,
    arb.cos,
    lambda x: -x.sin(),
    (_periodic(PI / 2), _periodic(ZERO), _periodic(PI / 2)),
)
COS = Turning(
    arb.cos,
    lambda x: -x.sin(),
    lambda x: -x.cos(),
    (_periodic(ZERO), _periodic(PI / 2), _periodic(ZERO)),
)
ATAN = Turning(
    arb.atan,
    lambda x: ONE / (ONE + x * x),
    lambda x: -2 * x / (ONE + x * x) ** 2,
    (no_turns, _zero, _fixed(-ONE / _ROOT, ONE / _ROOT)),
)
ASIN = Turning(
    arb.asin,
    lambda x: (ONE - x * x).rsqrt(),
    lambda x: x * (ONE - x * x).rsqrt() ** 3,
    (no_turns, _zero, no_turns),
)
ACOS = Turning(
    arb.acos,
    lambda x: -((ONE - x * x).rsqrt()),
    lambda x: -x * (ONE - x * x).rsqrt() ** 3,
    (no_turns, _zero, no_turns),
)
ERF = Turning(
    arb.erf,
    lambda x: _ERF * (-x * x).exp(),
    lambda x: -2 * _ERF * x * (-x * x).exp(),
    (no_turns, _zero, _fixed(-HALF.sqrt(), HALF.sqrt())),
)
TANH = Tanh()


class Tan:
    """tan between two of its poles."""

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        y = x.tan()
        return y, ONE + y * y

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        poles = multiples(PI, PI / 2, low, high)
        if poles is None or poles:
            return UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED
        a, b = low.tan(), high.tan()
        slopes = [ONE + a * a, ONE + b * b]
        if not (a > 0 or b < 0):
            slopes.append(ONE)
        curves = ends((2 * a * (ONE + a * a), 2 * b * (ONE + b * b)))
        return a.lower(), b.upper(), ball(*ends(slopes)), ball(*curves)


def _sigmoid(x: arb) -> arb:
    return HALF + HALF * (HALF * x).tanh()


def _sigmoid_slope(x: arb) -> arb:
    y = (HALF * x).tanh()
    return (ONE - y * y) / 4


def _sigmoid_curve(x: arb) -> arb:
    y = (HALF * x).tanh()
    return -y * (ONE - y * y) / 4


SIGMOID = Turning(
    _sigmoid, _sigmoid_slope, _sigmoid_curve, (no_turns, _zero, _fixed(-_BEND, _BEND))
)
SOFTPLUS = Turning(
    lambda x: x + (-x).exp().log1p() if x > 0 else x.exp().log1p(),
    _sigmoid,
    _sigmoid_slope,
    (no_turns, no_turns, _zero),
)
# With x in one place of the steep part wide intervals stay narrow; e^x may be as large as it is.
SILU = Series(lambda x: x * (ONE + (-x).exp()).inv())
MISH = Series(lambda x: x * (ONE - 2 * ((ONE + x.exp()) * (ONE + x.exp()) + ONE).inv()))
GELU = Series(lambda x: x * (HALF + HALF * (x * HALF.sqrt()).erf()))

_NONE = Line(ZERO)
_SAME = Line(ONE)
ABS = Pieces((ZERO,), (Line(-ONE), _SAME))
RELU = Pieces((ZERO,), (_NONE, _SAME))
SOFTSIGN = Pieces(
    (ZERO,),
    (
        Turning(lambda x: x / (1 - x), lambda x: (1 - x) ** -2, lambda x: 2 * (1 - x) ** -3),
        Turning(lambda x: x / (1 + x), lambda x: (1 + x) ** -2, lambda x: -2 * (1 + x) ** -3),
    ),
    smooth=True,
)
_SWISH = Turning(
    lambda x: x * (x + 3) / 6,
    lambda x: (2 * x + 3) / 6,
    lambda x: x * 0 + 2 * _SIXTH,
    (_fixed(arb(-1.5)), no_turns, no_turns),
)


def _steps(cuts: tuple[int, ...], lines: tuple[tuple[arb, arb], ...]) -> Pieces:
    return Pieces(tuple(map(arb, cuts)), tuple(Line(*line) for line in lines))


HARDTANH = _steps((-1, 1), ((ZERO, -ONE), (ONE, ZERO), (ZERO, ONE)))
RELU6 = _steps((0, 6), ((ZERO, ZERO), (ONE, ZERO), (ZERO, arb(6))))
HARDSIGMOID = _steps((-3, 3), ((ZERO, ZERO), (_SIXTH, HALF), (ZERO, ONE)))
HARDSWISH = Pieces((arb(-3), arb(3)), (_NONE, _SWISH, _SAME))


def exponential_unit(below: arb, above: arb) -> Pieces:
    """``below*(e^x - 1)`` below 0, ``above*x`` above."""
    part = Turning(
        lambda x: below * x.expm1(), lambda x: below * x.exp(), lambda x: below * x.exp()
    )
    return Pieces((ZERO,), (part, Line(above)), smooth=bool(below == above))


OPERATORS: dict[str, Curve] = {
    "acos": ACOS, "asin": ASIN, "atan": ATAN, "cbrt": CubeRoot(), "cos": COS, "cosh": COSH,
    "cube": CUBE, "exp": EXP, "inv": Inverse(), "log": LOG, "sin": SIN, "sinh": SINH, "sqrt": SQRT,
    "square": SQUARE, "tan": Tan(), "tanh": TANH,
}  # fmt: skip
"""The smooth operators of formulas that take one argument, by their names."""

_SMOOTH: dict[str, Curve] = {
    "cos": COS, "erf": ERF, "exp": EXP, "expm1": EXPM1, "gelu": GELU, "identity": _SAME,
    "inv": Inverse(), "log": LOG, "log1p": LOG1P, "mish": MISH, "sigmoid": SIGMOID, "silu": SILU,
    "sin": SIN, "softplus": SOFTPLUS, "sqrt": SQRT, "square": SQUARE, "tanh": TANH,
}  # fmt: skip
_PIECES: dict[str, Pieces] = {
    "abs": ABS, "hardsigmoid": HARDSIGMOID, "hardswish": HARDSWISH, "hardtanh": HARDTANH,
    "relu": RELU, "relu6": RELU6, "softsign": SOFTSIGN,
    "selu": exponential_unit(arb(SELU_SLOPE), arb(SELU_SCALE)),
}  # fmt: skip


def bender(name: str, parameter: float) -> Callable[[Term], Bend] | None:
    """What bends a term as a chain's function does; None where the function is not known here."""
    if name == "sign":
        return _sign
    curve = _SMOOTH.get(name)
    if curve is not None:
        return partial(bend, curve)
    pieces = _PIECES.get(name)
    if name == "leaky_relu":
        pieces = Pieces((ZERO,), (Line(arb(parameter)), _SAME))
    elif name == "elu":
        pieces = exponential_unit(arb(parameter), ONE)
    return None if pieces is None else pieces.bend


def _sign(x: Term) -> Bend:
    """-1, 0 or 1; undefined where x is."""
    low = -ONE if not x.low >= 0 else ZERO if not x.low > 0 else ONE
    high = ONE if not x.high <= 0 else ZERO if not x.high < 0 else -ONE
    if not x.range.is_finite():
        low, high = UNDEFINED, UNDEFINED
    whole = ball(low, high)
    return Bend(whole.mid(), ZERO, low, high, ZERO, ZERO, whole - whole.mid())
