"""Write the locks anew: every package by version and by the hashes of all its files.

    python tools/lock.py                     # versions stay where pyproject.toml allows
    python tools/lock.py --upgrade           # the newest that it allows
    python tools/lock.py --upgrade mlflow    # of this package alone

The locks hold for every platform and Python that pyproject.toml states: what only some need has a
marker. `requirements.lock` is what `make` installs, `locks/build.txt` the part of it that builds
others, `locks/bench.txt` what the benchmarks compare with besides. `locks/torch.txt` is kept by
hand: it also has the hashes of PyTorch's own index.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("pysr", "sweep", "airfoil", "dev", "docs", "release")
OLDER_PYSR = "pysr==1.5.10"
BUILDERS = "editables\nhatchling\nsetuptools\n"
"""What builds distill, and the packages that come as sources: `make` installs these first."""
HEAD = "# Written by `make lock`, not by hand.\n"


def entries(text: str) -> dict[str, str]:
    """The entries of a lock, requirement and hashes, by the package's name."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith((" ", "#")):
            name = line.split("==")[0].strip()
            # A package of two versions, by markers, stands in the lock twice.
            found[name] = found.get(name, "") + line
        elif name and line.startswith(" "):
            found[name] += line
    return found


def compiled(kept: Path | None, words: Sequence[str], given: str = "") -> dict[str, str]:
    """What uv resolves, with the versions of the kept lock where they are allowed."""
    command = [
        "uv", "pip", "compile", *words, "--quiet", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-header", "--no-annotate", "--no-config",
    ]  # fmt: skip
    if kept is not None:
        command += ["--output-file", str(kept)]
    done = subprocess.run(
        command, cwd=ROOT, input=given, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)  # uv has said why
    return entries(done.stdout if kept is None else kept.read_text(encoding="utf-8"))


def write(path: Path, found: dict[str, str]) -> None:
    """A lock file."""
    path.write_text(HEAD + "".join(found.values()), encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(found)} packages")


def main() -> None:
    """Resolve and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--upgrade", nargs="*", metavar="PACKAGE", help="all, or these")
    given = parser.parse_args()
    upgrade = [f"--upgrade-package={name}" for name in given.upgrade or ()]
    if given.upgrade == []:
        upgrade = ["--upgrade"]

    whole, bench = ROOT / "requirements.lock", ROOT / "locks" / "bench.txt"
    without = ["--excludes", "locks/without.in", *upgrade]
    extras = [f"--extra={extra}" for extra in EXTRAS]
    locked = compiled(whole, ["pyproject.toml", "locks/also.in", *extras, *without])
    write(whole, locked)

    same = ["--constraints", str(whole)]
    peers = compiled(bench, ["pyproject.toml", "--extra=bench", *same, *without])
    write(bench, {name: entry for name, entry in peers.items() if name not in locked})

    builders = compiled(None, ["-", *same], BUILDERS)
    write(ROOT / "locks" / "build.txt", {name: locked[name] for name in builders})

    older = compiled(None, ["-", "--no-deps"], OLDER_PYSR)
    write(ROOT / "locks" / "pysr-1.5.txt", older)


if __name__ == "__main__":
    main()
