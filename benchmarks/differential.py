"""Random formulas through every printer: what must agree, and whether it does.

    python benchmarks/differential.py --formulas 10000 --jobs 2 --write docs/differential.md
    python benchmarks/differential.py --seed 7 --formulas 200
    python benchmarks/differential.py --only 84 --shrink        # one of them, and a smaller one

What was done is kept below `--folder`, by seed; a later run with more formulas goes on there. Ten
thousand formulas take some two hours of one core, nine tenths of it to plan fixed point and to fit
functions of our own. Every tenth batch is compiled by every compiler that is found, the others by
the first. Ends with status 1 when there is a mistake.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from differential.exactly import BITS
from differential.generating import Case, case
from differential.page import write_page
from differential.shrinking import shrunk
from differential.trying import Tally, try_batch

from distill.firmware.toolchains import host_compilers

BATCH = 50
ALL_COMPILERS = 10
"""Of so many batches one is compiled by all compilers."""


def do_batch(seed: int, batch: int) -> dict[str, Any]:
    """The cases of one batch."""
    warnings.simplefilter("ignore")
    compilers = host_compilers()
    chosen = compilers if batch % ALL_COMPILERS == 0 else compilers[:1]
    cases = [case(seed, batch * BATCH + i) for i in range(BATCH)]
    return {"seed": seed, "batch": batch, **try_batch(cases, chosen).to_data()}


def results(seed: int, batches: int, jobs: int, kept: Path) -> Iterator[dict[str, Any]]:
    """What came of each batch, those that were done before first."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    found = {row["batch"]: row for row in map(json.loads, lines)}
    yield from (row for batch, row in found.items() if batch < batches)
    missing = [batch for batch in range(batches) if batch not in found]
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Processes that begin afresh: a forked one may inherit locks of torch.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(do_batch, seed, batch) for batch in missing]):
            row = future.result()
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            yield row


def one(given: Case, smaller: bool) -> int:
    """Check one case, print what is wrong, and a smaller one that fails alike."""
    compilers = host_compilers()[:1]
    print(given.formula.text, given.formula.domain.to_json(), sep="\n")
    tally = try_batch([given], compilers)
    for _, printer, what in tally.mistakes:
        print(f"{printer}: {what}")
    if not tally.mistakes or not smaller:
        return int(bool(tally.mistakes))
    wrong = tally.mistakes[0][1]
    only = (wrong,) if wrong in ("float32", "own", "double", "fixed", "table") else ()

    def fails(other: Case) -> bool:
        return any(
            printer == wrong for _, printer, _ in try_batch([other], compilers, only).mistakes
        )

    least = shrunk(given, fails)
    print("smaller:", least.formula.text, least.formula.domain.to_json(), sep="\n")
    return 1


def main() -> int:
    """Check formulas and tell what came of them."""
    parser = argparse.ArgumentParser(description="Random formulas through every printer.")
    parser.add_argument("--formulas", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one formula")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("build/differential"))
    parser.add_argument("--write", type=Path, help="the page of figures")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.only is not None:
        return one(case(options.seed, options.only), options.shrink)
    whole, batches = Tally(), -(-options.formulas // BATCH)
    kept = options.folder / f"seed-{options.seed}.jsonl"
    for row in results(options.seed, batches, options.jobs, kept):
        whole.take(row)
        wrong = [f"  formula {n}, {printer}: {what}" for n, printer, what in row["mistakes"]]
        print(f"batch {row['batch']} of {batches}", *wrong, sep="\n", flush=True)
    for name in sorted(whole.formulas):
        print(f"{name:40} {whole.formulas[name]:7,} formulas {whole.points[name]:10,} points "
              f"{whole.used[name]:.4f}")  # fmt: skip
    if options.write:
        write_page(options.write, whole, batches * BATCH, options.seed, BITS)
    return int(bool(whole.mistakes))


if __name__ == "__main__":
    sys.exit(main())
