"""What a release is made of: which files an archive may hold, zips and sums of the same bytes."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

JUNK = (
    "*.pyc", "*/__pycache__/*", "*.egg-info/*", "*/.venv/*", "*/.git/*", "*/mlflow.db",
    "*/mlruns/*", "*/studies/*", "*/multirun/*", "*/outputs/*", "*/build/*", "*/dist/*",
    "*/.hypothesis/*", "*/.mypy_cache/*", "*/.ruff_cache/*", "*/.pytest_cache/*",
    "*.log", "*~", "*.orig", "*.rej",
)  # fmt: skip
"""What no archive may hold: results of runs, caches, environments."""

NEEDED = (
    "Makefile", "pyproject.toml", "requirements.lock", "locks/build.txt", "locks/torch.txt",
    "locks/pysr-1.5.txt", "locks/bench.txt", ".importlinter", "Dockerfile", "README.md",
    "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "distill/py.typed", "conf/config.yaml",
    "tests/conftest.py", "pipelines/main.py", "benchmarks/README.md", "tools/release.py", ".ci/run",
)  # fmt: skip
"""What `make test` asks for, in an unpacked source archive."""


def names_in(archive: Path) -> list[str]:
    """The files of a wheel, a zip or a source archive; of the last without its top folder."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            return [info.filename for info in file.infolist() if not info.is_dir()]
    with tarfile.open(archive) as tar:
        return [member.name.partition("/")[2] for member in tar.getmembers() if member.isfile()]


def junk(names: Iterable[str]) -> list[str]:
    """Those that no archive may hold."""
    return [n for n in names if any(fnmatch(f"/{n}", pattern) for pattern in JUNK)]


def lacking(names: Iterable[str]) -> list[str]:
    """What a source archive needs and does not have."""
    known = set(names)
    return [name for name in NEEDED if name not in known]


def zip_folder(folder: Path, archive: Path) -> None:
    """Zip a folder under its own name, to the same bytes for the same files: sorted, no times."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(str(Path(folder.name) / path.relative_to(folder)))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            file.writestr(info, path.read_bytes())


def portable(bill: dict[str, Any]) -> dict[str, Any]:
    """A bill of materials (CycloneDX) without pip, and without paths of the machine it is of."""
    components = [each for each in bill["components"] if each["name"] != "pip"]
    for each in components:
        links = each.get("externalReferences", [])
        each["externalReferences"] = [link for link in links if not link["url"].startswith("file:")]
        each["purl"] = f"pkg:pypi/{each['name']}@{each['version']}".replace("+", "%2B")
    known = {each["bom-ref"] for each in components}
    needs = [each for each in bill["dependencies"] if each["ref"] in known]
    return bill | {"components": components, "dependencies": needs}


def sums(files: Iterable[Path]) -> str:
    """Lines that `sha256sum --check` reads."""
    lines = (f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in sorted(files))
    return "".join(lines)
