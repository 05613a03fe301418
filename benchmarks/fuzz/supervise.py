"""Starting fuzzers, reading what libFuzzer tells, and keeping an account over several runs."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fuzz.c_code import build, bundles
from fuzz.target import failure

HANG = 5
"""Seconds one input may take."""

MEMORY = 2048
"""MiB a process may take."""

STARTING = 600
"""Seconds within which a reader has surely started and read one input, however busy the machine."""

LONGEST = 131_072
"""Bytes of an input."""

CODE = "c_code"
LIMITS = (f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1")

_STATUS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_RUN = re.compile(r"^#(\d+)\s", re.M)
_DONE = re.compile(r"^Done \d+ runs in (\d+) second", re.M)


@dataclass(frozen=True)
class Row:
    """What one fuzzer did: ``edges`` and ``features`` of coverage, inputs it kept."""

    target: str
    subject: str
    seconds: float
    executions: int
    edges: int
    features: int
    corpus: int

    @property
    def line(self) -> str:
        """For a terminal."""
        return (
            f"{self.target:16} {self.subject:16} {self.seconds:7.0f} s {self.executions:12,} "
            f"executions {self.edges:6,} edges {self.features:7,} features {self.corpus:6,} kept"
        )


class Ledger:
    """All rows of all runs, in a file beside the corpora."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "runs.jsonl"

    def add(self, row: Row) -> None:
        """Write a row down."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")

    def totals(self) -> list[Row]:
        """A row for each subject: times and executions added, of coverage the most."""
        found: dict[tuple[str, str], Row] = {}
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        for row in (Row(**json.loads(line)) for line in lines):
            key = (row.target, row.subject)
            old = found.get(key, Row(*key, 0, 0, 0, 0, 0))
            found[key] = Row(
                *key,
                old.seconds + row.seconds,
                old.executions + row.executions,
                max(old.edges, row.edges),
                max(old.features, row.features),
                max(old.corpus, row.corpus),
            )
        return list(found.values())


def fuzz_reader(name: str, folder: Path, seconds: float) -> Iterator[Row]:
    """Fuzz a reader; it is started again after what ended it, until its time is over."""
    command = [sys.executable, str(Path(__file__).with_name("child.py")), name, str(folder)]
    yield _fuzz(command, (name, "reader"), folder, seconds, (f"-max_len={LONGEST}",))


def fuzz_code(name: str, folder: Path, seconds: float) -> Iterator[Row]:
    """Fuzz each generated file for its share of the time."""
    sources = bundles(folder / "written")
    for source in sources:
        place = folder / source.name
        program = build(source, place)
        corpus = place / "corpus"
        corpus.mkdir(exist_ok=True)
        share = seconds / len(sources)
        yield _fuzz(
            [str(program)], (name, source.name), place, share,
            (f"-artifact_prefix={place}/", str(corpus)),
        )  # fmt: skip


def _fuzz(
    command: list[str], key: tuple[str, str], folder: Path, seconds: float, more: tuple[str, ...]
) -> Row:
    folder.mkdir(parents=True, exist_ok=True)
    row = Row(*key, 0.0, 0, 0, 0, 0)
    end = time.monotonic() + seconds
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    while (left := end - time.monotonic()) >= 1:
        start = time.monotonic()
        flags = (f"-max_total_time={left:.0f}", *LIMITS, *more)
        log = folder / "log.txt"
        with log.open("w", encoding="utf-8") as file:
            done = subprocess.run(
                [*command, *flags], stderr=file, stdout=file, env=environment, check=False
            )
        text = log.read_text(encoding="utf-8", errors="replace")
        runs = [int(n) for n in _RUN.findall(text)]
        status = [tuple(map(int, found)) for found in _STATUS.findall(text)] or [(0, 0, 0)]
        row = Row(
            *key,
            row.seconds + _seconds(text, time.monotonic() - start),
            row.executions + (runs[-1] if runs else 0),
            *(
                max(old, new)
                for old, new in zip((row.edges, row.features, row.corpus), status[-1], strict=True)
            ),
        )
        if not runs:
            raise RuntimeError(f"the fuzzer of {key[1]} does not start:\n{text[-2000:]}")
        if done.returncode:
            (folder / f"ended-{time.time():.0f}.txt").write_text(text[-20_000:], encoding="utf-8")
    return row


def _seconds(text: str, wall: float) -> float:
    """How long it fuzzed, its start left out, as libFuzzer tells where it is not ended."""
    done = _DONE.search(text)
    return float(done[1]) if done else wall


def open_findings(name: str, folder: Path) -> list[tuple[Path, str]]:
    """The kept inputs that are still read wrongly, each with why."""
    if name == CODE:
        found = [p for kind in ("crash", "timeout", "oom") for p in folder.glob(f"*/{kind}-*")]
        return [(path, why) for path in found if (why := _code_fails(path))]
    inputs = [*folder.glob("findings/*.bin")]
    inputs += [p for kind in ("crash", "timeout", "oom") for p in folder.glob(f"{kind}-*")]
    return [(path, why) for path in sorted(inputs) if (why := _reader_fails(name, path))]


def _code_fails(path: Path) -> str:
    program = path.parent / "fuzzer"
    done = subprocess.run(
        [str(program), *LIMITS, str(path)], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def _reader_fails(name: str, path: Path) -> str:
    """Read it in a process of its own, within the limits."""
    command = [sys.executable, "-m", "fuzz.supervise", name, str(path)]
    here = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{here}:{here.parent}", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, timeout=STARTING
        )
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode:
        return f"the process ends with status {done.returncode}"
    return done.stdout.strip()


def read_once(name: str, path: Path) -> str:
    """What is wrong about reading a file, its time and memory included; empty for nothing."""
    import resource

    target = importlib.import_module(f"fuzz.targets.{name}").TARGET
    for seed in target.seeds():
        failure(target.once, seed)
    start = time.process_time()
    error = failure(target.once, path.read_bytes())
    took = time.process_time() - start
    if error is not None:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    if took > HANG:
        return f"it takes {took:.0f} s"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"it takes {most:,} MiB" if most > MEMORY else ""


if __name__ == "__main__":
    print(read_once(sys.argv[1], Path(sys.argv[2])))
