"""The files of answers: cut off anywhere, damaged anywhere, written by several, killed any time."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.teachers import simulator_cache
from distill.teachers.simulator_cache import CHECK, Answers, this_machine

X = np.random.default_rng(0).uniform(size=(20, 3))
Y = np.column_stack([X.sum(axis=1), X.prod(axis=1)])
SIZE = 5 * 8 + CHECK
TEACHER = "f" * 64


def written(folder: Path, rows: slice = slice(None)) -> Path:
    Answers(folder, TEACHER, 2).add(X[rows], Y[rows])
    (path,) = folder.glob(f"*.{this_machine()}.answers")
    return path


def known(folder: Path) -> np.ndarray:
    values, found = Answers(folder, TEACHER, 2).find(X)
    np.testing.assert_array_equal(values[found], Y[found])
    assert np.isnan(values[~found]).all()
    return found


def test_a_record_is_its_numbers_and_eight_bytes(tmp_path: Path):
    assert written(tmp_path).stat().st_size == 20 * SIZE
    assert known(tmp_path).all()


@pytest.mark.parametrize("cut", [1, SIZE - 1, SIZE, 5 * SIZE + 3, 20 * SIZE])
def test_a_file_that_was_cut_off_loses_the_last_records_and_goes_on(cut: int, tmp_path: Path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    left = max(0, (20 * SIZE - cut) // SIZE)
    np.testing.assert_array_equal(known(tmp_path), np.arange(20) < left)
    written(tmp_path, slice(left, None))
    assert known(tmp_path).all()


def test_a_damaged_record_is_not_believed(tmp_path: Path):
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    data[7 * SIZE + 30] ^= 1
    path.write_bytes(bytes(data))
    np.testing.assert_array_equal(known(tmp_path), np.arange(20) != 7)


@given(
    pieces=st.lists(
        st.one_of(st.integers(0, 19), st.binary(min_size=1, max_size=2 * SIZE)), max_size=30
    )
)
def test_records_are_found_among_anything(
    pieces: list[int | bytes], tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("answers")
    path = written(folder)
    whole = path.read_bytes()
    path.write_bytes(
        b"".join(p if isinstance(p, bytes) else whole[p * SIZE : (p + 1) * SIZE] for p in pieces)
    )
    wanted = {p for p in pieces if isinstance(p, int)}
    np.testing.assert_array_equal(known(folder), [i in wanted for i in range(20)])


def test_another_teachers_answers_are_not_believed(tmp_path: Path):
    path = written(tmp_path)
    other = Answers(tmp_path, "f" * 32 + "e" * 32, 2)  # with a file of the same name
    assert not other.find(X)[1].any()
    assert not Answers(tmp_path, TEACHER, 1).find(X)[1].any()
    path.rename(tmp_path / path.name.replace("_3_2.", "_2_3."))
    assert not Answers(tmp_path, TEACHER, 3).find(X[:, :2])[1].any()


def test_what_another_one_wrote_is_seen(tmp_path: Path):
    reader = Answers(tmp_path, TEACHER, 2)
    assert not reader.find(X)[1].any()
    path = written(tmp_path, slice(5))
    np.testing.assert_array_equal(reader.find(X)[1], np.arange(20) < 5)
    half = written(tmp_path, slice(5, 6)).read_bytes()
    path.write_bytes(half[: -SIZE // 2])  # a write that is still going on
    np.testing.assert_array_equal(reader.find(X)[1], np.arange(20) < 5)
    path.write_bytes(half)
    np.testing.assert_array_equal(reader.find(X)[1], np.arange(20) < 6)


def test_each_machine_has_a_file_and_reads_those_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written(tmp_path, slice(12))
    monkeypatch.setattr(simulator_cache, "this_machine", lambda: "node-7")
    Answers(tmp_path, TEACHER, 2).add(X[8:], Y[8:])
    assert sorted(p.name.split(".")[1] for p in tmp_path.iterdir()) == sorted(
        [this_machine(), "node-7"]
    )
    assert known(tmp_path).all()


def test_whether_there_ever_was_an_answer(tmp_path: Path):
    answers = Answers(tmp_path, TEACHER, 2)
    answers.add(X[:3], np.full((3, 2), np.nan))
    assert not answers.any_finite(3)
    written(tmp_path, slice(3, 4))
    assert answers.any_finite(3)


def _write(folder: Path, part: int) -> None:
    answers = Answers(folder, TEACHER, 2)
    for i in range(part, 20, 4):
        answers.add(X[i : i + 1], Y[i : i + 1])


def test_several_write_at_once(tmp_path: Path):
    with ProcessPoolExecutor(4) as pool:
        for job in [pool.submit(_write, tmp_path, part) for part in range(4)]:
            job.result()
    assert known(tmp_path).all()
    (path,) = tmp_path.glob("*.answers")
    assert path.stat().st_size == 20 * SIZE


WRITER = """
import os, sys
from pathlib import Path
import numpy as np
from distill.teachers.simulator_cache import Answers
folder, number = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(number)
answers = Answers(folder, "f" * 64, 2)
with open(folder / f"{number}.kept", "ab", buffering=0) as kept:
    while True:
        x = rng.uniform(size=(rng.integers(1, 40), 3))
        answers.add(x, np.column_stack([x.sum(axis=1), x.prod(axis=1)]))
        kept.write(x.tobytes())
"""


def test_writers_killed_at_any_moment_lose_only_what_was_being_written(tmp_path: Path):
    rng = random.Random(0)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(i)]) for i in range(12)
    ]
    try:
        until = time.monotonic() + 120
        while len(list(tmp_path.glob("*.kept"))) < 12 and time.monotonic() < until:
            time.sleep(0.05)
        for writer in writers:
            time.sleep(rng.uniform(0, 0.2))
            os.kill(writer.pid, signal.SIGKILL)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    reader = Answers(tmp_path, TEACHER, 2)
    total = 0
    for file in tmp_path.glob("*.kept"):
        data = file.read_bytes()
        x = np.frombuffer(data[: len(data) // 24 * 24]).reshape(-1, 3)
        values, found = reader.find(x)
        assert found.all()
        np.testing.assert_array_equal(values, np.column_stack([x.sum(axis=1), x.prod(axis=1)]))
        total += len(x)
    assert total > 100
    for point, answer in reader._known.items():
        x, y = np.frombuffer(point), np.frombuffer(answer)
        np.testing.assert_allclose(y, [x.sum(), x.prod()], rtol=1e-12)


def test_without_a_folder_nothing_is_written(tmp_path: Path):
    answers = Answers(None, TEACHER, 2)
    answers.add(X, Y)
    assert answers.find(X)[1].all()
    assert len(answers) == 20
    assert not list(tmp_path.iterdir())
