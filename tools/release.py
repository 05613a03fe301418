"""Make a release in dist/, and publish nothing.

    python tools/release.py                 # `make release`: all of it, tests included
    python tools/release.py --no-tests      # where they have just passed on this commit
    python tools/release.py --trial         # of what lies here, committed or not, whatever the
                                            # changelog says: to see whether the rest works

In dist/ are then the source archive and the wheel (each built twice, to the same bytes), the C of
the wet-bulb demo as the installed wheel made it, the lock of what the package needs, a bill of
materials (CycloneDX), the licences, this version's part of the changelog and the sums of all.
CONTRIBUTING.md says what comes before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import licences
from archives import junk, lacking, names_in, portable, sums, zip_folder
from lock import entries

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
TORCH = ROOT / "locks" / "torch.txt"
DEMO = (
    "experiment=wet_bulb", "engine=polynomial", "tolerance=1", "score=quick", "tracking=off",
    "sampling.points=512", "engine.rounds=1", "export.verify_points=20000",
)  # fmt: skip
"""The demo in small: a quick engine, a wider tolerance; proven, compiled and verified as well."""


class NotReady(Exception):
    """What stands in the way of a release, and what to do about it."""


def run(*words: str | Path, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints.

    Raises
    ------
    NotReady : when it fails, with the end of what it said.
    """
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise NotReady(f"`{' '.join(map(str, words))}` ended with {done.returncode}:\n{last}")
    return done.stdout


def version_of(source: str) -> str:
    """The version that `distill/__init__.py` states: the only place where it stands."""
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise NotReady("distill/__init__.py states no __version__.")
    return found[1]


def changes_of(changelog: str, version: str) -> str:
    """The part of the changelog that is a version's.

    Raises
    ------
    NotReady : when there is none, or nothing in it.
    """
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)
    mine = [part for part in parts if re.match(rf"\[?{re.escape(version)}\]?( |$)", part, re.M)]
    if not mine:
        raise NotReady(
            f"CHANGELOG.md has no part `## {version} - <day>`: rename `## Unreleased` to it, and "
            "begin a new `## Unreleased` above."
        )
    title, _, text = mine[0].partition("\n")
    if not re.fullmatch(rf"\[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d", title.strip()):
        raise NotReady(
            f"CHANGELOG.md: `## {title.strip()}` has no day, as `## {version} - 2026-01-31`."
        )
    if not text.strip():
        raise NotReady(f"CHANGELOG.md says nothing of {version}.")
    return f"## {mine[0].strip()}\n"


def checked(version: str) -> str:
    """The changes of this version, when the checkout may be released as it is.

    Raises
    ------
    NotReady : for changes that are not committed, a version that is tagged, or an old page.
    """
    if left := run("git", "status", "--porcelain").strip():
        raise NotReady(f"Commit this first, or put it aside:\n{left}")
    if run("git", "tag", "--list", f"v{version}").strip():
        raise NotReady(f"v{version} is tagged already: give distill/__init__.py the next version.")
    if licences.page() != licences.PAGE.read_text(encoding="utf-8"):
        raise NotReady("docs/licences.md is out of date: `make licences`, look at it, commit it.")
    return changes_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)


def build(source: Path, folder: Path, epoch: str) -> list[Path]:
    """Build sdist, and the wheel from it, of a folder that holds the sources alone."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"}
    words = ("-m", "build", "--no-isolation", "--outdir", folder, source)
    run(sys.executable, *words, environment=environment)
    return sorted(folder.iterdir())


def built(source: Path, scratch: Path, epoch: str) -> list[Path]:
    """The archives, looked through and built twice to the same bytes."""
    first, again = (build(source, scratch / name, epoch) for name in ("first", "again"))
    if sums(first) != sums(again):
        raise NotReady(f"Two builds differ:\n{sums(first)}{sums(again)}")
    for archive in first:
        names = names_in(archive)
        if bad := junk(names):
            raise NotReady(f"{archive.name} holds {', '.join(bad[:5])}: see pyproject.toml.")
        if archive.suffix != ".whl" and (gone := lacking(names)):
            raise NotReady(f"{archive.name} lacks {', '.join(gone)}: see pyproject.toml.")
    return first


def runtime_lock() -> str:
    """The entries of the lock that the package itself needs."""
    needed = set(licences.closure(""))
    locked = entries((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    return "".join(entry for name, entry in locked.items() if name in needed)


def clean_environment(folder: Path, lock: Path, torch: Sequence[str]) -> Path:
    """A new environment with what the package needs, and its Python."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    run(*pip, "--require-hashes", "--no-deps", "-r", lock)
    # As the Makefile does, and for its reason.
    (pinned,) = re.findall(r"^torch==\S+", TORCH.read_text(encoding="utf-8"), re.MULTILINE)
    fetched = folder / "torch"
    run(*pip[:-1], "download", "--no-deps", "--dest", fetched, *torch, pinned)
    words = ("--require-hashes", "--no-deps", "--no-index", "--find-links", fetched)
    run(*pip, *words, "-r", TORCH)
    shutil.rmtree(fetched)
    run(*pip, "torch")
    return python


