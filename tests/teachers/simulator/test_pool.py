"""Points shared out to several processes, and asking them again after an end before the end."""

import os
import threading
from contextlib import suppress

import numpy as np

from distill.teachers import process
from distill.teachers.checked import Raised
from distill.teachers.process import Worker
from distill.teachers.simulator_pool import share_out

SLOW = '''
"""Works for a while, or raises at once."""
import time

def f(a):
    if a < 0:
        raise NameError("a")
    time.sleep(0.4)
    return a
'''


def test_processes_stopped_before_the_end_answer_the_next_question(tmp_path, monkeypatch):
    """Signals reach a process a little later, and must not reach the next question."""

    def later(group: int, number: int) -> None:
        def send() -> None:
            with suppress(ProcessLookupError):
                os.kill(group, number)

        threading.Timer(0.2, send).start()

    (tmp_path / "their_slow.py").write_text(SLOW)
    monkeypatch.chdir(tmp_path)
    workers = [Worker("their_slow", "f"), Worker("their_slow", "f")]
    for worker in workers:
        worker.start()
    monkeypatch.setattr(process.os, "killpg", later)
    asking = share_out(workers, [np.array([[-1.0]]), np.array([[1.0]])], False, 30)
    i, answer = next(asking)
    assert i == 0
    assert isinstance(answer, Raised)
    asking.close()
    for worker in workers:
        assert worker.ask(np.array([[2.0]]), False, 30).tolist() == [2.0]
    monkeypatch.undo()
    for worker in workers:
        worker.stop()
