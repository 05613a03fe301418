"""What is printed cannot fill the disk: neither a job's log nor what a teacher says."""

import io
import os

import numpy as np
import pytest

from distill import load_teacher
from distill.domain import Domain
from distill.errors import TeacherError
from distill.sweeping.capped import CappedText
from distill.teachers import process

DOMAIN = Domain.box(a=(0.0, 1.0, ""))

CHATTY = """
import os, sys
def chatty(x):
    sys.stdout.write("word " * 100_000)
    sys.stdout.flush()
    return x[:, 0]
def dies(x):
    sys.stderr.write("word " * 100_000 + "\\nthe last words\\n")
    sys.stderr.flush()
    os._exit(7)
"""


def test_a_log_is_cut_and_says_so_once():
    file = io.StringIO()
    log = CappedText(file, most=10)
    for text in ("12345", "678", "90123", "456"):
        assert log.write(text) == len(text)
    print("more", file=log, flush=True)
    kept, _, rest = file.getvalue().partition("\n")
    assert kept == "1234567890"
    assert rest == "... the log is cut here: it has its largest size.\n"


def test_a_log_with_room_has_everything():
    file = io.StringIO()
    log = CappedText(file, most=100)
    print("all of it", file=log)
    assert file.getvalue() == "all of it\n"
    assert log.writable()


def test_a_chatty_teacher_takes_no_more_of_the_disk_than_it_may(tmp_path, monkeypatch):
    (tmp_path / "talking.py").write_text(CHATTY)
    monkeypatch.chdir(tmp_path)
    teacher = load_teacher("talking:chatty", domain=DOMAIN)
    worker = _worker(teacher)
    for _ in range(9):
        assert np.array_equal(teacher.predict(np.array([[0.25]])), [[0.25]])
    status = os.fstat(worker._said.fileno())
    assert status.st_size > 3_000_000, "it has said that much"
    assert status.st_blocks * 512 <= process.MOST_SAID + 600_000
    worker.stop()


def test_its_last_words_are_still_told(tmp_path, monkeypatch):
    (tmp_path / "talking.py").write_text(CHATTY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "MOST_SAID", 1000)
    teacher = load_teacher("talking:dies", domain=DOMAIN)
    with pytest.raises(TeacherError, match=r"exit code 7: the last words"):
        teacher.predict(np.array([[0.25]]))


def _worker(teacher):
    """The process behind a teacher."""
    inner = teacher
    while not isinstance(inner, process.Worker):
        inner = getattr(inner, "teacher", None) or getattr(inner, "worker", None) or inner._worker
    return inner
