"""The parts of a release: what stands in its way, and what is in it."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zipfile
from pathlib import Path

import licences
import pytest
from archives import NEEDED, junk, lacking, names_in, portable, sums, zip_folder
from packaging.utils import canonicalize_name
from release import NotReady, changes_of, runtime_lock, version_of

import distill

ROOT = Path(__file__).parents[2]


def test_the_version_stands_in_one_place():
    assert version_of((ROOT / "distill/__init__.py").read_text("utf-8")) == distill.__version__
    with pytest.raises(NotReady, match="__version__"):
        version_of("version = '1'\n")


CHANGES = "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-11-22\n\n### Added\n- A thing: why.\n\n## 1.1.0 - 2026-01-01\n- Old.\n"  # fmt: skip  # noqa: E501


def test_the_changes_are_those_of_the_version_alone():
    assert changes_of(CHANGES, "1.2.0") == "## 1.2.0 - 2026-11-22\n\n### Added\n- A thing: why.\n"


@pytest.mark.parametrize(
    ("changelog", "complaint"),
    [
        (CHANGES.replace("1.2.0", "1.2.01"), "no part `## 1.2.0 - <day>`"),
        (CHANGES.replace(" - 2026-11-22", ""), "has no day"),
        (CHANGES.replace("### Added\n- A thing: why.\n", ""), "says nothing of 1.2.0"),
    ],
)
def test_a_changelog_that_is_not_ready_is_told(changelog, complaint):
    with pytest.raises(NotReady, match=complaint):
        changes_of(changelog, "1.2.0")


@pytest.mark.parametrize(
    "name",
    [
        "mlflow.db",
        "a/__pycache__/b.cpython-311.pyc",
        "studies/fit/k/x.json",
        "build/x.c",
        "run.log",
    ],
)
def test_junk_is_seen(name):
    assert junk(["distill/api.py", "conf/config.yaml", name]) == [name]


def test_what_a_source_archive_lacks_is_named():
    assert lacking([*NEEDED, "more"]) == []
    assert lacking(name for name in NEEDED if name != "Makefile") == ["Makefile"]
    assert [name for name in NEEDED if not (ROOT / name).is_file()] == []


def test_names_of_archives(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with tarfile.open(tmp_path / "p-1.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "a.txt", "p-1/folder/a.txt")
    with zipfile.ZipFile(tmp_path / "p-1.whl", "w") as wheel:
        wheel.write(tmp_path / "a.txt", "folder/a.txt")
    assert names_in(tmp_path / "p-1.tar.gz") == ["folder/a.txt"] == names_in(tmp_path / "p-1.whl")


def test_the_same_folder_gives_the_same_zip_whenever_it_was_written(tmp_path):
    archives = []
    for order, moment in ((["b.c", "a.h"], 1e9), (["a.h", "b.c"], 1.5e9)):
        folder = tmp_path / str(moment) / "bundle"
        folder.mkdir(parents=True)
        for name in order:
            (folder / name).write_text(f"int {name[0]};\n")
            os.utime(folder / name, (moment, moment))
        archives.append(tmp_path / f"{moment}.zip")
        zip_folder(folder, archives[-1])
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert names_in(archives[0]) == ["bundle/a.h", "bundle/b.c"]


def test_a_bill_of_materials_names_no_place_of_the_machine_it_was_made_on():
    made = {
        "bom-ref": "a==1",
        "name": "a",
        "version": "1+cpu",
        "purl": "pkg:pypi/a@1?download_url=file:///home/me/a.whl",
        "externalReferences": [{"url": "file:///home/me/a.whl"}, {"url": "https://a.org"}],
    }
    pip = {"bom-ref": "pip==26", "name": "pip"}
    needs = [{"ref": "a==1", "dependsOn": []}, {"ref": "pip==26"}]
    bill = portable({"components": [made, pip], "dependencies": needs, "specVersion": "1.6"})
    assert bill == {
        "components": [
            made | {"purl": "pkg:pypi/a@1%2Bcpu", "externalReferences": [{"url": "https://a.org"}]}
        ],
        "dependencies": needs[:1],
        "specVersion": "1.6",
    }


def test_sums_are_what_sha256sum_reads(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(name.encode())
    wanted = "".join(f"{hashlib.sha256(n.encode()).hexdigest()}  {n}\n" for n in "ab")
    assert sums(tmp_path.iterdir()) == wanted


def test_the_lock_of_a_release_has_what_the_package_needs_and_no_tests():
    text = runtime_lock()
    for name in ("numpy==", "mlflow==", "hydra-core==", "ziglang==", "scikit-learn=="):
        assert f"\n{name}" in text
    for name in ("pytest==", "hypothesis==", "torch==", "optuna=="):
        assert f"\n{name}" not in text


def test_the_page_of_licences_is_current():
    assert licences.PAGE.read_text("utf-8") == licences.page(), (
        "run `make licences`, and look at it"
    )


def test_libraries_of_a_cuda_build_of_torch_are_no_part_of_the_page(monkeypatch):
    page, closure = licences.page(), licences.closure
    monkeypatch.setattr(licences, "closure", lambda extra: [*closure(extra), "nvidia-cublas"])
    assert licences.page() == page


def test_copyleft_is_flagged():
    flagged = licences.page().partition("## Copyleft")[2].partition("## distill")[0]
    for name in ("unicorn", "python-flint", "certifi", "hypothesis", "psycopg2-binary", "iapws"):
        assert f"\n| {name} |" in flagged
    assert "\n| numpy |" not in flagged


def test_needs_are_followed_through_packages_and_extras():
    own = set(licences.closure(""))
    assert {"numpy", "mlflow-skinny", "markupsafe"} <= own  # markupsafe through jinja2
    assert "pytest" not in own
    assert {"pytest", "execnet"} <= set(licences.closure("dev"))  # execnet through pytest-xdist
    assert all(canonicalize_name(name) == name for name in own)
