"""What is tried: each limit with runs that would take, hold, ask or say far more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from limits.teachers import ASKED, box, write_network
from limits.trying import Tried, Watch, tried

ALLOWED = 5.0
"""Seconds by which a limit of time may be passed."""

TIMEOUT = 8.0
"""The teacher's own limit where it never answers: it comes on top."""

ENGINES = ("structure", "operon", "portfolio", "polynomial", "student")
"""Those that search, and are here without Julia."""

ASKING = ("structure", "operon", "portfolio")
"""Those that ask the teacher, or for which the rounds do, in three ways."""

LAYERS = {"score": (6, 64, 64, 1), "export": (6, 128, 128, 1)}
"""Of networks whose proofs last longer than allowed: of 60 s those of the score took 22; the export
of the larger one proves some of its formula cell by cell."""

ENDLESS = 10**9
"""Boxes that no proof gets through."""

GIGABYTE = 10**9
MEGABYTE = 10**6

PRINTED = 2.0
"""Megabytes of what a function prints that may be on disk at any time: twice what is kept."""

SOON = 5.0
"""Seconds in which a run that holds too much is to be over."""

SMALL = (
    "tracking=off", "target=host", "sampling.points=64", "engine.keep=2", "score=quick",
    "score.points=200", "score.starts=2", "score.prove=false", "export.prove=false",
    "export.verify=false", "export.table_bytes=64", "export.arithmetic=double", "tolerance=5",
)  # fmt: skip
"""All but what is tried is small."""


@dataclass(frozen=True)
class Found:
    """What came out of one trial: in words, and whether the promise was kept."""

    text: str
    kept: bool
    code: int


@dataclass(frozen=True)
class Case:
    """One trial: the limit's key, what it is given, with what it is tried, and how."""

    limit: str
    given: str
    what: str
    run: Callable[[Path], Found]

    @property
    def name(self) -> str:
        """Of all cases its own."""
        return f"{self.limit}={self.given}, {self.what}"


def cases() -> Iterator[Case]:
    """All that is tried."""
    for seconds in (3, 10):
        for engine in ENGINES:
            yield _search(engine, "quick", seconds, engine)
    for engine in ASKING:
        yield _search(engine, "slow", 3, f"{engine}, a teacher of 0.05 s a point")
    for engine in ASKING:
        what = f"{engine}, a teacher that never answers, with timeout={TIMEOUT:g}"
        yield _search(engine, "hangs", 3, what, TIMEOUT)
    yield _search("polynomial", "network", 3, "polynomial, a network 6-128-128-1")
    for which in ("score", "export"):
        yield _proofs(which, 3, LAYERS[which])
        yield _proofs(which, 10, LAYERS[which])
    for function, what in MEMORY.items():
        yield _memory(function, what)
    for engine in ASKING:
        yield _questions(engine, f"engine={engine}", "engine.evaluations=null", "engine.seconds=10")
    yield _questions("a sample that needs more", "sampling.points=4000", code=2)
    yield Case("what a function prints", "1 MB", "a function that prints 100 MB a call", _printed)


def _function(name: str) -> tuple[str, ...]:
    return ("teacher=function", f"teacher.source=their_functions:{name}", *box(3))


def _network(layers: tuple[int, ...]) -> tuple[str, ...]:
    listed = ",".join(map(str, layers))
    options = (f"teacher.options.layers=[{listed}]", "teacher.options.activation=tanh")
    return ("teacher=torch", "teacher.source=net.safetensors", *options, *box(layers[0]))


def _search(engine: str, function: str, seconds: float, what: str, timeout: float = 0.0) -> Case:
    """The time of the search; ``timeout`` is what its last answer may take on top."""
    teacher = _network(LAYERS["export"]) if function == "network" else _function(function)
    words = [*SMALL, *teacher, f"engine={engine}", "engine.evaluations=null"]
    words += [
        f"engine.seconds={seconds:g}",
        *([f"teacher.options.timeout={timeout}"] * bool(timeout)),
    ]
    if engine == "student":
        words += ["engine.options.largest=64", "engine.options.starts=100"]

    def run(folder: Path) -> Found:
        folder.mkdir(parents=True)
        write_network(folder / "net.safetensors", LAYERS["export"])
        done = tried(folder, words)
        return _timed(done, done.seconds("fit") - seconds, ALLOWED + timeout)

    return Case("engine.seconds", f"{seconds:g} s", what, run)


