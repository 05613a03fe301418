"""The boxes of a claim, verified by one process or by several."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context

from flint import arb

from distill.chain.expression import Expression
from distill.checking.balls import precise
from distill.checking.certificate import Certificate, Claim, parse_certificate
from distill.checking.chains import put_expression
from distill.checking.coded import coded
from distill.checking.formulas import Put
from distill.checking.leaf import Box, Failure, Find, difference, examine
from distill.checking.tables import put_table
from distill.errors import StorageError

CHUNK = 64
"""Boxes that one process takes at a time."""

ALONE = 4 * CHUNK
"""Fewer boxes are not worth starting processes for."""


def sides(certificate: Certificate, name: str) -> tuple[Put, Put]:
    """What a claim compares: the formula or the table, and the teacher.

    Raises
    ------
    CannotCheck : for what has no enclosure here.
    """
    teacher = put_expression(certificate.teacher)
    if name == "table":
        assert certificate.table is not None  # claims fit what there is
        return put_table(certificate.table), teacher
    formula: Expression | None = certificate.formula
    assert formula is not None
    return put_expression(formula), teacher


Result = tuple[int, Failure | None]


class Worker:
    """Verifies boxes of one claim."""

    def __init__(self, certificate: Certificate, name: str, budget: int) -> None:
        self.noisy = name == "rounding"
        with precise():
            claims = certificate.claims
            self.bound = arb(claims[name].bound)
            self.find: Find
            if self.noisy:
                # What the C adds to the formula is verified with what the formula is off.
                self.bound = (self.bound + arb(claims["formula"].bound)).lower()
                self.find = coded(certificate)
            else:
                a, b = sides(certificate, name)
                self.find = partial(difference, a, b)
        self.budget = budget

    def __call__(self, boxes: Sequence[Box]) -> list[Result]:
        """How many boxes each took and what failed; after a failure the rest is left."""
        results: list[Result] = []
        with precise():
            for box in boxes:
                results.append(examine(self.find, box, self.bound, self.budget, noisy=self.noisy))
                if results[-1][1] is not None:
                    break
        return results


_worker: Worker | None = None


def _begin(raw: bytes, name: str, budget: int) -> None:
    """What a process does first; Ctrl-C is its parent's business."""
    global _worker  # noqa: PLW0603 - a process of a pool keeps its work here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _worker = Worker(parse_certificate(raw), name, budget)


def _work(boxes: Sequence[Box]) -> list[Result]:
    assert _worker is not None  # set when the process began
    return _worker(boxes)


def run_all(
    raw: bytes, claim: Claim, boxes: Sequence[Box], jobs: int, budget: int
) -> Iterator[tuple[int, list[Result]]]:
    """Results in chunks, in any order."""
    chunks = [boxes[i : i + CHUNK] for i in range(0, len(boxes), CHUNK)]
    if jobs < 2 or len(boxes) < ALONE:
        work = Worker(parse_certificate(raw), claim.name, budget)
        for chunk in chunks:
            yield len(chunk), work(chunk)
        return
    # Spawned, not forked: a fork would copy the terminal's threads half-way.
    with _own_modules():
        pool = ProcessPoolExecutor(
            jobs, get_context("spawn"), initializer=_begin, initargs=(raw, claim.name, budget)
        )
    try:
        left = iter(chunks)
        running: dict[Future[list[Result]], int] = {}
        with _undisturbed(), _own_modules():
            for chunk in islice(left, 2 * jobs):
                running[pool.submit(_work, chunk)] = len(chunk)
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()
                for chunk in islice(left, 1):
                    running[pool.submit(_work, chunk)] = len(chunk)
    except BrokenProcessPool:
        raise StorageError(
            "a process of the check was ended from outside, probably for lack of memory.",
            hint="check with fewer at once: jobs=1.",
        ) from None
    finally:
        # What still runs is ended: after a failure or Ctrl-C nobody wants it. The pool's thread is
        # waited for, as it closes the pipe through which Python wakes it at exit.
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _own_modules() -> Iterator[None]:
    """Processes begun here import nothing from the working folder: it may be a stranger's."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits: processes are started whole, and never hear of it themselves."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    heard: list[int] = []
    # The processes inherit what is blocked. Another thread may still take the signal in, and Python
    # would interrupt this one all the same: so it is only written down.
    handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
    if heard:
        raise KeyboardInterrupt


def cores() -> int:
    """How many processes this machine runs at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
