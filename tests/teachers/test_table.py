"""Tables: which column is what, the domain of the data, and a million rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from distill.domain import Domain
from distill.errors import ConfigError, TeacherError
from distill.sampling.sample import draw
from distill.teachers.load import load_teacher
from distill.teachers.table import rows_of

FRAME = pd.DataFrame(
    {"time": [0.0, 1.0, 2.0], "heat": [20.0, 30.0, 25.0], "on": [True, False, True], "y": [1, 4, 2]}
)


def test_the_last_column_is_the_output_and_the_domain_is_the_range():
    teacher = load_teacher(FRAME)
    assert teacher.domain.names == ("time", "heat", "on")
    assert teacher.outputs[0].name == "y"
    np.testing.assert_array_equal(teacher.domain.low, [0, 20, 0])
    np.testing.assert_array_equal(teacher.domain.high, [2, 30, 1])
    assert [v.kind for v in teacher.domain.variables] == ["continuous", "continuous", "boolean"]
    x, y = rows_of(teacher)
    np.testing.assert_array_equal(x, [[0, 20, 1], [1, 30, 0], [2, 25, 1]])
    np.testing.assert_array_equal(y, [[1], [4], [2]])


def test_columns_are_chosen_by_option_and_by_the_domains_names():
    chosen = load_teacher(FRAME, inputs=["heat"], output="time")
    np.testing.assert_array_equal(rows_of(chosen)[0], [[20], [30], [25]])
    np.testing.assert_array_equal(rows_of(chosen)[1], [[0], [1], [2]])
    named = load_teacher(FRAME, domain=Domain.box(heat=(0, 50), time=(0, 9)))
    np.testing.assert_array_equal(rows_of(named)[0], [[20, 0], [30, 1], [25, 2]])
    renamed = load_teacher(FRAME, domain=Domain.box(t=(0, 9)), inputs="time", output="y")
    assert renamed.domain.names == ("t",)


def test_separators_blank_lines_and_a_byte_order_mark(tmp_path: Path):
    for separator in ",;\t":
        path = tmp_path / "t.csv"
        text = "\ufeffa,b,y\r\n1,2,3\r\n\r\n2,5,7\r\n".replace(",", separator)
        path.write_text(text, encoding="utf-8")
        teacher = load_teacher(path)
        assert teacher.domain.names == ("a", "b")
        np.testing.assert_array_equal(rows_of(teacher)[0], [[1, 2], [2, 5]])


def test_blanks_and_quotes_around_names_and_numbers(tmp_path: Path):
    (tmp_path / "t.csv").write_text('"a","b" ,y \n1,"2",3\n 4,5, 6\n')
    np.testing.assert_array_equal(rows_of(load_teacher(tmp_path / "t.csv"))[0], [[1, 2], [4, 5]])


def test_the_same_rows_have_the_same_fingerprint_in_every_format(tmp_path: Path):
    frame = FRAME.drop(columns="on")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    sources = [frame, tmp_path / "t.csv", tmp_path / "t.parquet"]
    prints = {load_teacher(source).fingerprint for source in sources}
    assert len(prints) == 1
    assert load_teacher(frame.assign(y=[1, 4, 3])).fingerprint not in prints


def test_a_million_rows(tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((1_000_000, 4)), columns=list("abcy"))
    csv.write_csv(pyarrow.Table.from_pandas(frame), tmp_path / "t.csv")
    teacher = load_teacher(tmp_path / "t.csv")
    x, y = rows_of(teacher)
    np.testing.assert_array_equal(x, frame[["a", "b", "c"]].to_numpy())
    some = rng.permutation(len(x))[:1000]
    np.testing.assert_array_equal(teacher.predict(x[some]), y[some])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.sampled_from([-1.0, -0.0, 0.0, 1e-300, 2.5])] * 3), min_size=2, max_size=40
    )
)
def test_every_row_is_found_and_the_first_of_equal_ones_counts(rows: list[tuple[float, ...]]):
    x = np.array([(*row, i) for i, row in enumerate(rows)], dtype=float)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": np.arange(len(x))})
    if (frame.nunique() < 2).any():
        return
    teacher = load_teacher(frame)
    points = x[::-1, :3]
    first = [next(i for i, row in enumerate(rows) if row == tuple(p)) for p in points]
    np.testing.assert_array_equal(teacher.predict(points)[:, 0], first)


@pytest.mark.parametrize("form", ["frame", "csv", "parquet"])
def test_several_columns_of_answers_with_rows_held_out(form: str, tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(1, 2, (60, 2)), columns=["a", "b"])
    frame["total"], frame["power (W)"] = frame.a + frame.b, frame.a * frame.b
    source: object = frame
    if form == "csv":
        source = tmp_path / "t.csv"
        frame.to_csv(source, index=False)
    elif form == "parquet":
        source = tmp_path / "t.parquet"
        frame.to_parquet(source)
    teacher = load_teacher(source, outputs=["total", "power (W)"])
    assert [o.name for o in teacher.outputs] == ["answer_0", "answer_1"]
    assert teacher.domain is not None
    assert teacher.domain.names == ("a", "b")
    np.testing.assert_array_equal(
        teacher.predict(frame[["a", "b"]].to_numpy()), frame[["total", "power (W)"]].to_numpy()
    )
    for output, name in enumerate(["total", "power (W)"]):
        sample = draw(teacher, teacher.domain, "data", 100, 0, output=output, held_out=0.2)
        assert sample.held_out is not None
        assert len(sample.x) + len(sample.held_out.x) == 60
        both = np.concatenate([sample.y, sample.held_out.y])
        np.testing.assert_array_equal(np.sort(both), np.sort(frame[name]))
    with pytest.raises(ConfigError, match="both name"):
        load_teacher(source, output="total", outputs=["power (W)"])
    with pytest.raises(TeacherError, match="used twice"):
        load_teacher(source, outputs=["total", "total"])
