"""PySR's files read back: every row of real runs, and every way a file can be broken."""

import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.engines.pysr.custom import read_custom
from distill.engines.pysr.equations import (
    MAX_BYTES,
    MAX_ROWS,
    Row,
    read_equation,
    read_hall_of_fame,
)
from distill.errors import FormulaError
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.text import to_text
from distill.formula.tree import Symbol, constants, number

DATA = Path(__file__).parent / "data"
NAMES = ("temperature", "humidity", "pressure", "x_2")
AS_NODES = {name: Symbol(name) for name in NAMES}
X = np.random.default_rng(1).uniform(0.1, 3.0, size=(50, len(NAMES)))
WHOLE = """Complexity,Loss,Equation
1,2.5,"x0"
3,0.5,"x0 * 2.0"
"""
ROWS = (Row(1, 2.5, "x0", 0.0), Row(3, 0.5, "x0 * 2.0", math.log(5) / 2))

recorded = pytest.mark.parametrize("version", ["1.5.10", "2.0.0a2"])


def values(tree):
    return compile_tree(tree, NAMES)(X)


def value(text, **given):
    tree = read_equation(text, {name: Symbol(name) for name in given})
    return compile_tree(tree, tuple(given))(np.array([list(given.values())]))[0]


@recorded
def test_every_equation_of_a_real_run_means_what_sympy_read(version):
    rows = read_hall_of_fame(DATA / version / "hall_of_fame.csv")
    said = json.loads((DATA / version / "sympy_format.json").read_text())
    assert len(rows) == len(said)
    for row, meant in zip(rows, said, strict=True):
        tree = read_equation(row.equation, AS_NODES)
        np.testing.assert_allclose(values(tree), values(parse(meant, NAMES)), rtol=1e-12)


@recorded
def test_constants_are_those_of_the_file_to_the_bit(version):
    for file in ("hall_of_fame.csv", "hall_of_fame_output1.csv"):
        for row in read_hall_of_fame(DATA / version / file):
            read = constants(read_equation(row.equation, AS_NODES))
            assert read == [float(word) for word in re.findall(r"-?\d+\.\d+", row.equation)]


