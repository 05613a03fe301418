"""Write docs/licences.md: under what licence each package is that distill needs.

    python tools/licences.py            # write the page
    python tools/licences.py --check    # end with status 1 where the page is out of date

Licences come from the metadata of what is installed, versions from the locks; what the metadata
leave out, or say too briefly, stands in `KNOWN`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lock import entries
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
BENCH = ROOT / "locks" / "bench.txt"
COPYLEFT = re.compile(r"GPL|MPL|EPL|CDDL|Mozilla", re.IGNORECASE)

PARTS = {
    "": "What distill itself needs: whoever installs the package has these.",
    "pysr": "`distill[pysr]`: the engine PySR. Julia and its packages come besides.",
    "sweep": "`distill[sweep]`: launchers and adaptive sweeps.",
    "airfoil": "`distill[airfoil]`: the weights of one pipeline.",
    "dev": "`distill[dev]`: lint and tests; nothing of it is imported by distill.",
    "docs": "`distill[docs]`: the site of the documentation.",
    "release": "`distill[release]`: locks, audit and releases.",
    "bench": "`distill[bench]`: what benchmarks compare with, in a checkout alone.",
}
"""The extras of pyproject.toml, in the order of the page."""

KNOWN = {
    "unicorn": "BSD (the binding); the library in the wheel, made from QEMU, is GPL-2.0",
    "skops": "MIT",
    "scipy": "BSD-3-Clause",
    "pysr": "Apache-2.0",
    "mlflow": "Apache-2.0",
    "huey": "MIT",
    # Of benchmarks, which are not installed by default: from the metadata on PyPI.
    "emlearn": "MIT",
    "coolprop": "MIT",
    "gplearn": "BSD-3-Clause",
    "gsw": "BSD-3-Clause",
    "h5py": "BSD-3-Clause",
    "iapws": "GPL-3.0",
    "pvlib": "BSD-3-Clause",
    "pybind11": "BSD-3-Clause",
    "pytz": "MIT",
    "aerosandbox": "MIT; not installed, and not needed for the weights",
}

HEAD = """\
# Licences

distill is under Apache-2.0. The C that it generates holds none of the packages named here, and a
bundle compiles without any of them.

This page is written by `make licences` from the metadata of the locked versions, as they are
installed on Linux; not edited by hand. It says what their authors state, and is no legal advice.

Where pip takes torch's build for CUDA, as from PyPI on Linux, that brings NVIDIA's libraries along,
which are proprietary; distill needs none of them, and with PyTorch's CPU build there are none.

## Copyleft

What carries a licence with conditions on sharing (GPL, LGPL, MPL). None of it is copied into
distill or into its wheel; pip installs each from its own authors.

| package | licence | needed by |
|---|---|---|
"""

UNICORN = """
One of them deserves a thought: `unicorn` is loaded into distill's process to run C on emulated
chips. Its library is under the GPL, version 2, so whoever ships distill *together with unicorn* has
that licence to keep. It is loaded where C runs on an emulated 32-bit chip, and nowhere else. LGPL
and MPL ask that changes to those libraries themselves are shared; distill makes none.
"""


@dataclass(frozen=True)
class Package:
    """A package, its locked version, and its licence."""

    name: str
    version: str
    licence: str


def closure(extra: str) -> Iterator[str]:
    """The canonical names of all that distill needs with this extra, but for itself."""
    waiting, seen = [("distill", extra)], set()
    while waiting:
        name, wanted = waiting.pop()
        try:
            asked = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in asked:
            need = Requirement(line)
            if need.marker is not None and not need.marker.evaluate({"extra": wanted}):
                continue
            for further in ("", *sorted(need.extras)):
                found = (canonicalize_name(need.name), further)
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
    yield from sorted({name for name, _ in seen} - {"distill"})


def licence_of(name: str) -> str:
    """What the authors state: the expression, else the classifiers, else the free text."""
    if name in KNOWN:
        return KNOWN[name]
    try:
        stated = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not stated"
    classes = [line for line in stated.get_all("Classifier") or [] if line.startswith("License")]
    named = [line.rpartition(" :: ")[2] for line in classes if not line.endswith("Approved")]
    texts = [stated[key].strip() for key in ("License-Expression", "License") if key in stated]
    short = [text for text in texts if text and len(text) < 200 and "\n" not in text]
    return (short or [", ".join(named)])[0] or "not stated"


def locked() -> dict[str, str]:
    """The version of each package in the locks."""
    texts = (ROOT / name for name in ("requirements.lock", "locks/torch.txt", "locks/bench.txt"))
    pins = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)
    found = (pin for path in texts for pin in pins.findall(path.read_text(encoding="utf-8")))
    return {canonicalize_name(name): version for name, version in found}


def parts() -> dict[str, list[Package]]:
    """By extra, what it brings beyond distill's own needs; of benchmarks, what their lock has."""
    versions = locked()
    base = set(closure(""))
    names = {extra: set(closure(extra)) - (base if extra else set()) for extra in PARTS}
    names["bench"] = {canonicalize_name(name) for name in entries(BENCH.read_text("utf-8"))}
    # Which libraries a build of torch asks for besides differs; no lock has them.
    listed = {*versions, *KNOWN}
    return {
        extra: [
            Package(name, versions.get(name, "-"), licence_of(name))
            for name in sorted(found & listed)
        ]
        for extra, found in names.items()
    }


def rows(packages: Iterable[Package]) -> str:
    """The table of one part."""
    lines = (f"| {each.name} | {each.version} | {each.licence} |\n" for each in packages)
    return "| package | version | licence |\n|---|---|---|\n" + "".join(lines)


def page() -> str:
    """The whole page."""
    found = parts()
    needed: dict[Package, list[str]] = {}
    for extra, packages in found.items():
        for each in packages:
            if COPYLEFT.search(each.licence):
                needed.setdefault(each, []).append(f"`distill[{extra}]`" if extra else "distill")
    flagged = "".join(
        f"| {each.name} | {each.licence} | {', '.join(by)} |\n" for each, by in needed.items()
    )
    tables = [f"\n## {e or 'distill'}\n\n{PARTS[e]}\n\n{rows(found[e])}" for e in PARTS]
    return HEAD + flagged + UNICORN + "".join(tables)


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the page, write nothing")
    given = parser.parse_args()
    text, name = page(), PAGE.relative_to(ROOT)
    if not given.check:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{name}: {text.count(chr(10))} lines")
    elif text != (PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""):
        print(f"{name} is out of date: run `make licences`, and look at what changed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
