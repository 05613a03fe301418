import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.errors import StorageError
from distill.firmware.guard import Guard
from distill.tracking.slices import (
    SLICES,
    STEPS,
    GuardCells,
    Slices,
    along,
    anchor,
    load_slices,
    save_slices,
)

DOMAIN = Domain((Variable("x", 0, 4), Variable("gear", 1, 6, kind="integer"), Variable("z", 0, 1)))


def some():
    lines = np.array([along(v) for v in DOMAIN.variables])
    unknown = np.full((1, 3, STEPS), np.nan)
    at = np.array([[1.0, 2.0, 0.5]])
    return Slices(np.arange(3), lines, at, unknown, unknown + 1, unknown)


def test_a_line_goes_through_the_anchor_along_one_input():
    slices = some()
    points = slices.points(0, 0)
    np.testing.assert_array_equal(points[:, 1:], np.tile([2.0, 0.5], (STEPS, 1)))
    assert points[0, 0] == 0
    assert points[-1, 0] == 4


def test_a_discrete_input_has_its_values_and_then_nothing():
    values = along(DOMAIN.variables[1])
    np.testing.assert_array_equal(values[:6], [1, 2, 3, 4, 5, 6])
    assert np.isnan(values[6:]).all()
    points = some().points(0, 1)
    assert DOMAIN.contains(points).all()
    np.testing.assert_array_equal(points[6:, 1], np.full(STEPS - 6, 2.0))


def test_without_a_worst_point_lines_go_through_the_middle():
    np.testing.assert_array_equal(anchor(DOMAIN, (1.0, 2.0, 0.5)), [1.0, 2.0, 0.5])
    middle = anchor(DOMAIN, ())
    assert DOMAIN.contains(middle[None]).all()
    assert middle[1] == int(middle[1])


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_the_cells_of_a_guard_lie_where_it_sends_inputs_to_the_table(arithmetic):
    domain = Domain.box(a=(0, 10), b=(-1, 1), c=(2, 3))
    flags = np.zeros((4, 2, 1), dtype=bool)
    flags[2, 1, 0] = True
    guard = Guard(domain, flags, arithmetic)
    cells = GuardCells.of(guard)
    low = [edges[k] for edges, k in zip(cells.edges, (2, 1, 0), strict=True)]
    high = [edges[k + 1] for edges, k in zip(cells.edges, (2, 1, 0), strict=True)]
    middle = (np.array(low) + np.array(high)) / 2
    outside = np.array([(cells.edges[0][1] + cells.edges[0][2]) / 2, middle[1], middle[2]])
    assert guard(np.array([middle, outside])).tolist() == [True, False]
    assert cells.shadow(0, 1)[2, 1]
    assert cells.shadow(1, 0)[1, 2]
    assert cells.shadow(0, 1).sum() == 1


def test_slices_and_guard_come_back(tmp_path):
    guard = GuardCells((np.array([0.0, 1, 2]), np.array([0.0, 3])), np.array([[True], [False]]))
    save_slices(tmp_path, some(), guard)
    slices, cells = load_slices(tmp_path)
    for name in Slices.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(slices, name), getattr(some(), name))
    np.testing.assert_array_equal(cells.flags, guard.flags)
    for edges, known in zip(cells.edges, guard.edges, strict=True):
        np.testing.assert_array_equal(edges, known)


def test_a_record_without_them_is_whole(tmp_path):
    save_slices(tmp_path, None, None)
    assert not (tmp_path / SLICES).exists()
    assert load_slices(tmp_path) == (None, None)


def test_a_broken_file_is_told_with_its_name(tmp_path):
    (tmp_path / SLICES).write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(StorageError, match="broken") as error:
        load_slices(tmp_path)
    assert error.value.where.endswith(SLICES)
