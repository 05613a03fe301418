"""The dimensions of a formula's nodes as linear equations, solved while the tree is walked.

Every node has a dimension, a linear combination of the dimensions of variables, of the output and
of constants; every operator adds equations. Constants are unknowns.

*Logarithms.* A change of the unit of x moves log(x) by a constant. So every node also has a
*charge*: the dimension whose logarithm moves it when units change. log(x) has the charge of x's
dimension, sums add charges, a constant factor scales them, and exp turns a charge into a dimension.
A constant addend has an unknown charge: ``2.3*log(x) + 4.1`` is consistent, since 4.1 takes up the
unit, and so is ``exp(8.1 - 1731/(t + 233))`` for a pressure. Everywhere else charges must vanish:
``sin(log(x))`` and ``y*log(x)`` are consistent only for a pure number x. Some curves of practice
break that rule, Steinhart and Hart's with the cube of the logarithm of a resistance among them:
they take the bare number, log(r / 1 ohm). Such a formula is consistent with ``bare`` logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from distill.formula.dimension import LARGEST_DENOMINATOR, PURE, Unit, read_unit
from distill.formula.operators import OPERATORS
from distill.formula.text import to_text
from distill.formula.tree import Call, Node, Number, Symbol, constants, symbols

TOLERANCE = 1e-6
"""Of exponents: fitted ones are off by rounding."""

ROUNDING = 1e-9
"""What is left of a coefficient when two cancel, as a part of them."""

LARGEST = 1e30
"""Coefficients end here: absurd constants must not make infinite ones."""

PURE_LIMIT, PURE_DENOMINATORS = 32, (1, 2, 3, 4, 6, 8)
"""Which constants look like pure numbers: small fractions with one of these denominators, also
times pi. Whatever has decimals (3.1) was measured or fitted."""

_PLAIN = frozenset(
    ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
)  # of a pure number
_POWERS = {"square": 2.0, "cube": 3.0, "inv": -1.0, "sqrt": 0.5, "cbrt": 1 / 3}

Key = tuple[str, int | str]
Form = dict[Key, float]


@dataclass(frozen=True, slots=True)
class ConstantUnit:
    """A constant, and its unit; None where the equations leave it open.

    ``logarithm`` says that it also holds the logarithm of a unit, so that its value changes with
    the units of the variables even where its own unit is that of a pure number.
    """

    value: float
    unit: Unit | None
    logarithm: bool = False

    def __str__(self) -> str:
        text = f"{self.value:.5g}"
        if self.unit is None:
            text += " (its unit cannot be determined)"
        elif self.unit.atoms:
            text += f" {self.unit}"
        return f"{text} (with the logarithm of a unit)" if self.logarithm else text


def looks_pure(value: float) -> bool:
    """Whether a constant is an integer, a simple fraction, or such a multiple of pi."""
    for scale in (1.0, math.pi):
        for q in PURE_DENOMINATORS:
            p = value / scale * q
            if abs(p) <= PURE_LIMIT and abs(p - round(p)) <= 1e-12 * abs(p):
                return True
    return False


class _Failed(Exception):
    def __init__(self, node: Node, reason: str) -> None:
        super().__init__(reason)
        self.node, self.reason = node, reason


class UnitEquations:
    """The equations of one tree, solved as they come; ``failure`` is the first without solution."""

    def __init__(
        self, tree: Node, units: Mapping[str, str], output: str, pure: bool, bare: bool
    ) -> None:
        self.values = constants(tree)
        self.known: dict[Key, Unit] = {}
        self.solved: dict[Key, Form] = {}
        self.pure, self.bare = pure, bare
        self.count = 0  # constants met so far
        self.fresh = 0
        for name in symbols(tree):
            self._state(("variable", name), units.get(name, ""))
        self._state(("output", ""), output)
        self.failure: tuple[Node, str] | None = None
        try:
            for i, value in enumerate(self.values):
                if pure and looks_pure(value):
                    for kind in ("constant", "charge"):
                        self._zero(tree, {(kind, i): 1.0}, "")
            form, charge = self.visit(tree)
            self._zero(tree, _mix(form, -1.0, {("output", ""): 1.0}), f"{_quoted(tree)} is not in "
                       f"the output's unit{f' ({output})' if output else ''}")  # fmt: skip
            self._uncharged(tree, tree, charge)
        except _Failed as failed:
            self.failure = failed.node, failed.reason

    def _state(self, key: Key, text: str) -> None:
        unit = read_unit(text)
        if unit is not None:
            self.known[key] = unit

    def constants(self) -> tuple[ConstantUnit, ...]:
        """What the solution says of each constant."""
        rows = []
        for i, value in enumerate(self.values):
            form, charge = (self._reduced({(kind, i): 1.0}) for kind in ("constant", "charge"))
            open_ = any(key not in self.known for key in form)
            held = ("charge", i) in self.solved and bool(charge)
            rows.append(ConstantUnit(value, None if open_ else self._unit(form), held))
        return tuple(rows)

    def visit(self, node: Node) -> tuple[Form, Form]:
        """The dimension and the charge of a node; its equations join."""
        if isinstance(node, Number):
            at, self.count = self.count, self.count + 1
            return {("constant", at): 1.0}, {("charge", at): 1.0}
        if isinstance(node, Symbol):
            return {("variable", node.name): 1.0}, {}
        forms, charges = zip(*map(self.visit, node.args), strict=True)
        if not symbols(node):
            # What a constant part takes up is found for the whole of it.
            nothing: tuple[Form, ...] = ({},) * len(charges)
            form = self._call(node, forms, nothing)[0]
            if self.pure and all(map(looks_pure, constants(node))):
                return form, {}
            self.fresh += 1
            return form, {("part", self.fresh): 1.0}
        return self._call(node, forms, charges)

    def _call(
        self, node: Call, forms: tuple[Form, ...], charges: tuple[Form, ...]
    ) -> tuple[Form, Form]:
        name, args = node.operator, node.args
        if name in ("mul", "div"):
            return self._product(node, forms, charges)
        if name == "pow":
            return self._power(node, forms, charges)
        if name in ("add", "sub", "min", "max"):
            self._same(node, 0, 1, forms)
            if name in ("min", "max"):
                self._zero(node, _mix(charges[0], -1.0, charges[1]), _LOGARITHM.format(node=name))
                return forms[0], charges[0]
            return forms[0], _mix(charges[0], 1.0 if name == "add" else -1.0, charges[1])
        if name == "ifless":
            for a, b in ((0, 1), (2, 3)):
                self._same(node, a, b, forms)
                self._zero(node, _mix(charges[a], -1.0, charges[b]), _LOGARITHM.format(node=name))
            return forms[2], charges[2]
        if name == "neg":
            return forms[0], _mix({}, -1.0, charges[0])
        if name == "exp":
            self._number(node, args[0], forms[0])
            return charges[0], {}
        for arg, charge in zip(args, charges, strict=True):
            self._uncharged(node, arg, charge)
        if name == "log":
            return {}, {} if self.bare else forms[0]
        if name == "abs":
            return forms[0], {}
        if name in _POWERS:
            return _mix({}, _POWERS[name], forms[0]), {}
        if name == "atan2":
            self._same(node, 0, 1, forms)
            return {}, {}
        if name not in _PLAIN:
            raise _Failed(node, f"what `{name}` does to units is not known")
        self._number(node, args[0], forms[0])
        return {}, {}

    def _product(
        self, node: Call, forms: tuple[Form, ...], charges: tuple[Form, ...]
    ) -> tuple[Form, Form]:
        """A constant factor scales a charge; any other needs charges of zero."""
        sign = 1.0 if node.operator == "mul" else -1.0
        form = _mix(forms[0], sign, forms[1])
        first, second = map(_value, node.args)
        if first is not None and node.operator == "mul":
            return form, _mix({}, first, charges[1])
        if second is not None:
            factor = second if node.operator == "mul" else (1 / second if second else 0.0)
            return form, _mix({}, factor, charges[0])
        for arg, charge in zip(node.args, charges, strict=True):
            if _value(arg) is None:
                self._uncharged(node, arg, charge)
        return form, {}

    def _power(
        self, node: Call, forms: tuple[Form, ...], charges: tuple[Form, ...]
    ) -> tuple[Form, Form]:
        base, exponent = node.args
        self._number(node, exponent, forms[1])
        power, root = _value(exponent), _value(base)
        if power is not None:
            self._uncharged(node, base, {} if root is not None else charges[0])
            return _mix({}, power, forms[0]), {}
        self._number(node, base, forms[0])
        if root is not None and root > 0:  # root^a is exp(log(root)*a)
            return _mix({}, math.log(root), charges[1]), {}
        self._uncharged(node, base, {} if root is not None else charges[0])
        self._uncharged(node, exponent, charges[1])
        return {}, {}

    def _same(self, node: Call, a: int, b: int, forms: tuple[Form, ...]) -> None:
        word = {"add": "added", "sub": "subtracted"}.get(node.operator, "compared")
        first, second = (self._shown(node.args[i], forms[i]) for i in (a, b))
        self._zero(node, _mix(forms[a], -1.0, forms[b]), f"{first} and {second} are {word}")

    def _number(self, node: Call, arg: Node, form: Form) -> None:
        where = "is an exponent" if node.operator == "pow" else f"stands in `{node.operator}`"
        if node.operator == "pow" and arg is node.args[0]:
            where = "is raised to a power that is not constant"
        self._zero(node, form, f"{self._shown(arg, form)} {where}")

    def _uncharged(self, node: Node, arg: Node, charge: Form) -> None:
        self._zero(node, charge, _LOGARITHM.format(node=to_text(arg, 5)))

    def _shown(self, node: Node, form: Form) -> str:
        rest = self._reduced(form)
        open_ = any(key not in self.known for key in rest)
        return _quoted(node) + ("" if open_ else f" ({self._unit(rest)})")

    def _unit(self, form: Form) -> Unit:
        unit = PURE
        for key, coefficient in form.items():
            power = Fraction(coefficient).limit_denominator(LARGEST_DENOMINATOR)
            unit = unit * self.known[key] ** power
        return unit

    def _reduced(self, form: Form) -> Form:
        rest: Form = {}
        for key, coefficient in form.items():
            rest = _mix(rest, coefficient, self.solved.get(key, {key: 1.0}))
        return rest

    def _zero(self, node: Node, form: Form, reason: str) -> None:
        """The equation form = 0 joins."""
        rest = self._reduced(form)
        unknown = [key for key in rest if key not in self.known]
        if not unknown:
            size = max(map(abs, form.values()), default=0.0)
            if _dimension_size(rest, self.known) > TOLERANCE * size:
                raise _Failed(node, reason)
            return
        # Constants give way before variables whose unit nobody stated.
        ours = [key for key in unknown if key[0] not in ("variable", "output")] or unknown
        pivot = max(ours, key=lambda key: abs(rest[key]))
        value = _mix({}, -1.0 / rest[pivot], {k: c for k, c in rest.items() if k != pivot})
        for key, old in self.solved.items():
            if pivot in old:
                left = {k: c for k, c in old.items() if k != pivot}
                self.solved[key] = _mix(left, old[pivot], value)
        self.solved[pivot] = value


_LOGARITHM = "the logarithm in `{node}` depends on a unit, and no constant takes it up"


def _dimension_size(form: Form, known: Mapping[Key, Unit]) -> float:
    total: dict[str, float] = {}
    for key, coefficient in form.items():
        for name, exponent in known[key].dimension.powers:
            total[name] = total.get(name, 0.0) + coefficient * float(exponent)
    return max(map(abs, total.values()), default=0.0)


def _mix(a: Form, factor: float, b: Form) -> Form:
    """A + factor * b, without what cancels."""
    mixed = dict(a)
    for key, coefficient in b.items():
        old, new = mixed.get(key, 0.0), factor * coefficient
        total = max(-LARGEST, min(LARGEST, old + new))
        if abs(total) > ROUNDING * max(abs(old), abs(new)):
            mixed[key] = total
        else:
            mixed.pop(key, None)
    return mixed


def _value(node: Node) -> float | None:
    """The value of a constant part; None for one with variables, or without a finite value."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Symbol):
        return None
    args = [value for arg in node.args if (value := _value(arg)) is not None]
    if len(args) < len(node.args):
        return None
    with np.errstate(all="ignore"):
        value = float(OPERATORS[node.operator].value(*map(np.float64, args)))
    return value if math.isfinite(value) else None


def _quoted(node: Node) -> str:
    return f"`{to_text(node, 5)}`"
