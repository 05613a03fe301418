"""Fuzz every reader of foreign bytes, and the generated C.

    python benchmarks/fuzz/run.py --minutes 60 --write docs/fuzzing.md
    python benchmarks/fuzz/run.py --minutes 5 --target certificate,c_code
    python benchmarks/fuzz/run.py --minutes 0 --write docs/fuzzing.md      # the page anew

Needs clang and atheris (`pip install atheris==2.3.0`, which has a wheel for Python 3.11). Corpora,
findings and what was run before are kept in `--folder`; a later run goes on there and the page adds
all runs up. Ends with status 1 while there is an input in the findings that still fails.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from fuzz.page import write_page  # noqa: E402
from fuzz.supervise import CODE, Ledger, fuzz_code, fuzz_reader, open_findings  # noqa: E402


def readers() -> list[str]:
    """The targets that are readers, by name."""
    return sorted(p.stem for p in (HERE / "targets").glob("*.py") if p.stem != "__init__")


def main() -> int:
    """Share the minutes out among the targets, one after the other."""
    parser = argparse.ArgumentParser(description="Fuzz readers and generated C.")
    parser.add_argument("--minutes", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--target", default="", help="names with commas; all without")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--write", type=Path, help="the page of figures")
    options = parser.parse_args()
    known = [*readers(), CODE]
    wanted = [name for name in options.target.split(",") if name] or known
    if unknown := set(wanted) - set(known):
        parser.error(f"no target `{min(unknown)}`; there are {', '.join(known)}")
    ledger = Ledger(options.folder)
    seconds = 60 * options.minutes / len(wanted)
    for name in wanted if seconds else ():
        fuzz = fuzz_code if name == CODE else fuzz_reader
        for row in fuzz(name, options.folder.resolve() / name, seconds):
            ledger.add(row)
            print(row.line, flush=True)
    failing = {name: open_findings(name, options.folder.resolve() / name) for name in known}
    for name, inputs in failing.items():
        for path, why in inputs:
            print(f"FINDING {name}: {path}: {why}")
    if options.write:
        write_page(options.write, ledger, failing)
    return int(any(failing.values()))


if __name__ == "__main__":
    sys.exit(main())
