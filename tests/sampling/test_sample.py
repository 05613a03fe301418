"""Drawing: what teachers without answers, constant ones and tables give."""

import numpy as np
import pandas as pd
import pytest

from distill.domain import Domain, Variable
from distill.errors import SampleError, TeacherError
from distill.progress import Silent
from distill.sampling.sample import draw
from distill.teachers.load import load_teacher

BOX = Domain.box(a=(0, 1), b=(-2, 3))


class Listener(Silent):
    def __init__(self) -> None:
        self.fractions: list[float | None] = []
        self.warnings: list[str] = []

    def advance(self, fraction: float | None, text: str) -> None:
        self.fractions.append(fraction)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def _teacher(function, domain=BOX, **options):
    return load_teacher(function, domain=domain, **options)


def test_a_sample_holds_the_answers_at_its_points_and_repeats_to_the_bit():
    teacher = _teacher(lambda x: x[:, 0] * x[:, 1])
    first, second = (draw(teacher, BOX, "sobol", 300, 4) for _ in range(2))
    assert len(first) == 300
    np.testing.assert_array_equal(first.y, first.x[:, 0] * first.x[:, 1])
    assert first.x.tobytes() == second.x.tobytes()
    assert first.y.tobytes() == second.y.tobytes()
    assert first.rejected.shape == (0, 2)
    assert first.held_out is None


def test_the_wanted_output_is_taken():
    teacher = _teacher(lambda x: np.column_stack([x[:, 0], 7 * x[:, 1]]), outputs=["p", "q"])
    sample = draw(teacher, BOX, "grid", 100, 0, output=1)
    np.testing.assert_array_equal(sample.y, 7 * sample.x[:, 1])
    with pytest.raises(SampleError, match="2 outputs, so there is no output 2"):
        draw(teacher, BOX, "grid", 100, 0, output=2)


def test_progress_rises_to_one_batch_by_batch():
    seen: list[int] = []
    listener = Listener()

    def counted(x: np.ndarray) -> np.ndarray:
        seen.append(len(x))
        return x[:, 0]

    draw(_teacher(counted), BOX, "sobol", 20_000, 0, progress=listener)
    assert sum(seen) == 20_000
    assert len(listener.fractions) == len(seen) > 1
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1.0


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_points_without_an_answer_are_set_apart_and_told(odd: float):
    listener = Listener()
    teacher = _teacher(lambda x: np.where(x[:, 0] > 0.8, odd, x[:, 1]))
    sample = draw(teacher, BOX, "sobol", 500, 0, progress=listener)
    assert len(sample) + len(sample.rejected) == 500
    assert (sample.x[:, 0] <= 0.8).all()
    assert (sample.rejected[:, 0] > 0.8).all()
    assert np.isfinite(sample.y).all()
    assert f"{len(sample.rejected)} of 500 answers are not finite" in listener.warnings[0]


def test_hardly_any_answers_are_an_error_with_a_count_and_a_point():
    with pytest.raises(SampleError, match=r"300 of 300 answers .* the first nan at a = 0, b = -2"):
        draw(_teacher(lambda x: np.full(len(x), np.nan)), BOX, "sobol", 300, 0)
    with pytest.raises(SampleError, match="hardly any answers"):
        draw(_teacher(lambda x: np.where(x[:, 0] > 0.3, np.nan, 1)), BOX, "sobol", 300, 0)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e300])
def test_a_constant_teacher_is_told_with_its_value(value: float):
    with pytest.raises(SampleError, match="is constant") as caught:
        draw(_teacher(lambda x: np.full(len(x), value)), BOX, "sobol", 64, 0)
    assert f"{value:.9g}" in caught.value.what
    assert caught.value.hint


def test_a_constant_up_to_rounding_is_constant_but_a_small_range_is_not():
    with pytest.raises(SampleError, match="is constant"):
        draw(_teacher(lambda x: np.sin(x[:, 1]) ** 2 + np.cos(x[:, 1]) ** 2), BOX, "sobol", 64, 0)
    sample = draw(_teacher(lambda x: 1 + 1e-9 * x[:, 0]), BOX, "sobol", 64, 0)
    assert len(sample) == 64


