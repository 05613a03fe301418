"""Work that waits for compilers and emulators, some of it at once; Ctrl-C ends all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from distill.firmware.toolchains.process import kill_tools

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 2

LOOK = 0.05
"""Seconds after which programs that were started in the meantime are killed too."""


def at_once(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What ``work`` gives for each item, in their order.

    Compilers are programs of their own, so threads keep both cores busy. The first error of an item
    is raised when those that run have ended; after an interrupt their programs are killed.
    """
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    futures: list[Future[R]] = []
    try:
        futures.extend(pool.submit(work, item) for item in items)
        return [future.result() for future in futures]
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            kill_tools()
            time.sleep(LOOK)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
