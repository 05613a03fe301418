"""Nothing is written outside of the folder that the user named, whatever a name or record says."""

import json
import shutil
from pathlib import Path

import pytest

from distill import cli
from distill.commands import choosing
from distill.config.rules import check_sweep
from distill.config.schema import ExportConfig, StudyConfig, SweepConfig
from distill.domain import Domain
from distill.errors import ConfigError, DistillError, ExportError, StorageError
from distill.files import is_inside
from distill.firmware.bundle import check_replaceable, write_files
from distill.firmware.names import check_function_name
from distill.identifiers import why_not_file_name, why_not_identifier
from distill.teachers.load import load_teacher
from distill.tracking.record_folder import BUNDLE, RECORD, load_record, save_record
from distill.tracking.recorded import recorded_studies
from distill.voices.quiet import Quiet
from tests.tracking.conftest import make_study

LEAVING = [
    "../x", "..", ".", "/tmp/x", "a/b", "a\\b", "a\0b", "a\nb", "\u202ex", "", "x" * 300, "C:\\x",
]  # fmt: skip
"""Names that lead out of a folder, hide, or cannot be written down."""


@pytest.mark.parametrize("name", LEAVING)
def test_a_name_is_one_name(name):
    assert why_not_file_name(name)
    assert why_not_identifier(name)
    with pytest.raises(ExportError):
        check_function_name(name)
    with pytest.raises(ConfigError, match=r"sweep\.name|cannot name a sweep"):
        check_sweep(SweepConfig(name=name))
    with pytest.raises(DistillError):
        Domain.box(**{name: (0, 1)})
    for options in ({"name": name or " "}, {"outputs": [name]}):
        with pytest.raises(DistillError):
            load_teacher(lambda x: x[:, 0], domain=Domain.box(a=(0, 1)), **options)


def test_ordinary_names_pass():
    for name in ("mine", "tolerance-0.1_a", "Übung 3", "a..b"):
        assert why_not_file_name(name) is None
        check_sweep(SweepConfig(name=name))


def test_a_sweep_named_elsewhere_is_refused_before_it_begins(refused):
    said = refused("run", "-m", "sweep.name=../../x", "engine.seed=1,2")
    assert "sweep.name" in said


@pytest.fixture
def recorded(tmp_path):
    """A study on disk, and how to edit its record."""
    folder = tmp_path / "studies/wet_bulb/study" / ("5a" * 8)
    save_record(make_study((1, 2)), folder)
    (folder / "files.json").unlink(missing_ok=True)  # whoever forges a record forges this as well

    def edit(**changes):
        data = json.loads((folder / RECORD).read_text())
        (folder / RECORD).write_text(json.dumps({**data, **changes}))
        return folder

    return edit


@pytest.mark.parametrize("name", LEAVING)
def test_a_record_cannot_name_a_folder(name, recorded):
    """The teacher's name is a folder of MLflow's files, the key that of a lock."""
    forged = [
        {"teacher": {"name": name, "fingerprint": "f"}},
        {"output": {"name": name, "unit": ""}},
        {"key": name},
        {"key": "../" + "5a" * 30},
        {"key": "' OR 1=1"},
    ]
    assert load_record(recorded()).teacher_name == "wet_bulb"
    whole = (recorded() / RECORD).read_text()
    for changes in forged:
        folder = recorded(**changes)
        with pytest.raises(StorageError, match="broken"):
            load_record(folder)
        assert recorded_studies(folder.parents[2]) == []
        (folder / RECORD).write_text(whole)


def test_a_link_in_a_record_is_not_followed(recorded, tmp_path):
    """Else `distill sync` would send the file it leads to, to MLflow."""
    folder, secret = recorded(), tmp_path / "secret"
    secret.write_text("secret")
    (folder / BUNDLE).mkdir()
    (folder / BUNDLE / "wet_bulb.c").symlink_to(secret)
    with pytest.raises(StorageError, match="a link in `bundle`"):
        load_record(folder)
    shutil.rmtree(folder / BUNDLE)
    (folder / BUNDLE).symlink_to(tmp_path)
    with pytest.raises(StorageError, match="a link in `bundle`"):
        load_record(folder)


def test_a_directory_that_was_logged_counts_only_inside(place, tmp_path, capsys):
    (place / "link").symlink_to(tmp_path)
    root = place / "studies"
    for given, left in {
        "build/mine": "build/mine",
        str(root / "sweeps/x/c/0"): str(root / "sweeps/x/c/0"),
        str(tmp_path / "other"): None,
        "../other": None,
        "link/other": None,
        "build/../../other": None,
    }.items():
        config = StudyConfig(export=ExportConfig(directory=given))
        choosing._keep_inside(config, root, Quiet())
        assert config.export.directory == left


def test_inside_is_meant_with_links_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/out").symlink_to(tmp_path)
    assert is_inside(tmp_path / "a/b/c", tmp_path / "a")
    assert is_inside(tmp_path / "a", tmp_path / "a")
    assert not is_inside(tmp_path / "ab", tmp_path / "a")
    assert not is_inside(tmp_path / "a/out/x", tmp_path / "a")


def test_a_bundle_replaces_nothing_but_a_bundle(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    (folder / "bundle.json").write_text('{"format": 1, "files": {"thesis.txt": "0"}}')
    with pytest.raises(ExportError):
        check_replaceable(folder)
    (folder / "bundle.json").write_text("[" * 100_000)
    with pytest.raises(ExportError, match="not a bundle"):
        check_replaceable(folder)


def test_a_link_of_the_users_own_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/old.c").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_files({"a.c": "new"}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a.c"]


def test_commands_write_where_they_are_told(refused, place):
    """A report goes beside its record or to `out`, and never into the way of a folder."""
    assert "study" in refused("report", "../../etc")
    assert "comparison.csv" in refused("compare", "a", "b", "out=../x.sh")
    assert not list(Path(place).iterdir())


def test_a_recorded_name_does_not_leave_its_folder_by_the_command_line(place, recorded):
    recorded(teacher={"name": "../../../x", "fingerprint": "f"})
    assert cli.main(["report", "wet_bulb", f"root={place.parent / 'studies'}"]) == 2