def test_wrong_designs_and_numbers():
    teacher = _teacher(lambda x: x[:, 0])
    with pytest.raises(SampleError, match="`sobel` is not a design") as caught:
        draw(teacher, BOX, "sobel", 64, 0)
    assert "sobol, lhs, grid, exhaustive" in caught.value.hint
    with pytest.raises(SampleError, match="takes the rows of a table"):
        draw(teacher, BOX, "data", 64, 0)
    with pytest.raises(SampleError, match="cannot draw 0 points"):
        draw(teacher, BOX, "sobol", 0, 0)


def test_a_teacher_that_raises_in_the_middle():
    def fails(x: np.ndarray) -> np.ndarray:
        if (x[:, 0] > 0.5).any():
            raise OSError("no license server")
        return x[:, 0]

    with pytest.raises(TeacherError, match="OSError: no license server at a = "):
        draw(_teacher(fails), BOX, "sobol", 64, 0)


# tables ------------------------------------------------------------------------------------------


def _table(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.random(rows), rng.uniform(-2, 3, rows)])
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] - x[:, 1]})


def test_rows_of_a_table_are_fitted_or_held_out_and_never_both():
    frame = _table()
    teacher = load_teacher(frame)
    sample = draw(teacher, teacher.domain, "data", 10_000, 0, held_out=0.25)
    assert sample.held_out is not None
    assert (len(sample), len(sample.held_out)) == (300, 100)
    together = np.vstack([np.column_stack([s.x, s.y]) for s in (sample, sample.held_out)])
    np.testing.assert_array_equal(
        together[np.lexsort(together.T)], frame.to_numpy()[np.lexsort(frame.to_numpy().T)]
    )
    again = draw(teacher, teacher.domain, "data", 10_000, 0, held_out=0.25)
    assert again.x.tobytes() == sample.x.tobytes()
    other = draw(teacher, teacher.domain, "data", 10_000, 1, held_out=0.25)
    assert other.x.tobytes() != sample.x.tobytes()


def test_rows_with_extreme_values_are_always_fitted():
    frame = _table()
    teacher = load_teacher(frame)
    for points in (20, 10_000):
        sample = draw(teacher, teacher.domain, "data", points, 3, held_out=0.9)
        assert len(sample) == min(points, 40)
        np.testing.assert_array_equal(sample.x.min(axis=0), frame[["a", "b"]].min())
        np.testing.assert_array_equal(sample.x.max(axis=0), frame[["a", "b"]].max())
        assert (sample.y.min(), sample.y.max()) == (frame["y"].min(), frame["y"].max())


def test_rows_outside_the_domain_are_left_out_with_their_count():
    listener = Listener()
    teacher = load_teacher(_table(), domain=BOX)
    narrow = Domain.box(a=(0, 0.5), b=(-2, 3))
    sample = draw(teacher, narrow, "data", 10_000, 0, progress=listener)
    outside = int((_table()["a"] > 0.5).sum())
    assert len(sample) == 400 - outside
    assert f"{outside} of 400 rows" in listener.warnings[0]


def test_no_rows_in_the_domain_tells_the_range_of_the_table():
    far = Domain.box(a=(5, 6), b=(-2, 3))
    with pytest.raises(SampleError, match="0 of the table's 400 rows") as caught:
        draw(load_teacher(_table(), domain=far), far, "data", 100, 0)
    assert "a 0.0" in caught.value.hint


def test_whole_variables_take_whole_rows_only():
    frame = pd.DataFrame({"n": [1, 2, 2.5, 3], "y": [1.0, 4.0, 6.0, 9.0]})
    domain = Domain((Variable("n", 1, 3, kind="integer"),))
    sample = draw(load_teacher(frame, domain=domain), domain, "data", 100, 0)
    np.testing.assert_array_equal(sample.x[:, 0], [1, 2, 3])


def test_a_table_is_never_asked_whatever_the_design():
    listener = Listener()
    teacher = load_teacher(_table())
    sample = draw(teacher, teacher.domain, "sobol", 50, 0, progress=listener)
    assert len(sample) == 400
    assert "cannot be asked" in listener.warnings[0]
