"""The printers mean what NumPy means, know every operator, and refuse an unknown one."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from hypothesis import example, given, settings

from distill.domain import Domain, Variable
from distill.errors import FormulaError
from distill.formula import Formula, to_fpcore, to_latex, to_sympy, to_torch
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.tree import Call, Symbol

from .strategies import DOMAIN, NAMES, points, tame, trees

X = Symbol("x")
PRINTERS = {
    "sympy": to_sympy.to_sympy,
    "latex": to_latex.to_latex,
    "fpcore": lambda tree: to_fpcore.to_fpcore(tree, DOMAIN),
    "torch": lambda tree: to_torch.FormulaModule(tree, NAMES),
}


@pytest.mark.parametrize("printer", PRINTERS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_every_printer_knows_every_operator(printer, operator):
    args = (X, Symbol("y"), Symbol("z_1"), X)[: OPERATORS[operator].arity]
    assert PRINTERS[printer](Call(operator, args)) is not None


@pytest.mark.parametrize("printer", PRINTERS)
def test_an_operator_that_a_printer_does_not_know_is_refused(printer, monkeypatch):
    monkeypatch.setitem(OPERATORS, "sec", replace(OPERATORS["cos"], name="sec"))
    with pytest.raises(FormulaError, match="`sec`"):
        PRINTERS[printer](Call("add", (X, Call("sec", (X,)))))


def _agree(found, expected, tree):
    """Equal where both are finite, up to rounding that cancellation may have made larger."""
    both = np.isfinite(expected) & np.isfinite(found)
    assert np.allclose(found[both], expected[both], rtol=1e-9, atol=1e-9), tree


TAME = ("add", "sub", "mul", "neg", "square", "sin", "cos", "tanh", "atan", "abs", "min", "max",
        "cbrt", "cosh", "exp", "atan2")  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(trees(sorted(set(OPERATORS) - {"ifless"}), tame))  # a last digit decides its branch
@example(parse("cbrt(x)*cbrt(-8) + sqrt(x)*x^2.5 + (-2)^3", NAMES))
def test_torch_computes_what_numpy_computes(tree):
    x = points()
    with torch.no_grad():
        found = PRINTERS["torch"](tree)(torch.from_numpy(x)).numpy()
    expected = Formula(tree, DOMAIN)(x)
    assert found.shape == (len(x), 1)
    assert found.dtype == np.float64
    # near poles and powers the last digit of an argument is everything: compare where it is not
    nudged = np.array([Formula(tree, DOMAIN)(x * (1 + e)) for e in (1e-13, -1e-13)])
    with np.errstate(all="ignore"):
        steady = (np.abs(nudged - expected) <= 1e-9 * (1 + np.abs(expected))).all(axis=0)
    _agree(found[steady, 0], expected[steady], tree)


@settings(max_examples=40, deadline=None)
@given(trees(TAME, tame, leaves=5))
@example(parse("cbrt(x)*y + x^3/y - 1/z_1 + inv(y)", NAMES))
@example(parse("sqrt(square(x)) + log(exp(x)) + 0.1*3", NAMES))
@example(parse("asin(sin(x)) + acos(0.5*tanh(x)) + sinh(x)/y + tan(0.1*x)", NAMES))
def test_sympy_computes_what_numpy_computes(tree):
    x = points(4, seed=2)
    expression = to_sympy.to_sympy(tree)
    expected = Formula(tree, DOMAIN)(x)
    symbols = [sympy.Symbol(name, real=True) for name in NAMES]
    for row, value in zip(x, expected, strict=True):
        if abs(value) < 1e12:  # sympy keeps more digits than float64 has
            bound = dict(zip(symbols, map(float, row), strict=True))
            found = complex(expression.xreplace({s: sympy.Float(v, 30) for s, v in bound.items()}))
            assert found.imag == pytest.approx(0.0, abs=1e-9)
            assert found.real == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_sympy_is_asked_for_no_angle_of_complex_numbers():
    # Is it zero? is it real? is it zero? ... and no answer, or RecursionError, as it happens.
    formula = Formula.parse("atan(sinh(atan2(1, acos(x - x - 4))))", DOMAIN)
    assert formula.sympy is sympy.nan


def test_sympy_symbols_are_real_and_constants_exact():
    expression = Formula.parse("0.1*x + 3 + 1e-300*y", DOMAIN).sympy
    assert all(symbol.is_real for symbol in expression.free_symbols)
    numbers = {float(n): n for n in expression.atoms(sympy.Number)}
    assert numbers[3.0] == sympy.Integer(3)
    assert isinstance(numbers[3.0], sympy.Integer)
    assert sympy.Rational(numbers[0.1]) == sympy.Rational(*(0.1).as_integer_ratio())
    assert sympy.Rational(numbers[1e-300]) == sympy.Rational(*(1e-300).as_integer_ratio())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(2^1000)^1000 + x", "inf"),
        ("2^(-1000000000) + x", "x"),
        ("(2*x)^1000000000", "power"),
        ("((((2*x)^1000)^1000)^1000)^1000", "power"),
        ("log(-1)*x", "nan"),
        ("0/0", "nan"),
    ],
)
def test_sympy_is_never_asked_for_huge_or_complex_numbers(text, kind):
    expression = Formula.parse(text, DOMAIN).sympy
    x = sympy.Symbol("x", real=True)
    if kind == "power":
        assert expression.atoms(sympy.Pow)
        assert len(str(expression)) < 200
    else:
        assert expression == {"inf": sympy.oo, "x": x, "nan": sympy.nan}[kind] or expression == (
            x + sympy.oo
        )


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x + -2*y", r"x - 2 \, y"),
        ("x - -2*y", r"x + 2 \, y"),
        ("x - (y - 1)", r"x - \left(y - 1\right)"),
        ("x - (y + -1)", r"x - \left(y - 1\right)"),
        ("(x + 1)*(y - 1)", r"\left(x + 1\right) \, \left(y - 1\right)"),
        ("2*3*x", r"2 \cdot 3 \, x"),
        ("x*-2", r"x \, \left(-2\right)"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("-x^2", r"-x^{2}"),
        ("(-x)^2", r"\left(-x\right)^{2}"),
        ("(-2)^x", r"\left(-2\right)^{x}"),
        ("(x^y)^2", r"\left(x^{y}\right)^{2}"),
        ("x^y^2", r"x^{y^{2}}"),
        ("(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
        ("x/(y + 1)", r"\frac{x}{y + 1}"),
        ("-3*x/y", r"-\frac{3 \, x}{y}"),
        ("x + (-3)/y", r"x - \frac{3}{y}"),
        ("(-x + 1)/y", r"\frac{-x + 1}{y}"),
        ("inv(x)", r"\frac{1}{x}"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("cbrt(x)^2", r"\left(\sqrt[3]{x}\right)^{2}"),
        ("square(sin(x))", r"\left(\sin\left(x\right)\right)^{2}"),
        ("abs(x)^3", r"\left|x\right|^{3}"),
        ("exp(-x)", r"e^{-x}"),
        ("exp(x)^2", r"\left(e^{x}\right)^{2}"),
        (
            "ifless(x, 3, 1, y + 2)",
            r"\begin{cases} 1 & \text{if } x < 3 \\ y + 2 & \text{otherwise} \end{cases}",
        ),
        (
            "2*ifless(x, 3, 1, 2)",
            r"2 \, \left(\begin{cases} 1 & \text{if } x < 3 \\ 2 & \text{otherwise} "
            r"\end{cases}\right)",
        ),
        ("atan2(y, x)", r"\mathrm{atan2}\left(y, x\right)"),
        ("1.2e-5*x", r"1.2 \cdot 10^{-5} \, x"),
        ("1e7^2", r"\left(10^{7}\right)^{2}"),
        ("x^1.2e-5", r"x^{1.2 \cdot 10^{-5}}"),
        ("x - 1e-9", r"x - 10^{-9}"),
        ("0.123456789*x", r"0.12346 \, x"),
        ("z_1 + x", r"\mathrm{z\_1} + x"),
    ],
)
def test_latex(text, latex):
    assert Formula.parse(text, DOMAIN).latex() == latex


@settings(max_examples=50, deadline=None)
@given(trees(sorted(set(OPERATORS) - {"ifless"}), leaves=8))  # mathtext has no cases
def test_latex_is_understood_by_a_reader_of_latex(tree):
    from matplotlib.mathtext import MathTextParser

    text = to_latex.to_latex(tree)
    assert "--" not in text
    assert "+ -" not in text
    assert MathTextParser("path").parse(f"${text}$").width > 0


# A reader of FPCore written for this test: expressions of lists, with its own table of meanings.
MEANINGS = {
    "+": np.add, "*": np.multiply, "/": np.divide, "pow": np.power, "sqrt": np.sqrt,
    "cbrt": np.cbrt, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "fabs": np.abs, "fmin": np.minimum,
    "fmax": np.maximum, "if": np.where, "<": np.less, "trunc": np.trunc,
    "-": lambda *a: -a[0] if len(a) == 1 else a[0] - a[1],
    "<=": lambda a, b, c: (a <= b) & (b <= c), "==": lambda a, b: a == b,
    "and": lambda *a: np.logical_and.reduce(np.broadcast_arrays(*a)),
}  # fmt: skip
DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]+)?|\.[0-9]+)(e[-+]?[0-9]+)?\Z")


def _read(text):
    stack = [[]]
    for token in re.findall(r"[()\[\]]|[^\s()\[\]]+", text):
        if token in "([":
            stack.append([])
        elif token in ")]":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    (result,) = stack[0]
    return result


def _value(node, names):
    if isinstance(node, str):
        return np.float64(node) if DECIMAL.match(node) else names[node]
    if node[0] == "let":
        bound = {name: _value(value, names) for name, value in node[1]}
        return _value(node[2], names | bound)
    with np.errstate(all="ignore"):
        return MEANINGS[node[0]](*(_value(a, names) for a in node[1:]))


@settings(max_examples=100, deadline=None)
@given(trees())
def test_fpcore_means_what_numpy_means(tree):
    head, names, *properties, body = _read(to_fpcore.to_fpcore(tree, DOMAIN))
    assert (head, names) == ("FPCore", list(NAMES))
    assert properties[:3] == [":precision", "binary64", ":pre"]
    x = points(8)
    found = np.broadcast_to(_value(body, dict(zip(names, x.T, strict=True))), len(x))
    expected = Formula(tree, DOMAIN)(x)
    # the same operations in the same order give the same bits
    assert np.array_equal(found, expected, equal_nan=True)


def test_the_precondition_of_fpcore_is_the_domain():
    domain = Domain(
        (Variable("PI", -0.5, 1e-7), Variable("n", 2, 9, kind="integer"), Variable("t", 1, 2))
    )
    text = Formula.parse("PI + square(n + t)", domain).fpcore()
    _, names, *_, condition, body = _read(text)
    assert names == ["PI.", "n", "t"], "PI is a constant in FPCore"
    inside = [[0.0, 2, 1], [1e-7, 9, 2], [-0.5, 5, 1.5]]
    outside = [[2e-7, 2, 1], [0.0, 2.5, 1], [0.0, 10, 1], [0.0, 2, 0.9]]
    for row in inside + outside:
        bound = dict(zip(names, map(np.float64, row), strict=True))
        assert bool(_value(condition, bound)) == (row in inside), row
        assert _value(body, bound) == row[0] + (row[1] + row[2]) ** 2


def test_constants_of_the_module_are_trained_only_on_request():
    tree = parse("2*x + 5*y", NAMES)
    fixed = to_torch.FormulaModule(tree, NAMES)
    assert list(fixed.parameters()) == []
    assert fixed.state_dict()["constants"].tolist() == [2.0, 5.0]
    module = to_torch.FormulaModule(tree, NAMES, trainable=True)
    x = torch.from_numpy(points(16))
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=50)

    def loss():
        optimizer.zero_grad()
        value = ((module(x)[:, 0] - (x[:, 0] - 3 * x[:, 1])) ** 2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    assert module.constants.tolist() == pytest.approx([1.0, -3.0], abs=1e-5)


def test_the_module_takes_float32_and_tells_gradients():
    module = Formula.parse("x^2*y + 3", DOMAIN).to_torch()
    x = torch.tensor([[1.5, 2.0, 0.0]], dtype=torch.float32, requires_grad=True)
    out = module(x)
    out.sum().backward()
    assert out.tolist() == [[7.5]]
    assert x.grad.tolist() == [[6.0, 2.25, 0.0]]
    assert Formula.parse("7", DOMAIN).to_torch()(x).tolist() == [[7.0]]


def test_module_with_an_unknown_variable():
    with pytest.raises(FormulaError, match="uses `q`"):
        to_torch.FormulaModule(Symbol("q"), NAMES)


def test_a_formula_shows_itself():
    formula = Formula.parse("0.123456789*x + sqrt(y)", DOMAIN)
    assert str(formula) == "0.12346*x + sqrt(y)"
    assert formula._repr_latex_() == r"$0.12346 \, x + \sqrt{y}$"
    assert math.isclose(formula(np.array([[1.0, 4.0, 0.0]]))[0], 2.123456789)