@recorded
def test_scores_are_those_that_pysr_gives(version):
    # The same run, once by Julia and once with PySR's scores, in lower case and unquoted.
    by_julia = read_hall_of_fame(DATA / version / "hall_of_fame.csv")
    by_pysr = DATA / version / "equations.csv"
    assert read_hall_of_fame(by_pysr) == by_julia
    told = [float(line.split(",")[3]) for line in by_pysr.read_text().splitlines()[1:]]
    assert [row.score for row in by_julia] == pytest.approx(told, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_while_the_file_is_written_the_backup_is_read(tmp_path, size):
    (tmp_path / "hall_of_fame.csv").write_text(WHOLE[:size])
    (tmp_path / "hall_of_fame.csv.bak").write_text(WHOLE)
    ends = [i + 1 for i, letter in enumerate(WHOLE) if letter == "\n"]
    expected = ROWS[:1] if size == ends[1] else ROWS
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == expected


def test_a_whole_file_is_newer_than_its_backup(tmp_path):
    (tmp_path / "hall_of_fame.csv").write_text(WHOLE)
    (tmp_path / "hall_of_fame.csv.bak").write_text(WHOLE + '5,0.1,"x0 * x0"\n')
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == ROWS


def test_of_two_broken_files_the_one_with_more_is_read(tmp_path):
    (tmp_path / "hall_of_fame.csv").write_text(WHOLE[:20])
    (tmp_path / "hall_of_fame.csv.bak").write_text(WHOLE[:-3])
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == ROWS[:1]


@pytest.mark.parametrize("content", [b"", b"\x00" * 500, b"\xff\xfe\x00", b"a,b,c\n1,2,3\n",
                                     b"Complexity,Loss,Equation", b"{}\n"])  # fmt: skip
def test_what_is_no_hall_of_fame_has_no_rows(tmp_path, content):
    (tmp_path / "hall_of_fame.csv").write_bytes(content)
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == ()


def test_no_file_and_a_folder_have_no_rows(tmp_path):
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == ()
    assert read_hall_of_fame(tmp_path) == ()


def test_bad_lines_are_skipped_and_the_others_read(tmp_path):
    lines = WHOLE.splitlines(keepends=True)
    bad = [
        "\n", "2\n", '2,x,"x0"\n', 'two,0.7,"x0"\n', '2,0.7,"x0\n', '2,0.7,"x0" * 2\n', "\x00\n",
        '2,0.7,"x0",0.1\n', '0,0.7,"x0"\n', f'{"9" * 400},0.7,"x0"\n', f'2,0.7,"{"x" * 200_000}"\n',
    ]  # fmt: skip
    (tmp_path / "hall_of_fame.csv").write_text("".join([*lines[:2], *bad, *lines[2:]]))
    assert read_hall_of_fame(tmp_path / "hall_of_fame.csv") == ROWS


def test_rows_without_a_finite_loss_are_left_out(tmp_path):
    text = WHOLE + '5,NaN,"x0"\n6,Inf,"x0"\n7,1.0f-3,"x0"\n8,0.0,"x0"\n'
    (tmp_path / "hall_of_fame.csv").write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = read_hall_of_fame(tmp_path / "hall_of_fame.csv")
    assert [(row.complexity, row.loss) for row in rows] == [(1, 2.5), (3, 0.5), (7, 1e-3), (8, 0.0)]
    assert rows[-1].score == math.inf


def test_of_a_huge_file_only_the_beginning_is_read(tmp_path):
    line = '9,0.25,"' + "x0 + " * 4000 + 'x0"\n'
    (tmp_path / "hall_of_fame.csv").write_text(WHOLE + line * (MAX_BYTES // len(line) + 100))
    rows = read_hall_of_fame(tmp_path / "hall_of_fame.csv")
    assert len(rows) == 2 + (MAX_BYTES - len(WHOLE)) // len(line) < MAX_ROWS


def test_of_many_rows_only_the_first_are_read(tmp_path):
    (tmp_path / "hall_of_fame.csv").write_text(WHOLE + '9,0.25,"x0"\n' * (2 * MAX_ROWS))
    assert len(read_hall_of_fame(tmp_path / "hall_of_fame.csv")) == MAX_ROWS


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_garbage_anywhere_never_raises(tmp_path, garbage, at):
    text = WHOLE.encode()
    (tmp_path / "hall_of_fame.csv").write_bytes(text[:at] + garbage + text[at:])
    for row in read_hall_of_fame(tmp_path / "hall_of_fame.csv"):
        assert row.complexity > 0
        assert math.isfinite(row.loss)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A sign before a number is the number's, before anything else in Julia's own text.
        ("-3.0 ^ 2.0", 9.0),
        ("(-3.0 ^ 2.0) * -2.0", -18.0),
        ("x - -3.0 ^ 2.0", 2.0 - 9.0),
        ("max(-3.0 ^ 2.0, -1.0)", 9.0),
        ("-(x) ^ 2.0", -4.0),
        ("1.0f-5 + 2.5f0", 2.50001),
        ("1.0e-5 * -1.5e3", -0.015),
        ("neg(3.0)", -3.0),
        ("plus(x, mult(3.0, sub(x, 1.0)))", 5.0),
        ("relu(x) + relu(-1.0)", 2.0),
        ("cond(x, 5.0) + cond(-1.0, 7.0) + cond(0.0, 7.0)", 5.0),
        ("greater(x, 1.0) + greater(1.0, x) + greater(x, x)", 1.0),
        ("less(x, 1.0) + less(1.0, x) + less(x, x)", 1.0),
        ("greater_equal(x, 1.0) + greater_equal(1.0, x) + greater_equal(x, x)", 2.0),
        ("less_equal(x, 1.0) + less_equal(1.0, x) + less_equal(x, x)", 2.0),
        ("logical_or(-1.0, x) + logical_or(-1.0, 0.0)", 1.0),
        ("logical_and(1.0, x) + logical_and(-1.0, x)", 1.0),
        ("sign(x) + 10.0 * sign(-0.5) + sign(0.0)", -9.0),
        ("clamp(x, 0.0, 1.0) + clamp(x, 3.0, 4.0)", 4.0),
        ("fma(x, 3.0, 1.0) + muladd(x, 3.0, 1.0)", 14.0),
        ("exp2(x) + exp10(x)", 104.0),
        ("expm1(x)", math.expm1(2)),
        ("log2(x) + log10(100.0)", 3.0),
        ("log1p(x)", math.log(3)),
        ("asinh(x)", math.asinh(2)),
        ("asinh(-1.0e12)", math.asinh(-1e12)),
        ("acosh(x)", math.acosh(2)),
        ("atanh(0.5)", math.atanh(0.5)),
        ("sec(x) * cos(x) + csc(x) * sin(x) + cot(x) * tan(x)", 3.0),
        ("atan2(1.0, -1.0)", 0.75 * math.pi),
        ("inv(x) + square(x) + cube(x) + cbrt(-8.0)", 10.5),
    ],
)
def test_what_julia_writes_is_read_as_julia_means_it(text, expected):
    assert value(text, x=2.0) == pytest.approx(expected, rel=1e-14)


def test_a_name_stands_for_a_tree_and_an_own_operator_for_its_formula():
    own = read_custom("softplus2f3(t) = log(1 + exp(t))")
    known = parse("humidity^2", NAMES)
    tree = read_equation("softplus2f3(x1) * x0 + -1.0f-5", {"x0": number(3.0), "x1": known}, [own])
    assert to_text(tree) == "log(1 + exp(humidity^2))*3 + -1e-05"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        *((f"x * {name}(x)", f"`{name}` is not a function")
          for name in ("gamma", "erf", "erfc", "floor", "ceil", "round", "atanh_clip", "softplus")),
        ("mod(x, 2.0)", "`mod` is not a function"),
        ("div(x, 2.0)", "`div` is not a function"),
        ("x * Inf", "`Inf` is not a variable"),
        ("NaN", "`NaN` is not a variable"),
        ("x * 1.0e400", "larger than any float64"),
        ("x + x7", "`x7` is not a variable"),
        ("relu(x, x)", "`relu` takes 1 arguments, not 2"),
        ("#1 + 2.0", "`#` cannot stand in a formula"),
        ("__import__('os').system('true')", "cannot stand in a formula"),
        ("", "expected a number"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_by_name(text, what):
    with pytest.raises(FormulaError) as caught:
        value(text, x=2.0)
    assert what in caught.value.what
