"""Functions by import path: a process of their own, a time limit, fingerprints of their code."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.errors import TeacherError
from distill.teachers.load import load_teacher

X = np.array([[1.0, 3.0], [1.25, 4.5], [2.0, 5.0]])


def test_runs_in_another_process(functions: str, box: Domain):
    Path(f"{functions}.py").write_text(
        "import os\ndef f(x):\n    return x[:, 0] * 0 + os.getpid()\n"
    )
    there = load_teacher(f"{functions}:f", domain=box).predict(X)[0, 0]
    assert there != os.getpid()
    with pytest.raises(ProcessLookupError):  # it ended with its teacher
        os.kill(int(there), 0)


def test_batches_come_back_in_order(functions: str, box: Domain):
    teacher = load_teacher(f"{functions}:product", domain=box, batch=7)
    x = box.sample(100, seed=1)
    np.testing.assert_array_equal(teacher.predict(x)[:, 0], x[:, 0] * x[:, 1])
    assert teacher.batch == 7


def test_what_the_function_prints_does_not_spoil_its_answers(
    functions: str, box: Domain, capfd: pytest.CaptureFixture[str]
):
    teacher = load_teacher(f"{functions}:chatty", domain=box)
    np.testing.assert_array_equal(teacher.predict(X)[:, 0], X[:, 0])
    assert capfd.readouterr() == ("", "")


def test_ends_with_a_parent_that_was_killed(functions: str):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, numpy, distill.teachers.load as l\n"
            f"t = l.load_teacher('{functions}:hangs')\n"
            "print(t.teacher.worker._process.pid, flush=True)\n"
            "t.predict(numpy.ones((1, 2)))",
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    worker = Path(f"/proc/{int(parent.stdout.readline())}/cmdline")
    assert b"worker.py" in worker.read_bytes()
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 20
    while worker.exists() and worker.read_bytes() and time.monotonic() < until:
        time.sleep(0.1)
    assert not worker.exists() or not worker.read_bytes()  # gone, or waiting to be buried


def test_a_large_batch_passes_through_the_pipes(functions: str, box: Domain):
    x = box.sample(100_000)
    teacher = load_teacher(f"{functions}:product", domain=box, batch=len(x))
    np.testing.assert_array_equal(teacher.predict(x)[:, 0], x[:, 0] * x[:, 1])


@pytest.mark.parametrize("name", ["hangs", "sleeps"])
def test_one_that_never_answers_is_stopped_and_says_how_long_it_had(
    name: str, functions: str, box: Domain
):
    teacher = load_teacher(f"{functions}:{name}", domain=box, timeout=0.3)
    with pytest.raises(TeacherError, match=r"did not answer 3 points within 0\.3 s") as caught:
        teacher.predict(X)
    assert "timeout" in caught.value.hint


def test_a_stopped_teacher_can_be_asked_again(functions: str, box: Domain):
    teacher = load_teacher(f"{functions}:hangs_above_one", domain=box, timeout=0.5)
    with pytest.raises(TeacherError, match="did not answer"):
        teacher.predict(X)
    assert teacher.predict(X[:1])[0, 0] == 1.0


def test_a_crash_is_told_with_its_signal(functions: str, box: Domain):
    with pytest.raises(TeacherError, match="ended with signal SIGABRT"):
        load_teacher(f"{functions}:dies", domain=box).predict(X)


def test_an_exit_is_told_with_its_code_and_last_words(functions: str, box: Domain):
    with pytest.raises(TeacherError, match="exit code 3: no licence"):
        load_teacher(f"{functions}:leaves", domain=box).predict(X)


def test_fingerprint_follows_the_code_and_what_it_imports(functions: str, box: Domain):
    helper, main = Path("their_helper.py"), Path(f"{functions}.py")
    main.write_text("from their_helper import f\n")

    def fingerprint(factor: int) -> str:
        helper.write_text(f"def f(x):\n    return {factor} * x[:, 0]\n")
        return load_teacher(f"{functions}:f", domain=box).fingerprint

    assert fingerprint(2) == fingerprint(2)
    assert fingerprint(2) != fingerprint(3)


def test_fingerprint_of_a_callable_follows_what_it_closes_over(box: Domain):
    def scaled(factor: float, table: np.ndarray) -> str:
        return load_teacher(lambda x: factor * x[:, 0] + table[0], domain=box).fingerprint

    assert scaled(2.0, np.ones(3)) == scaled(2.0, np.ones(3))
    assert scaled(2.0, np.ones(3)) != scaled(3.0, np.ones(3))
    assert scaled(2.0, np.ones(3)) != scaled(2.0, np.array([1.0, 1.0, 2.0]))


def test_fingerprint_of_a_method_follows_its_object(box: Domain):
    class Model:
        def __init__(self, weight: float) -> None:
            self.weight = weight

        def predict(self, x: np.ndarray) -> np.ndarray:
            return self.weight * x[:, 0]

    prints = [load_teacher(Model(w).predict, domain=box).fingerprint for w in (1.0, 1.0, 2.0)]
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_whole_numbers_past_64_bits_are_numbers(functions: str, box: Domain):
    teacher = load_teacher(f"{functions}:big", domain=box, vectorized=False)
    np.testing.assert_array_equal(teacher.predict(X), np.full((3, 1), 1e30))


def test_a_process_starts_again_where_the_user_was(
    functions: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    teacher = load_teacher(f"{functions}:product")
    x = np.array([[2.0, 3.0]])
    monkeypatch.chdir(tmp_path)
    teacher.teacher.worker.stop()
    assert teacher.predict(x) == 6.0
    gone = tmp_path / "gone"
    (tmp_path / "project").rename(gone)
    teacher.teacher.worker.stop()
    with pytest.raises(TeacherError, match="is gone") as caught:
        teacher.predict(x)
    assert caught.value.hint
