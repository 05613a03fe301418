"""Trees of boxes cover the domain, and guards are told apart exactly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.checking.cover import Guard, leaves, read_splits
from distill.checking.refusals import CertificateError
from distill.domain import Domain, Variable

DOMAIN = Domain.box(x=(0, 1), y=(-2, 3))
MIXED = Domain((Variable("x", 0, 1), Variable("n", 0, 7, kind="integer")))


def walked(splits, domain=DOMAIN):
    return list(leaves(read_splits(splits, len(domain), "tree"), domain, "tree"))


def entries(domain):
    """Random trees: halves, cuts at floats, cuts between whole numbers."""

    def grow(smaller):
        return st.tuples(st.sampled_from("hc"), st.floats(0, 1), smaller, smaller)

    return st.recursive(st.just(None), grow, max_leaves=20)


def preorder(tree, low, high):
    """The entries of a tree of shares of boxes, as a prover would write them."""
    if tree is None:
        return [-1]
    kind, share, left, right = tree
    if kind == "h":
        middle = low[0] + (high[0] - low[0]) / 2
        head, a, b = [0], middle, middle
        axis = 0
    else:
        axis = 1
        a = math.floor(low[1] + share * (high[1] - low[1]))
        b = a + 1
        if not (low[1] <= a and b <= high[1]):
            return [-1]
        head = [[1, a]]
    return [
        *head,
        *preorder(left, low, [*high[:axis], a, *high[axis + 1 :]]),
        *preorder(right, [*low[:axis], b, *low[axis + 1 :]], high),
    ]


@given(entries(MIXED), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), max_size=9))
def test_every_input_lies_in_a_leaf(tree, points):
    splits = preorder(tree, [0.0, 0.0], [1.0, 7.0])
    found = [box for box, _ in walked(splits, MIXED)]
    for point in points:
        assert any(
            all(a <= v <= b for a, v, b in zip(low, point, high, strict=True))
            for low, high in found
        )


def test_a_cut_leaves_no_float_out():
    (left, _), (right, _) = walked([[0, 0.3], -1, -1])
    assert left[1][0] == 0.3
    assert right[0][0] == math.nextafter(0.3, 1)


@pytest.mark.parametrize(
    ("splits", "what"),
    [
        ([0, -1], "ends early"),
        ([-1, -1], "ends after 1 of 2"),
        ([[0, 1.5], -1, -1], "outside"),
        ([[0, 1.0], -1, -1], "outside"),
        ([2, -1, -1], "no entry"),
        ([-3], "no entry"),
        ([True, -1, -1], "no entry"),
        ([[0, "1"], -1, -1], "a number"),
        ([[0.0, 1], -1, -1], "along no input"),
        ([], "not a list"),
        ({}, "not a list"),
        ([0, [0], -1], "no entry"),
    ],
)
def test_what_is_no_tree_is_refused(splits, what):
    with pytest.raises(CertificateError, match=what):
        walked(splits)


@pytest.mark.parametrize("splits", [[1, -1, -1], [[1, 2.5], -1, -1], [[1, 7.0], -1, -1]])
def test_whole_numbers_are_split_between_them(splits):
    with pytest.raises(CertificateError):
        walked(splits, MIXED)


def guard(*boxes, margin=(0.0, 0.0), domain=DOMAIN):
    low, high = np.array([b[0] for b in boxes]), np.array([b[1] for b in boxes])
    return Guard(domain, low.astype(float), high.astype(float), np.array(margin))


def test_inside_takes_boxes_together():
    both = guard(((0, 0), (0.5, 1)), ((0.5, 0), (1, 1)))
    assert both.surely_inside(((0.2, 0.1), (0.8, 0.9)))
    assert not both.surely_inside(((0.2, 0.1), (0.8, 1.1)))
    apart = guard(((0, 0), (0.4, 1)), ((0.5, 0), (1, 1)))
    assert not apart.surely_inside(((0.2, 0.1), (0.8, 0.9)))
    ring = guard(((0, 0), (1, 0.4)), ((0, 0.6), (1, 1)), ((0, 0), (0.4, 1)), ((0.6, 0), (1, 1)))
    assert not ring.surely_inside(((0.1, 0.1), (0.9, 0.9)))
    assert ring.surely_inside(((0.1, 0.1), (0.9, 0.4)))


def test_margins_count_but_at_the_domain():
    edge = guard(((0, -2), (0.5, 3)), margin=(0.01, 0.01))
    assert edge.surely_inside(((0, -2), (0.485, 3)))
    assert not edge.surely_inside(((0, -2), (0.495, 3)))
    assert not edge.surely_outside(((0.505, -2), (1, 3)))
    assert edge.surely_outside(((0.515, -2), (1, 3)))
    # A box that a prover ended at the float next to the margin.
    assert edge.surely_inside(((0, -2), (math.nextafter(0.5 - 0.01, 0), 3)))
    assert edge.surely_outside(((0.5 + 0.01, -2), (1, 3)))


def test_without_a_margin_touching_is_not_outside():
    edge = guard(((0, 0), (0.5, 1)))
    assert not edge.surely_outside(((0.5, 0), (1, 1)))
    assert edge.surely_outside(((math.nextafter(0.5, 1), 0), (1, 1)))


def test_whole_numbers_have_no_gap_between_neighbours():
    low = guard(((0, 0), (1, 3)), ((0, 4), (1, 5)), domain=MIXED)
    assert low.surely_inside(((0, 2), (1, 5)))
    assert not low.surely_inside(((0, 2), (1, 6)))
    assert low.surely_outside(((0, 6), (1, 7)))


@given(st.integers(0, 2**32))
def test_inside_and_outside_agree_with_points(seed):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(0, 6, (4, 2, 2)) / 5, axis=1)
    some = Guard(Domain.box(x=(0, 1), y=(0, 1)), ends[:, 0], ends[:, 1], np.zeros(2))
    low, high = np.sort(rng.integers(0, 6, (2, 2)) / 5, axis=0)
    x = low + rng.random((300, 2)) * (high - low)
    guarded = ((x[:, None] >= some.low) & (x[:, None] <= some.high)).all(axis=2).any(axis=1)
    box = (tuple(low), tuple(high))
    if some.surely_inside(box):
        assert guarded.all()
    if some.surely_outside(box):
        assert not guarded.any()
    if (low < high).all() and (some.low < some.high).all() and guarded.all():
        assert some.surely_inside(box)
