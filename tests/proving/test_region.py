"""Which side of a guard inputs are on, as boxes say it and as the C decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.bounds.boxes import Boxes
from distill.domain import Domain, Variable
from distill.firmware.guard import Guard
from distill.firmware.guard_search import grid_counts
from distill.proving.region import Region

SPACE = Domain(
    (Variable("x", -0.3, 7.7), Variable("n", -3, 9, kind="integer"), Variable("y", 100.1, 100.9))
)


def a_region(arithmetic: str, seed: int) -> Region:
    rng = np.random.default_rng(seed)
    counts = (8, int(rng.integers(1, 8)), 4) if arithmetic != "fixed" else (8, 7, 4)
    if arithmetic == "fixed":
        counts = grid_counts(SPACE, "fixed", (8, 7, 4))
    flags = rng.random(counts) < rng.choice([0.1, 0.5, 0.9])
    return Region.of(Guard(SPACE, flags, arithmetic))


@pytest.mark.parametrize("arithmetic", ["float32", "double", "fixed"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 200))
def test_boxes_know_what_the_c_decides(arithmetic: str, seed: int) -> None:
    region = a_region(arithmetic, seed)
    rng = np.random.default_rng(seed)
    corners = SPACE.from_unit(rng.random((2, 60, 3)).reshape(-1, 3)).reshape(2, 60, 3)
    # Some begin and end at the faces of cells, give or take a rounding.
    faces = np.concatenate([region.edges[0], SPACE.low[:1]])
    corners[0, :20, 0] = rng.choice(faces, 20) + rng.choice([-1e-7, 0, 1e-7], 20)
    corners[1, 10:30, 0] = rng.choice(faces, 20) + rng.choice([-1e-7, 0, 1e-7], 20)
    ends = np.clip(np.sort(corners, axis=0), SPACE.low, SPACE.high)
    boxes = Boxes(ends[0].T, ends[1].T)
    whole, some = region.guarded(boxes)
    inside = region.inside_one(boxes)
    for b in range(boxes.count):
        low, high = boxes.low[:, b], boxes.high[:, b]
        x = low + np.vstack([rng.random((40, 3)), np.zeros((1, 3)), np.ones((1, 3))]) * (high - low)
        x[:, 1] = np.clip(np.rint(x[:, 1]), low[1], high[1])
        if arithmetic != "double":
            x = x.astype(np.float32).astype(float)
        x = x[((x >= low) & (x <= high)).all(axis=1)]
        flagged = region.guard(x)
        assert flagged.all() or not whole[b]
        assert not flagged.any() or some[b]
        assert not (inside[b] and whole[b]) or any(
            (region.listed.low[:, k] <= low).all() and (high <= region.listed.high[:, k]).all()
            for k in range(region.listed.count)
        )


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_cutting_at_the_guard_ends_with_boxes_of_one_side(arithmetic: str) -> None:
    region = a_region(arithmetic, 3)
    waiting, done, slivers = [(SPACE.low, SPACE.high)], 0, 0
    while waiting:
        low, high = waiting.pop()
        box = Boxes(low[:, None], high[:, None])
        whole, some = region.guarded(box)
        if not some[0] or (whole[0] and region.inside_one(box)[0]):
            done += 1
            continue
        cut = region.cut(low, high)
        if cut is None:
            # What is left is nearer to a face than the C's rounding.
            assert (high - low <= 2.0001 * region.margin)[[0, 2]].any()
            slivers += 1
            continue
        axis, place = cut
        assert low[axis] <= place < high[axis]
        above = place + 1 if axis == 1 else np.nextafter(place, np.inf)
        waiting.append((low, np.where(np.arange(3) == axis, place, high)))
        waiting.append((np.where(np.arange(3) == axis, above, low), high))
    assert done > 20
    assert done + slivers < 5000


def test_the_others_hold_every_input_that_the_formula_answers() -> None:
    region = a_region("float32", 5)
    x = SPACE.sample(20_000, seed=2).astype(np.float32).astype(float)
    x = x[SPACE.contains(x)]
    mine = x[~region.guard(x)]
    others = region.others
    held = np.zeros(len(mine), dtype=bool)
    for k in range(others.count):
        held |= ((others.low[:, k] <= mine) & (mine <= others.high[:, k])).all(axis=1)
    assert len(mine) > 1000
    assert held.all()


def test_a_guard_of_everything_is_one_box() -> None:
    region = Region.of(Guard(SPACE, np.ones((1, 1, 1), dtype=bool), "float32"))
    assert region.listed.count == 1
    assert region.others.count == 0
    whole, some = region.guarded(Boxes.of(SPACE))
    assert whole.all()
    assert some.all()
