"""Run benchmarks and write what they found into one page, `docs/figures.md`.

    python benchmarks/figures.py                          # every one that takes minutes
    python benchmarks/figures.py --only overhead sweep    # these, whatever they take
    python benchmarks/figures.py --only                   # none: the page from what is recorded

`make bench` is the first, `make bench ONLY="overhead sweep"` the second.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from publishing.page import page
from publishing.record import RESULTS, load

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "figures.md"
LONG = 60.0
"""Minutes above which a benchmark runs only when it is named."""


@dataclass(frozen=True)
class Benchmark:
    """A script beside this one, what it is told, about how long it takes and its page in docs/."""

    script: str
    minutes: float
    words: str = ""
    page: str | None = None

    def command(self, name: str) -> list[str]:
        """What runs it, from the top of the checkout."""
        words = shlex.split(self.words)
        if self.page and "--write" not in words:
            words += ["--write", f"docs/{self.page}"]
        return ["python", f"benchmarks/{self.script}", *words, "--figures", _result(name)]


def _result(name: str) -> str:
    return str((RESULTS / f"{name}.json").relative_to(ROOT))


RECOVERY = "--engine structure --seconds 30 --jobs 2 --stop"
SETS = "feynman,nguyen,keijzer,livermore,jin,vladislavleva,korns,fresh"
BENCHMARKS = {
    "overhead": Benchmark("overhead.py", 2),
    "firmware": Benchmark(
        "firmware.py", 15, "--toolchain wheels native", page="firmware-figures.md"
    ),
    "exact": Benchmark("exact.py", 25, page="exact-figures.md"),
    "bounds": Benchmark("bounds.py", 20, page="bounds-figures.md"),
    "tracking": Benchmark("tracking.py", 12, page="tracking-figures.md"),
    "parallel-writers": Benchmark("parallel_writers.py", 15, page="parallel-writers.md"),
    "sweep": Benchmark("sweep.py", 4, page="sweep-figures.md"),
    "cluster": Benchmark("cluster_load.py", 4, page="cluster-figures.md"),
    "slow-teacher": Benchmark("slow_teacher.py", 6),
    "recovery": Benchmark("recovery.py", 120, f"--set {SETS} {RECOVERY}"),
    "recovery-networks": Benchmark("recovery.py", 180, f"--set feynman --networks {RECOVERY}"),
}
"""Every benchmark with published figures, in the order of the page."""


def run(names: Sequence[str]) -> list[str]:
    """Run them one after the other; the names of those that failed."""
    failed = []
    for name in names:
        words = BENCHMARKS[name].command(name)
        print(f"\n$ {shlex.join(words)}", flush=True)
        done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(name)
    return failed


def main() -> int:
    """Run what was asked for, write the page, and say what failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(BENCHMARKS), metavar="NAME")
    given = parser.parse_args()
    short = [name for name, each in BENCHMARKS.items() if each.minutes < LONG]
    failed = run(short if given.only is None else given.only)
    records = [
        load(RESULTS / f"{name}.json") for name in BENCHMARKS if (ROOT / _result(name)).exists()
    ]
    PAGE.write_text(page(records, {n: b.page for n, b in BENCHMARKS.items()}), encoding="utf-8")
    print(f"\n{PAGE.relative_to(ROOT)}: {len(records)} of {len(BENCHMARKS)} benchmarks")
    if failed:
        print(f"failed: {', '.join(failed)}; the page keeps what their last run found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