def _proofs(which: str, seconds: float, layers: tuple[int, ...]) -> Case:
    """Endless proofs of one stage.

    Those of the score take what it takes longer than without any; the export says when it proves.
    """
    words = [*SMALL, *_network(layers)]
    words += ["engine=polynomial", "engine.evaluations=1000000"]
    words += ["engine.rounds=1", "engine.counterexamples=0", "engine.options.max_degree=2"]
    words += ["engine.options.max_terms=4"]
    proofs = [f"{which}.prove=true", f"{which}.proof_seconds={seconds:g}"]
    proofs += [f"{which}.proof_boxes={ENDLESS}", *["score.proof_ratio=1.0001"] * (which == "score")]

    def run(folder: Path) -> Found:
        folder.mkdir(parents=True)
        write_network(folder / "net.safetensors", layers)
        before = tried(folder, words).seconds("score") if which == "score" else 0.0
        done = tried(folder, [*words, *proofs], telling_all=which == "export")
        took = done.seconds("score") - before if which == "score" else done.proving("export")
        return _timed(done, took - seconds, ALLOWED)

    what = f"a network {'-'.join(map(str, layers))}"
    return Case(f"{which}.proof_seconds", f"{seconds:g} s", what, run)


def _timed(done: Tried, passed: float, allowed: float) -> Found:
    words = f"passed by {passed:.1f} s" if passed >= 0 else f"over {-passed:.1f} s before"
    return Found(words, passed <= allowed and not done.ended.left, done.ended.status)


MEMORY = {
    "grows": "a function that takes 50 MB more a call, in the sample",
    "grows_later": "the same in the search",
    "leaps": "a function that takes 3 GB at once",
}


def _memory(function: str, what: str, limit: float = 1.5) -> Case:

    def run(folder: Path) -> Found:
        words = [*SMALL, *_function(function), "teacher.options.batch=4", "sampling.points=512"]
        words += ["engine.evaluations=4000000", "engine=operon", f"limits.memory={limit}"]
        done = tried(folder, words, Watch(limit * GIGABYTE))
        watch, ended = done.watch, done.ended
        # What it held for less than a moment only its own watch has seen.
        seconds = 0.0 if watch.over is None else done.at - watch.over
        later = "" if watch.over is None else f"; over {seconds:.1f} s later"
        left = f", {len(ended.left)} processes left" if ended.left else ""
        text = f"held {watch.peak / watch.limit:.2f} times as much{later}{left}"
        kept = ended.status == 3 and seconds <= SOON and not ended.left
        return Found(text, kept, ended.status)

    return Case("limits.memory", f"{limit:g} GB", what, run)


def _questions(what: str, *words: str, limit: int = 2000, code: int = 0) -> Case:
    """Where more would be asked than there is; ``code`` is what it is to end with."""
    given = [*SMALL, "score.points=20000", *_function("quick"), f"limits.questions={limit}"]

    def run(folder: Path) -> Found:
        ended = tried(folder, [*given, *words]).ended
        file = folder / ASKED
        asked = sum(map(int, file.read_text().split())) if file.exists() else 0
        kept = asked <= limit and ended.status == code
        return Found(f"asked at {asked:,} points", kept, ended.status)

    return Case("limits.questions", f"{limit:,}", what, run)


def _printed(folder: Path) -> Found:
    words = [*SMALL, *_function("chatty"), "teacher.options.batch=64", "engine.evaluations=2000"]
    done = tried(folder, [*words, "engine=polynomial", "sampling.points=256"])
    most, left = done.watch.told / MEGABYTE, done.watch.left / MEGABYTE
    text = f"{most:.1f} MB on disk between two looks at it, {left:.1f} MB afterwards"
    return Found(text, most <= PRINTED, done.ended.status)
