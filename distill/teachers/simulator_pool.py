"""Several worker processes that share out points."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.teachers.process import Worker

Answer = np.ndarray[Any, np.dtype[Any]] | Exception
"""What came of a batch: the function's answer as it is, or what was raised instead."""


def share_out(
    workers: Sequence[Worker],
    batches: Sequence[Array],
    vectorized: bool,
    timeout: float,
    begin: Callable[[int], None] = lambda points: None,
) -> Iterator[tuple[int, Answer]]:
    """Ask all batches, each worker the next one as soon as it is free.

    Yields the number of a batch and its answer in the order in which they come. ``begin`` is told
    how many points are asked now, in the worker's thread. When the caller stops before the end, the
    workers that still compute are ended.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()
    for i in range(len(batches)):
        waiting.put(i)
    stopped = threading.Event()

    def work(worker: Worker) -> None:
        while not stopped.is_set():
            try:
                i = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                begin(len(batches[i]))
                done.put((i, worker.ask(batches[i], vectorized, timeout)))
            except Exception as error:  # handed to the thread that asked
                done.put((i, error))

    used = workers[: max(1, min(len(workers), len(batches)))]
    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in used]
    for thread in threads:
        thread.start()
    left = len(batches)
    try:
        while left:
            yield done.get()
            left -= 1
    finally:
        if left:
            stopped.set()
            for worker in used:
                worker.interrupt()
        for thread in threads:
            thread.join()
        if left:  # wait for the ends: a worker asked again at once would die of the old signal
            for worker in used:
                worker.stop()
