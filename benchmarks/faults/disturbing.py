"""What is done to a study, and to the folders that it works in.

A trial disturbs the study once or several times, has it done again, and gives what was wrong.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from distill.runner import code_fingerprint
from faults.clock import TURNED_BACK, preloaded
from faults.judging import judged, leftovers
from faults.running import Ended, Going, start

STAGES = ("sample", "fit", "score", "measure", "select", "export", "verify", "log")
BOUNDARIES = tuple((event, stage) for stage in STAGES for event in ("begin", "end"))
NO_TOOLS = "/nonexistent"
"""Where programs are looked for: only the compiler of the wheels is there, so that checking the C
takes seconds."""
HONEST = {0, 2, 3, 130}

Outcome = tuple[int, list[str]]
"""So many disturbances, and what was wrong afterwards."""


@dataclass(frozen=True)
class Blow:
    """A signal, and whether the whole process group gets it or the first process alone."""

    number: signal.Signals
    group: bool = True

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.number.name}{'' if self.group else ', to the first process alone'}"


BLOWS = (
    Blow(signal.SIGKILL), Blow(signal.SIGKILL, group=False), Blow(signal.SIGTERM, group=False),
    Blow(signal.SIGINT),
)  # fmt: skip


@dataclass
class Bench:
    """The folder that all runs work in, the same one for each, and what an undisturbed run left.

    ``whole`` is a copy of that folder, ``expected`` what it is judged by, ``seconds`` how long it
    took.
    """

    scratch: Path
    words: tuple[str, ...]
    expected: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def work(self) -> Path:
        """Where the study is done."""
        return self.scratch / "work"

    @property
    def root(self) -> Path:
        """Its results."""
        return self.work / "studies"

    @property
    def build(self) -> Path:
        """Its C."""
        return self.work / "build"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files of its runs."""
        return self.scratch / "tmp"

    def prepare(self) -> None:
        """Do the study undisturbed, twice: what differs would be no one's fault."""
        kept = self.scratch / "expected.json"
        made_by = [code_fingerprint(), *self.words]
        if kept.exists() and (data := json.loads(kept.read_text()))["made_by"] == made_by:
            self.expected, self.seconds = data["expected"], data["seconds"]
            return
        seen = []
        for _ in range(2):  # once with a store of its own making
            self.empty()
            ended = self.run()
            if ended.status:
                raise SystemExit(f"the undisturbed study failed:\n{ended.said}")
            self.seconds = ended.seconds
            seen.append(judged(self.root, self.build))
            _empty_store(self.root / "mlflow", self.scratch / "store")
        differing = [key for key in {*seen[0], *seen[1]} if seen[0].get(key) != seen[1].get(key)]
        if differing:
            raise SystemExit(f"undisturbed studies differ in {sorted(differing)}")
        self.expected = seen[1]
        shutil.rmtree(self.scratch / "whole", ignore_errors=True)
        shutil.copytree(self.work, self.scratch / "whole")
        data = {"made_by": made_by, "expected": self.expected, "seconds": self.seconds}
        kept.write_text(json.dumps(data))

    def empty(self) -> None:
        """Begin with nothing but MLflow's empty store, whose tables take a fifth of all time."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        store = self.scratch / "store"
        if store.exists():
            shutil.copytree(store, self.root / "mlflow")

    def finished(self) -> None:
        """Begin with a study that is done."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.scratch / "whole", self.work)

    def start(self, *more: str, program: bool = False, **environment: str) -> Going:
        """Begin a run."""
        self.temporary.mkdir(exist_ok=True)
        return start(
            self.scratch / "said",
            ["run", "--json", *self.words, *more],
            self.work,
            {"TMPDIR": str(self.temporary), "PATH": NO_TOOLS, **environment},
            program=program,
        )

    def run(self, *more: str, program: bool = False, **environment: str) -> Ended:
        """A whole run."""
        return self.start(*more, program=program, **environment).end()

    def wrong(self, ended: Ended, *, complete: bool = True) -> list[str]:
        """What a run did that it should not have done.

        One that says 0 has done everything, and one that says something else says why.
        """
        found = [f"outlived its run ({ended.stage}): {line}" for line in ended.left]
        if ended.hung:
            return [*found, f"hung in {ended.stage}: {ended.said[-20_000:]}"]
        if "Traceback" in ended.said or ended.status == 70:
            found.append(f"a traceback or a bug, status {ended.status}: {ended.said[-2000:]}")
        elif ended.status > 0 and (ended.status not in HONEST or not ended.said.strip()):
            found.append(f"ended with {ended.status}: {ended.said[-300:]}")
        if ended.status == 0:
            left = judged(self.root, self.build)
            both = {*left, *self.expected}
            differing = sorted(k for k in both if left.get(k) != self.expected.get(k))
            if differing:
                copy = Path(tempfile.mkdtemp(prefix="differs-", dir=self.scratch)) / "work"
                shutil.copytree(self.work, copy)
                found.append(f"success, but {', '.join(differing)} differ: {copy}")
            found += [f"left behind: {name}" for name in leftovers(self.root, self.build)]
        elif complete:
            found.append(f"the run afterwards ended with {ended.status}: {ended.said[-500:]}")
        return found


