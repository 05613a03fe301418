"""How much faster `distill sample` is with two processes than with one, on a slow simulator.

    python benchmarks/slow_teacher.py                        # one that waits, one that computes
    python benchmarks/slow_teacher.py --points 200 --cost 0.1

Each case is a fresh folder and the whole command: starting, asking, keeping, the sample. Ratios
within one run are to be read, seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from publishing import conditions, record

SIMULATORS = """
import time

def waits(a, b):
    time.sleep({cost})
    return a * b

def computes(a, b):
    end = time.process_time() + {cost}
    while time.process_time() < end:
        pass
    return a * b
"""

BOX = [
    "domain=box",
    "+domain.variables.a={low: 0, high: 1}",
    "+domain.variables.b={low: 1, high: 2}",
]
WAYS = {
    "one process": [],
    "teacher.options.processes=2": ["teacher.options.processes=2"],
    "sampling.jobs=2, joblib": [
        "sampling.jobs=2",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
    ],
}


def seconds(function: str, way: list[str], points: int, cost: float) -> tuple[float, float]:
    """What the whole command took, and the asking alone."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "their_simulator.py").write_text(SIMULATORS.format(cost=cost))
        words = ["teacher=simulator", f"teacher.source=their_simulator:{function}", *BOX, *way]
        words.append(f"sampling.points={points}")
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "distill.cli", "sample", *words],
            cwd=folder,
            env={**os.environ, "XDG_CACHE_HOME": f"{folder}/cache", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        whole = time.monotonic() - began
        asking = re.search(r"questions\s+\(([\d.]+) s\)", done.stderr)
        assert asking, done.stderr
        return whole, float(asking[1])


def main() -> None:
    """Print a table for each simulator."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--cost", type=float, default=0.1, help="seconds of one answer")
    record.add_option(parser)
    given = parser.parse_args()
    measured_on, figures = conditions.now(), []
    for function in ("waits", "computes"):
        print(f"\n{function}: {given.points} points of {given.cost:g} s")
        print(f"{'':<30}{'command':>10}{'asking':>10}{'ratio':>8}")
        first = None
        for name, way in WAYS.items():
            whole, asking = seconds(function, way, given.points, given.cost)
            first = first or whole
            print(f"{name:<30}{whole:>8.1f} s{asking:>8.1f} s{first / whole:>8.2f}")
            asked = (
                f"{given.points} points of {given.cost:g} s, a simulator that {function}, {name}"
            )
            figures.append((asked, f"{whole:.1f} s, {first / whole:.2f} times as fast"))
    record.save(given.figures, measured_on, figures)


if __name__ == "__main__":
    main()
