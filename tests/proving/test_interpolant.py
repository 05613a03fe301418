"""A table's meaning in real numbers, and bands that hold it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import Enclosure, pairs
from distill.proving import interpolant as module
from distill.proving.interpolant import GridAxis, Interpolant
from distill.proving.table_layout import interpolant

CORNERS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1)


def exact(table: Interpolant, x: list[float]) -> Fraction:
    """The value at a point, in rational numbers."""
    values = {(): Fraction(1)}
    for axis, at in zip(table.axes, x, strict=True):
        cell = int(axis.cell(np.array([at]))[0])
        if axis.order == 1:
            weights = [Fraction(1)]
        else:
            low, high = (Fraction(v) for v in axis.breakpoints[cell : cell + 2])
            t = (Fraction(at) - low) / (high - low)
            weights = [1 - t, t]
            if axis.order == 4:
                cubes = (1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1
                weights = [w / 6 for w in (*cubes, t**3)]
        values = {
            (*place, cell + k): before * w
            for place, before in values.items()
            for k, w in enumerate(weights)
        }
    mixed = sum(Fraction(float(table.levels[at])) * w for at, w in values.items())
    return Fraction(table.offset) + Fraction(table.scale) * mixed


def band(found: Enclosure, e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends (n,) of n bands, each at its own place e (d, n) of [-1, 1]^d."""
    whole = found.centre + (found.slope * e).sum(axis=0)
    for (i, j), c in zip(pairs(len(e)), found.curve, strict=True):
        whole = whole + c * e[i] * e[j]
    return whole + found.low, whole + found.high


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_values_are_those_of_rational_arithmetic(every_table, kind: str) -> None:
    rng = np.random.default_rng(1)
    for table in every_table("float32", kind):
        meant = interpolant(table)
        x = table.domain.clip(table.domain.sample(12, seed=int(rng.integers(99))))
        truth = np.array([float(exact(meant, row)) for row in x.tolist()])
        assert np.abs(meant(x) - truth).max() < 1e-12 * meant.extent[1]


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
@pytest.mark.parametrize("width", [0.0, 1e-3, 0.1, 1.0])
def test_bands_hold_the_table(every_table, arithmetic: str, width: float) -> None:
    rng = np.random.default_rng(2)
    for table in every_table(arithmetic, "uint16"):
        meant, domain = interpolant(table), table.domain
        size = (domain.high - domain.low)[:, None]
        low = domain.low[:, None] + rng.random((3, 40)) * size * (1 - width)
        high = np.minimum(low + width * size, domain.high[:, None])
        low[2], high[2] = np.ceil(low[2]), np.maximum(np.ceil(low[2]), np.floor(high[2]))
        boxes = Boxes(low, high)
        found = meant.enclose(boxes)
        least, most = found.range()
        e = np.hstack([CORNERS, rng.random((3, 24)) * 2 - 1])
        for k in range(e.shape[1]):
            place = np.clip(boxes.middle + boxes.radius * e[:, k : k + 1], low, high)
            place[2] = np.clip(np.rint(place[2]), low[2], high[2])
            with np.errstate(invalid="ignore"):
                at = np.where(boxes.radius > 0, (place - boxes.middle) / boxes.radius, 0.0)
            values = meant(place.T)
            slack = 1e-11 * meant.extent[1]
            below, above = band(found, at)
            assert (below - slack <= values).all()
            assert (values <= above + slack).all()
            assert (least <= values + slack).all()
            assert (values <= most + slack).all()


def test_a_bilinear_cell_is_exact_and_a_cubic_one_nearly(every_table) -> None:
    rng = np.random.default_rng(3)
    for cubic in (False, True):
        axes = tuple(
            GridAxis("cubic" if cubic else "linear", np.linspace(0, 1, 5)) for _ in range(2)
        )
        counts = tuple(axis.values for axis in axes)
        table = Interpolant(axes, rng.normal(size=counts))
        width = []
        for size in (0.1, 0.01):
            low = np.full((2, 1), 0.3)
            found = table.enclose(Boxes(low, low + size))
            width.append(float((found.high - found.low)[0]))
        if cubic:
            assert 500 < width[0] / width[1] < 2000  # third order
        else:
            assert width[0] < 1e-12


def test_cuts_are_breakpoints_strictly_inside_and_end(every_table) -> None:
    for table in every_table("float32", "uint16"):
        meant = interpolant(table)
        boxes = Boxes.of(table.domain)
        for _ in range(16):
            cuts = meant.cuts(boxes)
            at = np.flatnonzero(~np.isnan(cuts).all(axis=0))
            if not len(at):
                break
            axis = (~np.isnan(cuts[:, at])).argmax(axis=0)
            c = cuts[axis, at]
            assert (boxes.low[axis, at] <= c).all()
            assert (c < boxes.high[axis, at]).all()
            high, more = boxes.high.copy(), boxes.take(at)
            high[axis, at] = c
            whole = np.array([v.discrete for v in table.domain.variables])[axis]
            more.low[axis, np.arange(len(at))] = np.where(whole, c + 1, np.nextafter(c, np.inf))
            boxes = Boxes(np.hstack([boxes.low, more.low]), np.hstack([high, more.high]))
        for i, axis in enumerate(meant.axes):
            if axis.order > 1:
                assert axis.one_cell(boxes.low[i], boxes.high[i]).all()


def test_a_wrong_weight_is_noticed(every_table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CUBIC", module.CUBIC + np.array([[0, 0, 1e-6, 0]] * 4))
    with pytest.raises(AssertionError):
        test_values_are_those_of_rational_arithmetic(every_table, "uint16")


def test_data_says_all(every_table) -> None:
    table = next(iter(every_table("fixed", "uint8")))
    data = interpolant(table).to_data()
    assert [axis["kind"] for axis in data["axes"]] == ["linear", "linear", "whole"]
    assert len(data["values"]) == 6 * 10 * 7
    assert data["scale"] == table.scale * 256