def _empty_store(store: Path, copy: Path) -> None:
    """A store as MLflow makes it, from one that has been used."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    (copy / "artifacts").mkdir()
    shutil.copyfile(store / "mlflow.db", copy / "mlflow.db")
    with closing(sqlite3.connect(copy / "mlflow.db")) as db:
        tables = db.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in tables:
            if name not in KEPT_TABLES:
                db.execute(f'delete from "{name}"')
        db.execute("delete from experiments where experiment_id != 0")
        db.commit()


KEPT_TABLES = ("alembic_version", "experiments", "workspaces")


def boundaries(bench: Bench, blow: Blow) -> Outcome:
    """One study that is struck at every begin and end of a stage, one after the other."""
    bench.empty()
    wrong, count = [], 0
    for event, stage in BOUNDARIES:
        going = bench.start()
        if going.wait(partial(_told, going, event, stage)):
            going.send(blow.number, group=blow.group)
            count += 1
        wrong += bench.wrong(going.end(), complete=False)
    return count, [*wrong, *bench.wrong(bench.run())]


def _told(going: Going, event: str, stage: str) -> bool:
    # A stage that got done before its blow came is reused: it has no begin, only an end.
    return any(e["event"] in (event, "end") and e.get("stage") == stage for e in going.events())


def _past(deadline: float) -> bool:
    return time.monotonic() > deadline


def moments(bench: Bench, seed: int, count: int) -> Outcome:
    """So many blows at random moments; a study that gets done in between is judged, and a new one
    begun.
    """
    chance = random.Random(seed)
    bench.empty()
    wrong, landed = [], 0
    while landed < count:
        blow, delay = chance.choice(BLOWS), chance.uniform(0, bench.seconds)
        going = bench.start()
        deadline = time.monotonic() + delay
        if going.wait(partial(_past, deadline)):
            going.send(blow.number, group=blow.group)
            landed += 1
        ended = going.end()
        wrong += [f"{blow.name}: {w}" for w in bench.wrong(ended, complete=False)]
        if ended.status == 0:
            bench.empty()
    return landed, [*wrong, *bench.wrong(bench.run())]


def damaged(bench: Bench, stage: str) -> Outcome:
    """Every file of a finished stage removed, cut and changed in one bit."""
    bench.finished()
    names = [f for f in sorted(_folder(bench, stage).rglob("*")) if f.is_file()]
    wrong: list[str] = []
    for file in names:
        for harm in (_removed, _cut, _flipped):
            harm(file)
            ended = bench.run()
            name = f"{stage}/{file.name} {harm.__name__.strip('_')}"
            wrong += [f"{name}: {w}" for w in bench.wrong(ended)]
            warned = any("damaged" in str(e.get("text")) for e in ended.events)
            if stage != "study" and not warned:
                wrong.append(f"{name}: nothing was said")
    return 3 * len(names), wrong


def _folder(bench: Bench, stage: str) -> Path:
    (record,) = bench.root.glob(f"*/{stage}/*/files.json")
    return record.parent


def _removed(file: Path) -> None:
    file.unlink()


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)


def replaced(bench: Bench, stage: str) -> Outcome:
    """A file where the folder of a finished stage was; then dead temporary things beside it."""
    bench.finished()
    folder = _folder(bench, stage)
    shutil.rmtree(folder)
    folder.write_text("no folder\n")
    wrong = bench.wrong(bench.run())
    shutil.rmtree(folder)
    for left in (f".{folder.name}.partial", f".{folder.name}.distill-dead"):
        folder.with_name(left).mkdir()
        (folder.with_name(left) / "journal.jsonl").write_text('00000000 {"round": 0, "x')
    folder.with_name(f".{folder.name}.lock").write_text("4194304\n")
    return 2, [*wrong, *bench.wrong(bench.run())]


def full(bench: Bench, kilobytes: int) -> Outcome:
    """A disk of so many kilobytes, which then gets larger."""
    bench.empty()
    with _mounted("-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(bench.work)):
        ended = bench.run()
        wrong = bench.wrong(ended, complete=False)
        if ended.status not in (0, 3):
            wrong.append(f"a full disk ended with {ended.status}, not 3: {ended.said[-300:]}")
        _call("mount", "-o", "remount,size=1g", str(bench.work))
        wrong += bench.wrong(bench.run())
    return int(ended.status != 0), wrong


def read_only(bench: Bench, inside: str) -> Outcome:
    """A folder that nobody may write to, not root either."""
    bench.empty()
    folder = bench.work / inside
    folder.mkdir(parents=True, exist_ok=True)
    with _mounted("--bind", str(folder), str(folder)):
        _call("mount", "-o", "remount,bind,ro", str(folder))
        ended = bench.run()
    wrong = bench.wrong(ended, complete=False)
    if ended.status != 3:
        wrong.append(f"a read-only {inside} ended with {ended.status}: {ended.said[-300:]}")
    return 1, [*wrong, *bench.wrong(bench.run())]


def clock(bench: Bench, how: str) -> Outcome:
    """The clock a year back for the second half of a study, or a day back in the middle of it."""
    bench.empty()
    environment = {"LD_PRELOAD": str(preloaded(bench.scratch)), TURNED_BACK: how}
    if how.startswith("0"):  # back from the start, where the first half was done in the present
        going = bench.start(program=True)
        if going.wait(lambda: _told(going, "begin", "measure")):
            going.send(signal.SIGKILL)
        going.end()
    wrong = bench.wrong(bench.run(program=True, **environment))
    return 1, [*wrong, *bench.wrong(bench.run())]


def two(bench: Bench, delay: float) -> Outcome:
    """The same command twice at once, the second one a little later."""
    bench.empty()
    first = bench.start()
    time.sleep(delay)
    second = start(
        bench.scratch / "said2",
        ["run", "--json", *bench.words],
        bench.work,
        {"TMPDIR": str(bench.temporary), "PATH": NO_TOOLS},
    )
    ended = [first.end(), second.end()]
    return 1, [w for each in ended for w in bench.wrong(each)]


def no_server(bench: Bench) -> Outcome:
    """No MLflow where it should be, then a study that is logged where it is."""
    bench.empty()
    ended = bench.run("tracking.uri=http://127.0.0.1:9")
    wrong = bench.wrong(ended, complete=False)
    if ended.status != 3 or "distill sync" not in ended.said:
        wrong.append(f"no server ended with {ended.status}: {ended.said[-300:]}")
    after = bench.run()
    # The record is the first run's, with the other address in its config; no result depends on it.
    same = (w for w in bench.wrong(after) if not any(part in w for part in HAVE_THE_ADDRESS))
    return 1, [*wrong, *same]


HAVE_THE_ADDRESS = ("param tracking.uri", "file config.json", "study/study.json", "files.json")


def as_programs(bench: Bench, blow: Blow) -> Outcome:
    """Like at boundaries, but started as a user does, at three of them."""
    bench.empty()
    wrong, count = [], 0
    for event, stage in (("begin", "fit"), ("begin", "verify"), ("begin", "log")):
        going = bench.start(program=True)
        if going.wait(partial(_told, going, event, stage)):
            going.send(blow.number, group=blow.group)
            count += 1
        wrong += bench.wrong(going.end(), complete=False)
    return count, [*wrong, *bench.wrong(bench.run(program=True))]


@contextmanager
def _mounted(*arguments: str) -> Iterator[None]:
    _call("mount", *arguments)
    try:
        yield
    finally:
        with suppress(subprocess.CalledProcessError):
            _call("umount", arguments[-1])


def _call(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@dataclass(frozen=True)
class Trial:
    """One row of the page: what is done, how it is called, and whether only root can."""

    kind: str
    name: str
    do: Callable[[Bench], Outcome]
    root: bool = False


def trials(blows: int, chain: int) -> list[Trial]:
    """All of them; ``blows`` random moments in chains of so many."""
    kept = (*(s for s in STAGES if s != "log"), "study")
    rows = [
        Trial("every stage's begin and end", b.name, partial(boundaries, blow=b)) for b in BLOWS
    ]
    rows += [Trial("full disk", f"{k} KB", partial(full, kilobytes=k), True) for k in SIZES]
    rows += [
        Trial("read-only folder", f, partial(read_only, inside=f), True)
        for f in (".", "studies", "studies/wet_bulb/fit", "studies/mlflow", "build")
    ]
    rows += [Trial("two at once", f"{d} s apart", partial(two, delay=d)) for d in (0.0, 1.0)]
    rows += [Trial("no server", "", no_server)]
    rows += [
        Trial("clock turned back", name, partial(clock, how=how))
        for name, how in (("a year, for half of it", "0:31536000"), ("a day, within", "4:86400"))
    ]
    rows += [
        Trial("a file for a folder, dead files", s, partial(replaced, stage=s))
        for s in kept
        if s != "study"
    ]
    rows += [
        Trial("random moments", f"{chain} from seed {i}", partial(moments, seed=i, count=chain))
        for i in range(-(-blows // chain))
    ]
    rows += [Trial("damaged files", s, partial(damaged, stage=s)) for s in kept]
    rows += [
        Trial("started as programs", blow.name, partial(as_programs, blow=blow)) for blow in BLOWS
    ]
    return rows


SIZES = (16, 64, 150, 300, 700, 1100, 1600, 2400)
"""Kilobytes: from nothing at all to nearly enough."""
