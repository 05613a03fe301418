"""What is installed of PySR and Julia, found without importing either."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from distill.engines.child import EngineError
from distill.engines.pysr.installed import (
    WAYS_OUT,
    Installed,
    find,
    first_use,
    julia,
    lacks,
    require,
)
from distill.errors import ConfigError

OLD = Path(sys.prefix) / "pysr-1.5"  # `make environment` puts the older version there

SOURCE = """\
class PySRRegressor(Base):
    def __init__(self, selection: Literal["a", "b"] = "a", *, size: int = 30, spec=None, **kwargs):
        pass

    def fit(self, X, y, *, weights=None):
        raise SystemExit("it was run")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Puts a package called pysr first on the path; it cannot be imported."""

    def make(version="2.9.9", source=SOURCE):
        folder = tmp_path / "site" / "pysr"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise SystemExit('it was imported')")
        (folder / "sr.py").write_text(source)
        (folder / "deprecated.py").write_text("DEPRECATED_KWARGS = {'npop': 'population_size'}")
        (folder / "juliapkg.json").write_text('{"julia": "1.10"}')
        about = tmp_path / "site" / f"pysr-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pysr\nVersion: {version}\n")
        monkeypatch.syspath_prepend(tmp_path / "site")
        return folder

    return make


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without any Julia: its home, its project for Julia and its path are empty."""
    for name in ("PYTHON_JULIAPKG_EXE", "PYTHON_JULIACALL_EXE", "PYTHON_JULIACALL_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "bin", "project", "depot"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("JULIA_DEPOT_PATH", str(tmp_path / "depot"))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path / "project"))
    return tmp_path


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    return path


def set_up(machine, package, **changed):
    """What juliapkg leaves behind when it has set up Julia for the package."""
    wanted = package / "juliapkg.json"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    executable = program(machine / "project" / "pyjuliapkg" / "install" / "bin" / "julia")
    meta = {
        "meta_version": 8,
        "executable": str(executable),
        "override_executable": None,
        "deps_files": {str(wanted): {"timestamp": 0.0, "hash_sha256": digest}},
    } | changed
    (machine / "project" / "pyjuliapkg" / "meta.json").write_text(json.dumps(meta))
    (machine / "depot" / "packages" / "SymbolicRegression").mkdir(parents=True)
    return executable


def test_the_parameters_are_read_and_nothing_is_run(package):
    folder = package()
    found = find()
    assert found == Installed("2.9.9", folder)
    assert [*found.parameters] == ["selection", "size", "spec"]
    assert found.parameters["selection"].annotation == "Literal['a', 'b']"
    assert found.parameters["size"].default == 30
    assert found.parameters["spec"].annotation == ""
    assert [*found.of_fit] == ["X", "y", "weights"]
    assert found.renamed == {"npop": "population_size"}


@pytest.mark.parametrize(
    ("path", "release", "count", "of_fit"),
    [("", (2, 7), 108, "y_units"), (str(OLD), (1, 5), 94, "category")],
)
def test_both_versions_of_the_real_package_are_understood(
    path, release, count, of_fit, monkeypatch
):
    if path:
        monkeypatch.syspath_prepend(path)
    found = require()
    assert found.release == release
    assert len(found.parameters) == count
    assert [*found.of_fit][-1] == of_fit
    assert found.parameters["maxsize"].annotation == "int"
    assert found.parameters["maxsize"].default == 30
    assert found.renamed["npop"] == "population_size"
    assert "pysr" not in sys.modules


def test_looking_imports_neither_julia_nor_pysr():
    code = (
        "import sys\n"
        "from distill.engines.pysr import installed\n"
        "installed.first_use(installed.require())\n"
        "print([m for m in sys.modules if m.startswith(('pysr', 'julia'))])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_without_pysr_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    assert find() is None
    with pytest.raises(ConfigError, match="PySR is not installed") as caught:
        require()
    assert "pip install 'distill[pysr]'" in caught.value.hint
    assert "engine=structure" in caught.value.hint


@pytest.mark.parametrize("version", ["1.4.9", "0.19.4", "3.0.0", "unknown"])
def test_other_versions_are_refused_by_name(package, version):
    package(version)
    with pytest.raises(ConfigError, match="needs 1") as caught:
        require()
    assert caught.value.what == (
        f"PySR {version} is installed, but distill needs 1.5 or later, before 3."
    )


@pytest.mark.parametrize("version", ["1.5.0", "1.6.2", "2.0.0a2", "2.99"])
def test_versions_in_between_are_accepted(package, version):
    package(version)
    assert require().version == version


@pytest.mark.parametrize("source", ["def broken(", "class Other: pass", "x = '\0'"])
def test_a_broken_installation_is_named(package, source):
    folder = package(source=source)
    with pytest.raises(EngineError, match="cannot be read") as caught:
        _ = find().parameters
    assert caught.value.where == str(folder / "sr.py")
    assert "--force-reinstall" in caught.value.hint


def test_a_bare_machine_downloads_julia_and_packages(machine, package):
    package()
    assert julia(find()).executable is None
    assert not julia(find()).packages
    line = first_use(find())
    assert line.startswith("the first start of PySR downloads Julia and packages: some 500 MB")
    assert "minutes" in line
    assert "\n" not in line


def test_where_julia_is_only_packages_are_downloaded(machine, package):
    package()
    executable = program(machine / "bin" / "julia")
    assert julia(find()).executable == executable
    assert first_use(find()).startswith("the first start of PySR downloads its Julia packages: ")


def test_a_named_julia_comes_before_that_on_the_path(machine, package, monkeypatch):
    package()
    program(machine / "bin" / "julia")
    named = program(machine / "elsewhere" / "julia-1.11")
    monkeypatch.setenv("PYTHON_JULIAPKG_EXE", str(named))
    assert julia(find()).executable == named


def test_nothing_is_downloaded_where_all_is_there(machine, package):
    folder = package()
    executable = set_up(machine, folder)
    assert julia(find()).executable == executable
    assert julia(find()).packages
    assert first_use(find()) == ""


def test_what_is_lacking_is_said_with_a_way_on(machine, package, monkeypatch):
    folder = package("3.1.0")
    assert lacks().startswith("PySR 3.1.0 is installed, but distill needs 1.5 or later, before 3.")
    folder.parent.joinpath("pysr-3.1.0.dist-info").rename(folder.parent / "pysr-2.1.0.dist-info")
    about = folder.parent / "pysr-2.1.0.dist-info" / "METADATA"
    about.write_text(about.read_text().replace("3.1.0", "2.1.0"))
    assert lacks() == f"{first_use(find())}. To do: {WAYS_OUT}"
    set_up(machine, folder)
    assert lacks() == ""
    monkeypatch.setattr(sys, "path", [])
    assert lacks().startswith("PySR is not installed. To do: python -m pip install ")


def test_after_an_upgrade_of_pysr_its_packages_are_downloaded_again(machine, package):
    folder = package()
    set_up(machine, folder)
    (folder / "juliapkg.json").write_text('{"julia": "1.12"}')
    assert "Julia packages" in first_use(find())


def test_what_was_deleted_is_downloaded_again(machine, package):
    executable = set_up(machine, package())
    executable.unlink()
    assert "Julia and packages" in first_use(find())
    program(executable)
    assert first_use(find()) == ""
    (machine / "depot" / "packages" / "SymbolicRegression").rmdir()
    assert "its Julia packages" in first_use(find())


def test_another_julia_than_the_one_set_up_gets_its_own_packages(machine, package, monkeypatch):
    folder = package()
    set_up(machine, folder)
    monkeypatch.setenv("PYTHON_JULIAPKG_EXE", str(program(machine / "elsewhere" / "julia")))
    assert not julia(find()).packages


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "\0", '{"executable": 7}', '{"deps_files": [1]}', '{"executable": null}'],
)
def test_a_damaged_record_counts_as_none(machine, package, text):
    set_up(machine, package())
    (machine / "project" / "pyjuliapkg" / "meta.json").write_text(text)
    assert not julia(find()).packages


