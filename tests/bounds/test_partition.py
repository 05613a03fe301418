"""The tree of boxes: it covers the domain, halves where it says, and its bounds never grow."""

import numpy as np
import pytest

from distill.bounds.partition import Partition
from distill.domain import Domain, Variable


def leaves(splits, domain):
    """The boxes of a tree in preorder, by the rules that its entries state."""
    discrete = [v.discrete for v in domain.variables]
    entries = iter(splits)
    found, waiting = [], [(domain.low.tolist(), domain.high.tolist())]
    while waiting:
        low, high = waiting.pop()
        entry = next(entries)
        if entry == -1:
            found.append((low, high))
            continue
        if isinstance(entry, tuple):
            axis, cut = entry
            above = cut + 1 if discrete[axis] else float(np.nextafter(cut, np.inf))
        else:
            axis = entry
            cut = above = low[axis] + (high[axis] - low[axis]) / 2
        first, second = list(high), list(low)
        first[axis], second[axis] = cut, above
        waiting += [(second, high), (low, first)]
    assert next(entries, None) is None
    return found


@pytest.fixture
def domain():
    return Domain((Variable("a", -1, 3), Variable("n", 0, 6, kind="integer")))


def grown(domain, cuts=None):
    partition = Partition(domain)
    rng = np.random.default_rng(0)
    for _ in range(6):
        chosen = partition.highest(0.0, 16)
        boxes = partition.boxes(chosen)
        partition.bound(chosen, 10.0 + rng.random(len(chosen)))
        at = None if cuts is None else cuts(boxes)
        partition.split(chosen, rng.random(boxes.low.shape), at, 0.5)
    return partition


def test_leaves_cover_the_domain_and_do_not_overlap(domain):
    partition = grown(domain)
    boxes = leaves(partition.splits(), domain)
    points = domain.sample(2000)
    inside = np.zeros(len(points), dtype=int)
    for low, high in boxes:
        inside += ((points >= low) & (points <= high)).all(axis=1)
    assert (inside >= 1).all()
    assert (inside == 1).mean() > 0.99
    assert all(low[1].is_integer() and high[1].is_integer() for low, high in boxes)
    assert len(boxes) == sum(s == -1 for s in partition.splits())


def test_cuts_are_taken_where_they_are_inside(domain):
    def cuts(boxes):
        at = np.full(boxes.low.shape, np.nan)
        at[0] = np.where((boxes.low[0] < 0.3) & (boxes.high[0] > 0.3), 0.3, np.nan)
        return at

    partition = grown(domain, cuts)
    boxes = leaves(partition.splits(), domain)
    assert any(high[0] == 0.3 for _, high in boxes)
    above = float(np.nextafter(0.3, 1))
    assert any(low[0] == above for low, _ in boxes)
    assert not any(low[0] < 0.3 < high[0] and high[0] - low[0] < 2 for low, high in boxes)


def test_a_bound_never_grows():
    partition = Partition(Domain.box(x=(0, 1)))
    before = np.inf
    rng = np.random.default_rng(3)
    for _ in range(8):
        chosen = partition.highest(0.0, 4)
        partition.bound(chosen, rng.random(len(chosen)) * 5)
        partition.split(chosen, np.ones((1, len(chosen))), None, 0.0)
        assert partition.highest_bound <= before
        before = partition.highest_bound


def test_what_cannot_be_split_ends():
    low = 1.0
    domain = Domain.box(x=(low, float(np.nextafter(low, 2))))
    partition = Partition(domain)
    chosen = partition.highest(0.0, 4)
    partition.bound(chosen, np.array([7.0]))
    partition.split(chosen, np.ones((1, 1)), None, 0.0)
    assert partition.splits() == (-1,)
    assert partition.waiting == 0
    assert partition.highest_bound == 7.0
