"""Minimised logic and packed tables: equal to the truth on every input, in Python and in C."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.domain import Domain, Variable
from distill.engines.boolean import boolean_candidates
from distill.errors import DomainError, FormulaError, SampleError
from distill.firmware.chains.code import chain_code
from distill.firmware.toolchains.host import host_compilers
from distill.formula import Formula
from distill.formula.tree import complexity, symbol
from distill.logic import equation, equations, logic_chain, minimise, minimise_together
from distill.logic.build import logic_steps
from distill.logic.implicants import TooMany, irredundant, primes
from distill.sampling.designs import exhaustive

STRICT = [
    "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror",
    "-ffp-contract=off",
]  # fmt: skip


def bits(count: int) -> Domain:
    return Domain(tuple(Variable(f"x{i}", 0, 1, kind="boolean") for i in range(count)))


MIXED = Domain(
    (
        Variable("mode", -2, 3, kind="integer"),
        Variable("on", 0, 1, kind="boolean"),
        Variable("level", 5, 9, kind="integer"),
    )
)


def fewest_by_trying(truth: np.ndarray) -> int:
    """How many cubes a sum needs, by trying all sums of one more: a reference without algebra."""
    n = len(truth).bit_length() - 1
    words = np.arange(len(truth))
    inside = [
        words & mask == value
        for mask in range(1 << n)
        for value in range(1 << n)
        if value & ~mask == 0 and truth[words & mask == value].all()
    ]
    sums = {np.zeros(len(truth), bool).tobytes()}
    for count in range(1 << n):
        if truth.tobytes() in sums:
            return count
        sums = {(np.frombuffer(s, bool) | cube).tobytes() for s in sums for cube in inside}
    raise AssertionError


@pytest.mark.parametrize("number", range(256))
def test_all_functions_of_three_bits_are_minimal(number: int) -> None:
    truth = np.array([number >> row & 1 for row in range(8)], dtype=bool)
    found = minimise(truth)
    assert found.proven
    assert (found.truth() == truth).all()
    assert len(found) == fewest_by_trying(truth)


@pytest.mark.parametrize("n", [1, 5, 8, 10, 12])
def test_random_functions_keep_their_truth(n: int) -> None:
    rng = np.random.default_rng(n)
    truth, care = rng.random(1 << n) < 0.4, rng.random(1 << n) < 0.6
    free = minimise(truth, care)
    assert (free.truth()[care] == truth[care]).all()
    assert len(free) <= len(minimise(truth))


def test_free_rows_make_sums_shorter() -> None:
    truth = np.arange(16) == 9
    assert minimise(truth).literals == 4
    assert minimise(truth, np.isin(np.arange(16), [0, 1, 2, 3, 9])).literals == 1


def test_beside_sympy() -> None:
    sympy = pytest.importorskip("sympy", reason="a declared dependency")
    from sympy.logic import SOPform

    truth = np.random.default_rng(3).random(64) < 0.5
    theirs = SOPform(sympy.symbols("a:f"), [int(i) for i in np.flatnonzero(truth)])
    assert len(minimise(truth)) <= len(theirs.args)


def test_cubes_are_shared() -> None:
    rows = np.arange(64)
    common = rows & 7 == 5
    truths = np.stack([common | (rows >> 3 == 6), common | (rows >> 3 == 1)], axis=1)
    cover = minimise_together(truths)
    assert (cover.truth() == truths).all()
    assert cover.proven
    assert (len(cover.masks), [len(s) for s in cover.sums]) == (3, [2, 2])


def test_opposites_where_they_are_shorter() -> None:
    truth = (np.arange(16) != 6)[:, None]
    cover = minimise_together(truth)
    assert cover.inverted.tolist() == [1]
    assert len(cover.masks) == 1
    assert (cover.truth() == truth).all()


def test_irredundant_sum_loses_nothing_without_any_cube() -> None:
    truth = np.random.default_rng(0).random(256) < 0.5
    cubes = irredundant(truth, truth, 256)
    known = {tuple(row) for row in primes(truth).tolist()}
    grid = np.stack(np.unravel_index(np.arange(256), (2,) * 8), axis=1)
    held = ((cubes[None] == 2) | (cubes[None] == grid[:, None])).all(axis=2)
    assert (held.any(axis=1) == truth).all()
    assert all((held.sum(axis=1)[held[:, i]] == 1).any() for i in range(len(cubes)))
    assert len(known) > len(cubes)
    with pytest.raises(TooMany):
        irredundant(truth, truth, 20)


def test_twenty_inputs_with_a_short_sum() -> None:
    words = np.arange(1 << 20)
    truth = (words >> 19 & words >> 3 & 1 == 1) | (words & 6 == 2)
    found = minimise(truth)
    assert (found.truth() == truth).all()
    assert found.literals == 4


def test_equations_are_read() -> None:
    truth = np.array([0, 1, 0, 1, 1, 1, 0, 1], dtype=bool)
    assert equation(minimise(truth), ("a", "b", "c")) == "a & ~b | c"
    assert equation(minimise(np.zeros(2, bool)), ("a",)) == "0"
    assert equation(minimise(np.ones(2, bool)), ("a",)) == "1"
    domain = Domain((Variable("n", 3, 6, kind="integer"),))
    step, _ = logic_steps(np.array([0.0, 1.0, 1.0, 0.0]), domain)
    assert isinstance(step, Logic)
    assert equations(step, domain) == ["~n_1 & n_0 | n_1 & ~n_0"]


def answers_of(name: str) -> tuple[Domain, np.ndarray]:
    """Cases with all their answers: domains, outputs of bits, numbers and other levels."""
    rng = np.random.default_rng(7)
    if name == "sixteen functions":
        return bits(2), np.array([[f >> row & 1 for f in range(16)] for row in range(4)], float)
    if name == "mixed":
        return MIXED, np.stack([rng.choice([-1.5, 0.25, 7.0], 60), rng.integers(0, 6, 60)], axis=1)
    if name == "constant":
        return bits(3), np.full((8, 1), 2.5)
    if name == "wide rows":
        return bits(5), rng.integers(0, 200, (32, 5)).astype(float)
    x = exhaustive(bits(7), 128, 0)
    return bits(7), np.stack([x.sum(axis=1) > 3, (x[:, 0] + x[:, 6]) % 2 == 1], axis=1) * 1.0


CASES = ["sixteen functions", "mixed", "constant", "wide rows", "majority"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("real", ["float32", "double"])
def test_both_forms_in_python_and_c_on_every_input(case: str, real: str, tmp_path: Path) -> None:
    domain, answers = answers_of(case)
    x = exhaustive(domain, 1 << 20, 0)
    # Besides the domain: off its points, outside and without a value.
    odd = np.vstack([x + 0.3, x - 0.49, x * 40, -x * 1e30, x * np.nan, x + 0.49999997])
    steps = logic_steps(answers, domain)
    assert isinstance(steps[-1], Packed)
    for step in steps:
        chain = Chain(len(domain), (step,))
        assert (chain.evaluate(x, real) == answers).all()
        points = np.vstack([x, odd])
        found = in_c(chain, points, real, tmp_path / type(step).__name__.lower())
        assert found.tobytes() == chain.evaluate(points, real).tobytes()


def in_c(chain: Chain, x: np.ndarray, real: str, folder: Path) -> np.ndarray:
    folder.mkdir()
    code = chain_code(chain, "f", real)
    number = "float" if real == "float32" else "double"
    reads = "".join(f"#define F_{read}(p) (*(p))\n" for read in code.reads)
    arrays = "".join(a.declaration + " = {\n" + "\n".join(a.rows) + "\n};\n" for a in code.arrays)
    headers = "".join(f"#include <{header}>\n" for header in code.headers)
    door = f"void f(const {number} *x, {number} *y);\n"
    door += f"void f(const {number} *x, {number} *y) {{ {code.function}(x, y); }}\n"
    (folder / "f.c").write_text(headers + reads + arrays + code.functions + door)
    compiler = host_compilers()[0]
    flags = [*STRICT, "-shared", "-fPIC", "f.c", "-o", "f.so"]
    done = compiler.run(flags, folder)
    assert done.status == 0, done.complaint
    function = ctypes.CDLL(str(folder / "f.so")).f
    kind = np.float32 if real == "float32" else np.float64
    y = np.empty((len(x), chain.outputs), dtype=kind)
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(x, dtype=kind)
    for row, into in zip(rows, y, strict=True):
        function(row.ctypes.data_as(ctypes.c_void_p), into.ctypes.data_as(ctypes.c_void_p))
    return y.astype(np.float64)


@pytest.mark.parametrize("case", CASES)
def test_expansions_answer_the_same_and_growth_bounds_them(case: str) -> None:
    domain, answers = answers_of(case)
    x = exhaustive(domain, 1 << 20, 0)
    for step in logic_steps(answers, domain):
        grown = step.growth([1] * len(domain))
        if max(grown) > 20_000:
            with pytest.raises(FormulaError, match="nodes"):
                step.expand([symbol(name) for name in domain.names])
            continue
        trees = step.expand([symbol(name) for name in domain.names])
        for tree, size, column in zip(trees, grown, answers.T, strict=True):
            assert complexity(tree) <= size
            assert (Formula(tree, domain)(x) == column).all()


def test_the_smaller_form_is_taken() -> None:
    x = exhaustive(bits(8), 256, 0)
    few = logic_chain((x[:, 0] * x[:, 5] * x[:, 7]), bits(8))
    assert isinstance(few.steps[0], Logic)
    many = logic_chain((x.sum(axis=1) % 2), bits(8))
    assert isinstance(many.steps[0], Packed)


def test_rows_that_never_occur_are_free() -> None:
    x = exhaustive(bits(4), 16, 0)
    answers = x[:, :1].copy()
    answers[[1, 5, 9]] = np.nan
    chain = logic_chain(answers, bits(4))
    kept = ~np.isnan(answers[:, 0])
    assert (chain.evaluate(x)[kept] == answers[kept]).all()
    (step,) = chain.steps
    assert isinstance(step, Logic)
    assert equations(step, bits(4)) == ["x0"]


def test_candidates_are_exact_and_short() -> None:
    x = exhaustive(MIXED, 60, 0)
    y = np.where((x[:, 0] > 0) & (x[:, 2] < 7), 4.0, -1.0)
    found = boolean_candidates(x, y, MIXED)
    assert found
    assert all((formula(x) == y).all() for formula in found)
    assert [f.complexity for f in found] == sorted(f.complexity for f in found)
    assert found[0].complexity <= 10
    some = np.arange(0, 60, 2)
    assert all((f(x[some]) == y[some]).all() for f in boolean_candidates(x[some], y[some], MIXED))


def test_no_candidates_where_logic_has_none() -> None:
    x = exhaustive(bits(2), 4, 0)
    assert boolean_candidates(x, np.array([0, 1, np.nan, 0.0]), bits(2)) == []
    twice = np.vstack([x, x])
    assert boolean_candidates(twice, np.array([0.0, 1, 1, 0, 1, 1, 1, 0]), bits(2)) == []
    assert boolean_candidates(x, np.zeros(4), Domain.box(x0=(0, 1), x1=(0, 1))) == []
    assert boolean_candidates(np.zeros((1, 13)), np.zeros(1), bits(13)) == []


def test_limits_say_what_to_do() -> None:
    with pytest.raises(DomainError, match="2,097,152 points; 1,048,576") as many:
        logic_chain(np.zeros(1), bits(21))
    assert "narrow the bounds" in many.value.hint
    with pytest.raises(DomainError, match="`x0` is continuous"):
        logic_chain(np.zeros(1), Domain.box(x0=(0, 1)))
    with pytest.raises(SampleError, match="4 points"):
        logic_chain(np.zeros(3), bits(2))
    with pytest.raises(SampleError, match="not all finite"):
        logic_chain(np.array([0, 1, np.inf, 0]), bits(2))
    with pytest.raises(SampleError, match="512 values; 256 is the limit"):
        logic_chain(np.arange(512) + 0.5, bits(9))
    with pytest.raises(FormulaError, match="2\\^n rows"):
        minimise(np.zeros(3, dtype=bool))
    with pytest.raises(FormulaError, match="do not fit"):
        Packed(np.array([0]), np.array([1]), np.array([[0], [2]]), (np.array([0.0, 1.0]),))
    with pytest.raises(FormulaError, match="leaves numbers out"):
        Packed(np.array([0]), np.array([2**25]), np.array([[0]]), (np.array([0.0]),))
