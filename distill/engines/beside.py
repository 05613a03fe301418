"""A second engine's search beside the first, in a thread, its candidates fetched when it suits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from types import TracebackType

from distill.engines.base import Candidate, Problem
from distill.engines.child import EngineError
from distill.engines.closable import closable
from distill.errors import DistillError

Search = Callable[[Problem], Iterator[Candidate]]


class _Stopped(Exception):
    """The search was told to stop."""


class Beside:
    """A search that runs in a thread of its own, for engines whose work is in another process.

    What comes when depends on the clock: for budgets in seconds only. The search ends at the next
    time it tells how much of its budget is spent, or proposes a candidate, after :meth:`close`.
    """

    def __init__(self, search: Search, problem: Problem) -> None:
        self._search = search
        self._problem = replace(problem, tell=self._check, explain=lambda finding: None)
        self._found: queue.SimpleQueue[Candidate] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)

    @property
    def finished(self) -> bool:
        """Whether the search has ended; what it found may still wait to be drained."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        """Begin to search."""
        self._thread.start()

    def drain(self) -> list[Candidate]:
        """What was found since the last call, without waiting.

        Raises
        ------
        EngineError : once, when the search failed; after all that it found was drained.
        """
        found: list[Candidate] = []
        while True:
            try:
                found.append(self._found.get_nowait())
            except queue.Empty:
                break
        if not found and self.finished:
            self._raise()
        return found

    def stop(self) -> None:
        """Have the search end soon, without waiting for it."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until the search has ended."""
        if self._thread.is_alive():
            self._thread.join()

    def close(self) -> None:
        """Stop the search and wait until it has ended.

        Raises
        ------
        EngineError : when it had failed and no :meth:`drain` said so.
        """
        self._end()
        self._raise()

    def __enter__(self) -> Beside:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        if error is None:
            self._raise()

    def _end(self) -> None:
        self.stop()
        self.wait()

    def _check(self, fraction: float) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _run(self) -> None:
        try:
            with closing(closable(self._search(self._problem))) as search:
                for candidate in search:
                    self._found.put(candidate)
                    self._check(0.0)
        except _Stopped:
            pass
        except BaseException as error:  # it must reach the thread that asks
            self._error = error

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is None:
            return
        if isinstance(error, EngineError):
            raise error
        if isinstance(error, DistillError):
            raise EngineError(error.what, where=error.where, hint=error.hint) from error
        raise EngineError(f"the search beside failed: {type(error).__name__}: {error}.") from error