def test_a_julia_of_the_users_own_is_left_to_the_user(machine, package, monkeypatch):
    package()
    executable = program(machine / "own" / "julia")
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", str(executable))
    monkeypatch.setenv("PYTHON_JULIACALL_PROJECT", str(machine / "project"))
    assert julia(find()).executable == executable
    assert first_use(find()) == ""


def test_the_project_is_found_by_the_rules_of_juliapkg(machine, package, monkeypatch):
    package()
    monkeypatch.delenv("PYTHON_JULIAPKG_PROJECT")
    places = {
        "environment": machine / "venv" / "julia_env",
        "conda": machine / "conda" / "julia_env",
        "system": machine / "depot" / "environments" / "pyjuliapkg",
    }
    for place, folder in places.items():
        executable = program(folder / "pyjuliapkg" / "install" / "bin" / "julia")
        inside = machine / "venv" if place == "environment" else Path(sys.base_prefix)
        monkeypatch.setattr(sys, "prefix", str(inside))
        monkeypatch.delenv("CONDA_PREFIX", raising=False)
        if place == "conda":
            monkeypatch.setenv("CONDA_PREFIX", str(machine / "conda"))
        assert julia(find()).executable == executable


def test_the_ways_out_are_three():
    for way in ('python -c "import pysr"', "docker build -t distill .", "engine=structure"):
        assert way in WAYS_OUT
    dockerfile = Path(__file__).parents[3] / "Dockerfile"
    assert "docker build -t distill ." in dockerfile.read_text()
