"""The file of answers: cut off anywhere, damaged anywhere, written by several at once."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from distill.teachers.simulator_cache import CHECK, HEADER, Answers

X = np.random.default_rng(0).uniform(size=(20, 3))
Y = np.column_stack([X.sum(axis=1), X.prod(axis=1)])
SIZE = 5 * 8 + CHECK


def written(folder: Path) -> Path:
    Answers(folder, "f" * 64, 2).add(X, Y)
    (path,) = folder.glob("*.answers")
    assert path.stat().st_size == HEADER + 20 * SIZE
    return path


def known(folder: Path) -> np.ndarray:
    values, found = Answers(folder, "f" * 64, 2).find(X)
    np.testing.assert_array_equal(values[found], Y[found])
    assert np.isnan(values[~found]).all()
    return found


@pytest.mark.parametrize("cut", [1, SIZE - 1, SIZE, 5 * SIZE + 3, 20 * SIZE, 20 * SIZE + 50])
def test_a_file_that_was_cut_off_loses_the_last_records_and_grows_again(cut: int, tmp_path: Path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    left = max(0, (20 * SIZE - cut) // SIZE)
    np.testing.assert_array_equal(known(tmp_path), np.arange(20) < left)
    Answers(tmp_path, "f" * 64, 2).add(X[left:], Y[left:])
    assert known(tmp_path).all()
    assert path.stat().st_size == HEADER + 20 * SIZE


def test_a_damaged_record_is_not_believed(tmp_path: Path):
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    data[HEADER + 7 * SIZE + 30] ^= 1
    path.write_bytes(bytes(data))
    np.testing.assert_array_equal(known(tmp_path), np.arange(20) != 7)


def test_a_damaged_header_begins_the_file_anew(tmp_path: Path):
    path = written(tmp_path)
    path.write_bytes(b"?" + path.read_bytes()[1:])
    assert not known(tmp_path).any()
    Answers(tmp_path, "f" * 64, 2).add(X[:3], Y[:3])
    assert known(tmp_path).sum() == 3
    assert path.stat().st_size == HEADER + 3 * SIZE


def test_another_teachers_file_is_not_read(tmp_path: Path):
    written(tmp_path)
    assert not Answers(tmp_path, "f" * 32 + "e" * 32, 2).find(X)[1].any()
    assert not Answers(tmp_path, "f" * 64, 1).find(X)[1].any()


def test_what_another_one_wrote_is_seen(tmp_path: Path):
    reader = Answers(tmp_path, "f" * 64, 2)
    assert not reader.find(X)[1].any()
    Answers(tmp_path, "f" * 64, 2).add(X[:5], Y[:5])
    np.testing.assert_array_equal(reader.find(X)[1], np.arange(20) < 5)


def _write(folder: Path, part: int) -> None:
    answers = Answers(folder, "f" * 64, 2)
    for i in range(part, 20, 4):
        answers.add(X[i : i + 1], Y[i : i + 1])


def test_several_write_at_once(tmp_path: Path):
    with ProcessPoolExecutor(4) as pool:
        for job in [pool.submit(_write, tmp_path, part) for part in range(4)]:
            job.result()
    assert known(tmp_path).all()
    (path,) = tmp_path.glob("*.answers")
    assert path.stat().st_size == HEADER + 20 * SIZE


def test_without_a_folder_nothing_is_written(tmp_path: Path):
    answers = Answers(None, "f" * 64, 2)
    answers.add(X, Y)
    assert answers.find(X)[1].all()
    assert len(answers) == 20
    assert not list(tmp_path.iterdir())
