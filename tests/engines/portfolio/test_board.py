"""What engines know together."""

from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.portfolio.board import Board
from distill.engines.rules import Rules, read_rules
from distill.formula import Formula
from distill.formula.text import to_text


@pytest.fixture
def board(product):
    return Board(product)


@pytest.fixture
def put(board, proposal):
    return lambda *texts: [board.add(proposal(text, "operon"), "operon") for text in texts]


def shown(formulas):
    return [formula.text for formula in formulas]


def test_the_front_is_known_simplest_first(board, put):
    assert put("3*a*b + 1.9", "3*a*b", "10*b", "3*a*b + 1.8", "9*b") == [True] * 3 + [False, True]
    assert shown(board.known) == ["9*b", "3*a*b", "3*a*b + 1.9"]


def test_what_breaks_a_rule_is_passed_on_but_is_no_start(product, proposal, plane):
    rules = read_rules("off", {"bounds": [0, 30]}, None, plane, ("y", ""))
    board = Board(replace(product, rules=rules))
    assert rules != Rules()
    assert board.add(proposal("4*a*b", "operon"), "operon")
    assert board.known == ()


def test_small_parts_that_known_formulas_share_are_offered(product, plane):
    shared = "a/b + exp(sqrt(a)*b)", "square(a/b) + exp(a)", "sin(a/b)*exp(sqrt(a)*b)"
    board = Board(replace(product, known=tuple(Formula.parse(text, plane) for text in shared)))
    blocks = [to_text(block) for block in board.blocks("pysr")]
    assert blocks[:3] == ["a/b", "exp(sqrt(a)*b)", "sqrt(a)*b"]
    assert len(blocks) == 6


def test_what_a_weighted_sum_gives_anyway_is_not_offered(board, put):
    put("2*a + 3*b - 7", "1.5*a + b")
    assert board.blocks("pysr") == ()


def test_pieces_found_out_come_before_parts_of_formulas(board, put, plane):
    put("a*b")
    tree = Formula.parse("a - square(b)", plane).tree
    large = Formula.parse("exp(a)*exp(b)*sin(a)*sin(b)*cos(a)*cos(b)", plane).tree
    board.pieces = (large, tree)
    assert [to_text(block) for block in board.blocks("pysr")] == ["a - square(b)", "a*b"]


def test_an_engine_is_not_offered_what_it_found_itself(board, put):
    put("exp(a/b)*b")
    assert [to_text(block) for block in board.blocks("pysr")][:2] == ["exp(a/b)*b", "exp(a/b)"]
    assert board.blocks("operon") == ()


def test_values_that_are_too_large_or_missing_are_not_offered(make_problem, proposal):
    wide = Domain.box(a=(-1, 800), b=(0.5, 3))
    problem = make_problem(lambda x: x[:, 0], wide, budget=None)
    hints = [Formula.parse(text, wide) for text in ("exp(a)*b", "log(a)*b", "a/b")]
    board = Board(replace(problem, known=tuple(hints)))
    with np.errstate(all="ignore"):
        assert [to_text(block) for block in board.blocks("pysr")] == ["a/b"]


@pytest.mark.parametrize(
    ("text", "solved"), [("3*a*b + 2", True), ("3*a*b + 2.000001", False), ("log(a - b)", False)]
)
def test_an_engine_has_solved_what_it_gives_exactly(board, plane, text, solved):
    board.add(Candidate(Formula.parse(text, plane), "structure"), "structure")
    assert board.solved_by("structure") is solved
    assert not board.solved_by("operon")