def demo(python: Path, archive: Path, folder: Path) -> Path:
    """Install an archive, run the demo in small outside of the checkout, and check what it proved.

    Returns the bundle.
    """
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
    run(*pip, "--no-deps", "--force-reinstall", archive)
    folder.mkdir()
    apart = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DISTILL"))}
    distill = python.parent / "distill"
    run(distill, "run", *DEMO, cwd=folder, environment=apart)
    bundle = folder / "build" / "wet_bulb" / "pic32"
    run(distill, "check", bundle / "certificate.json", cwd=folder, environment=apart)
    return bundle


def bill_of_materials(python: Path, path: Path) -> None:
    """What the clean environment holds, with licences and who needs what, in CycloneDX's JSON."""
    # Its own check against the schema reads licences' addresses for many minutes.
    words = ("environment", python, "--output-reproducible", "--no-validate")
    run(sys.executable, "-m", "cyclonedx_py", *words, "--of", "JSON", "-o", path)
    bill = portable(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def exported(folder: Path, *, trial: bool) -> Path:
    """The sources without anything else: those of the commit, or (on trial) those that lie here."""
    folder.mkdir()
    if not trial:
        archive = folder.with_suffix(".tar")
        run("git", "archive", "--output", archive, "HEAD")
        shutil.unpack_archive(archive, folder)
        return folder
    for name in run("git", "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def release(given: argparse.Namespace, scratch: Path) -> list[Path]:
    """All steps; the files of the release, in the scratch folder."""
    version = version_of((ROOT / "distill" / "__init__.py").read_text(encoding="utf-8"))
    changes = "## Trial\n" if given.trial else checked(version)
    if not given.no_tests:
        say("tests (`make test`)")
        run("make", "test")
    say("archives, twice")
    epoch = run("git", "log", "-1", "--format=%ct").strip()
    source = exported(scratch / "source", trial=given.trial)
    archives = built(source, scratch, epoch)

    files = scratch / "release"
    files.mkdir()
    for archive in archives:
        shutil.copy2(archive, files)
    lock = files / f"distill-{version}.lock"
    lock.write_text(runtime_lock(), encoding="utf-8")
    say("a clean environment")
    python = clean_environment(scratch / "clean", lock, given.torch.split())
    for archive in sorted(archives, key=lambda each: each.suffix):  # the bundle is the wheel's
        say(f"the demo in small, from {archive.name}")
        bundle = demo(python, archive, scratch / archive.suffix.lstrip("."))
    zip_folder(bundle, files / f"distill-{version}-sample-bundle.zip")
    bill_of_materials(python, files / f"distill-{version}-sbom.json")
    shutil.copy2(licences.PAGE, files)
    (files / "CHANGES.md").write_text(changes, encoding="utf-8")
    (files / "SHA256SUMS").write_text(sums(files.iterdir()), encoding="utf-8")
    return sorted(files.iterdir())


def say(what: str) -> None:
    """One step."""
    print(f"- {what}", flush=True)


def main() -> int:
    """Make the release, or say what stands in its way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--no-tests", action="store_true", help="they have just passed")
    parser.add_argument(
        "--trial", action="store_true", help="of what lies here, to see if it works"
    )
    parser.add_argument("--torch", default="", help="further words for pip where it takes torch")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="distill-release-") as folder:
        try:
            files = release(given, Path(folder))
        except NotReady as error:
            print(f"\nNo release: {error}", file=sys.stderr)
            return 1
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for file in files:
            shutil.copy2(file, DIST)
    print("\n" + "\n".join(f"dist/{file.name}" for file in files))
    print("\nNothing is published. CONTRIBUTING.md says what comes now.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
