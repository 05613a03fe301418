"""Metrics in MLflow while a search runs.

News go into a small table that keeps the last value of each metric; a thread of its own writes the
table every few seconds as one batch. So a search that tells often costs no more than one that tells
seldom, and a slow or dead server costs it nothing: the first failure ends the writing and is said
once, and the whole study is logged when it is finished, as ever.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from distill.errors import DistillError, TrackingError
from distill.progress import OUTPUT, Best, Progress
from distill.tracking.entries import KEY, LONGEST_STUDY_NAME, shorten
from distill.tracking.log import ensure_experiment
from distill.tracking.store import load_mlflow, open_store, tracking_errors
from distill.tracking.unfinished import Search, unfinished_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient

BATCH_SECONDS = 5.0
"""At most one batch in this time."""

LAST_SECONDS = 10.0
"""How long a finished search waits for its last batch."""

NOTE = "mlflow.note.content"


class News(NamedTuple):
    """What is to be written next: of which search, metrics with their times in seconds, a note."""

    search: int
    metrics: dict[str, tuple[float, float]]
    note: str


class Writer:
    """Writes news of searches into their runs, in a thread of its own."""

    def __init__(self, searches: Sequence[Search], root: Path, uri: str | None) -> None:
        self.problem: DistillError | None = None
        self._searches, self._root, self._uri = searches, root, uri
        self._news: dict[int, News] = {}
        self._runs: dict[int, tuple[str, float]] = {}
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._status: str | None = None
        self._thread = threading.Thread(target=self._work, name="distill-live", daemon=True)

    def start(self) -> None:
        """Begin to write; does nothing when called again."""
        if self._thread.ident is None:
            load_mlflow()
            self._thread.start()

    def tell(self, search: int, metrics: Mapping[str, float], note: str = "") -> None:
        """Keep the values until the next batch; what is not finite is left out."""
        now = time.time()
        with self._lock:
            kept = self._news.get(search, News(search, {}, ""))
            kept.metrics.update({k: (v, now) for k, v in metrics.items() if math.isfinite(v)})
            self._news[search] = kept._replace(note=note or kept.note)

    def close(self, status: str | None = None) -> None:
        """Write what is left, but wait no longer than for a server that works.

        ``status`` is what the runs end with; None leaves them running for who logs the study.
        """
        if self._thread.ident is not None:
            self._status = status
            self._closing.set()
            self._thread.join(LAST_SECONDS)

    def _work(self) -> None:
        try:
            store = open_store(self._root, self._uri)
            with tracking_errors(store):
                client = store.client()
                experiment = ensure_experiment(client, store, self._searches[0].teacher_name)
                closing = False
                while not closing:
                    closing = self._closing.wait(BATCH_SECONDS if self._runs else 0.0)
                    for news in self._taken():
                        self._write(client, experiment, news)
                for run_id, _ in self._runs.values() if self._status else ():
                    # Another process that searched for the same may have made a study of it.
                    if KEY not in client.get_run(run_id).data.tags:
                        client.set_terminated(run_id, self._status)
        except DistillError as error:
            self.problem = error
        except Exception as error:
            # Whatever a library may raise here, it is no reason to lose a search.
            self.problem = TrackingError(f"{type(error).__name__}: {error}")

    def _taken(self) -> list[News]:
        with self._lock:
            news, self._news = list(self._news.values()), {}
        return news

    def _write(self, client: MlflowClient, experiment: str, news: News) -> None:
        from mlflow.entities import Metric, RunTag

        if news.search not in self._runs:
            self._runs[news.search] = _begun(client, experiment, self._searches[news.search])
        run_id, began = self._runs[news.search]
        # The step is the seconds since the run began, so that a search that was killed goes on
        # to the right of where it was.
        metrics = [
            Metric(name, value, round(1000 * when), max(0, round(when - began)))
            for name, (value, when) in news.metrics.items()
        ]
        tags = [RunTag(NOTE, news.note)] if news.note else []
        client.log_batch(run_id, metrics=metrics, tags=tags)


def _begun(client: MlflowClient, experiment: str, search: Search) -> tuple[str, float]:
    """The run of a search, made or taken up again, and when it began, in seconds since 1970."""
    run = next(iter(unfinished_runs(client, experiment, search)), None)
    if run is None:
        name = shorten(search.name, LONGEST_STUDY_NAME)
        run = client.create_run(experiment, tags=search.tags, run_name=name)
    elif run.info.status != "RUNNING":
        client.update_run(run.info.run_id, status="RUNNING")
    return str(run.info.run_id), run.info.start_time / 1000


class Live:
    """Passes news on to a listener, and what can be drawn as a curve to a writer.

    Nothing is written before a stage begins to work: a study whose stages are all kept needs no
    run in the making.
    """

    def __init__(self, searches: Sequence[Search], writer: Writer, listener: Progress) -> None:
        self._searches, self._writer, self._listener = searches, writer, listener
        self._search = -1
        self._stage = ""
        self._told = False

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self._listener.begin(stage, detail)
        if stage == OUTPUT:
            self._search += 1
            return
        self._stage = stage
        self._writer.start()
        self._tell({f"live/progress/{stage}": 0.0})

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done and what it does now."""
        self._listener.advance(fraction, text)
        if fraction is not None:
            self._tell({f"live/progress/{self._stage}": fraction})

    def front(self, best: Sequence[Best]) -> None:
        """The front so far."""
        self._listener.front(best)
        last, output = best[-1], self._searches[max(0, self._search)].output_name
        self._tell(
            {"live/best_error": last.error, "live/front_size": float(len(best))},
            f"Searching. Best so far: `{output} = {shorten(last.formula, 2000)}`, off by "
            f"{last.error:.4g} at the points of the sample, with {last.complexity} nodes.",
        )

    @property
    def began(self) -> bool:
        """Whether any stage had to work, so that there may be runs."""
        return bool(self._stage)

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        self._listener.warn(text)

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        self._listener.end(stage, detail, reused=reused)
        if not reused:
            self._tell({f"live/progress/{stage}": 1.0})

    def _tell(self, metrics: Mapping[str, float], note: str = "") -> None:
        problem = self._writer.problem
        if problem is None:
            self._writer.tell(max(0, self._search), metrics, note)
        elif not self._told:
            self._told = True
            self._listener.warn(
                f"progress is not shown in MLflow: {problem.what} The search goes on."
            )


@contextmanager
def live(
    searches: Sequence[Search], root: Path, uri: str | None, listener: Progress
) -> Iterator[Live]:
    """Show a search in MLflow while the block runs; gives what the search has to report to.

    ``searches`` has one entry for each output, in the order of their searches. After an error the
    runs are marked as failed, after Ctrl-C as killed; the next same search goes on in them.
    """
    writer = Writer(searches, root, uri)
    status: str | None = "FAILED"
    try:
        yield Live(searches, writer, listener)
        status = None
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        writer.close(status)
