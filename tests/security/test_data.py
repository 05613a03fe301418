"""Records, certificates and overrides that others may have written: read as data or refused."""

import io
import json
import struct
from contextlib import suppress

import numpy as np
import pytest

from distill import cli
from distill.checking.certificate import parse_certificate
from distill.checking.refusals import CertificateError
from distill.config.overrides import apply_overrides
from distill.domain import Domain
from distill.errors import ConfigError, DistillError, DomainError, StorageError, TeacherError
from distill.reading import json_of
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.teachers.load import load_teacher
from distill.tracking.record_folder import POINTS, RECORD, load_record, save_record
from distill.tracking.recorded import recorded_studies
from tests.tracking.conftest import make_study

DEEP = {
    "lists": "[" * 200_000 + "]" * 200_000,
    "objects": '{"a":' * 200_000 + "1" + "}" * 200_000,
    "digits": '{"version": ' + "9" * 10_000 + "}",
    "half": '{"version": 1',
    "nothing": "",
    "a list": "[]",
    "a number": "1e999",
    "NaN": "NaN",
}
"""JSON that is none, or not what is expected."""


@pytest.mark.parametrize("what", ["lists", "objects", "digits", "half", "nothing"])
def test_unreadable_json_is_one_kind_of_error(what):
    with pytest.raises(ValueError, match=r"."):
        json_of(DEEP[what])


@pytest.mark.parametrize("what", DEEP)
def test_domains_and_certificates(what, place, capsys):
    with pytest.raises(DomainError):
        Domain.from_json(DEEP[what])
    with pytest.raises(CertificateError):
        parse_certificate(DEEP[what].encode())
    (place / "certificate.json").write_text(DEEP[what])
    assert cli.main(["check", "certificate.json"]) == 2
    assert "certificate" in capsys.readouterr().err


@pytest.mark.parametrize("what", DEEP)
def test_the_card_of_a_network(what, tmp_path):
    head = json.dumps({"__metadata__": {"distill": DEEP[what]}}).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    with pytest.raises(TeacherError, match=r"."):
        load_teacher(path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A study's folder whose manifest was forged with it."""
    folder = tmp_path_factory.mktemp("root") / "wet_bulb/study" / ("5a" * 8)
    save_record(make_study((1, 2)), folder)
    (folder / "files.json").unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize("what", DEEP)
def test_records_of_studies(what, recorded):
    file = recorded / RECORD
    whole = file.read_text()
    try:
        file.write_text(DEEP[what])
        with pytest.raises(StorageError) as caught:
            load_record(recorded)
        assert str(file) in caught.value.where
        assert recorded_studies(recorded.parents[2]) == []
    finally:
        file.write_text(whole)


@pytest.mark.parametrize("value", ["x", None, [], {}, -1, float("nan"), "1e999", True])
@pytest.mark.parametrize("key", ["tolerance", "candidates", "domain", "config", "created"])
def test_records_with_other_types_are_refused_or_read(key, value, recorded):
    file = recorded / RECORD
    whole = file.read_text()
    try:
        file.write_text(json.dumps({**json.loads(whole), key: value}))
        with suppress(DistillError):
            assert load_record(recorded).key == "5a" * 32
    finally:
        file.write_text(whole)


def test_arrays_of_a_record_are_numbers(recorded, canary):
    file = recorded / POINTS
    whole = file.read_bytes()
    stream = io.BytesIO()
    np.savez(stream, points=np.array([canary], dtype=object), truth=np.zeros(1))
    try:
        file.write_bytes(stream.getvalue())
        with pytest.raises(StorageError, match="broken"):
            load_record(recorded)
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("what", DEEP)
def test_records_of_sweeps_are_as_good_as_none(what, tmp_path):
    folder = SweepFolder(tmp_path)
    folder.make(["x"], [Job(0, ())], "identity")
    folder.record_file(0).parent.mkdir()
    folder.record_file(0).write_text(DEEP[what])
    assert folder.record(0) is None
    (tmp_path / "sweep.json").write_text(DEEP[what])
    with pytest.raises(StorageError, match="cannot be read"):
        folder.jobs()


@pytest.mark.parametrize(
    "change", [{"problem": 3}, {"status": []}, {"seconds": "x"}, {"result": []}, {"exit_code": "0"}]
)
def test_a_sweeps_record_of_other_types_is_as_good_as_none(change, tmp_path):
    from distill.sweeping.record import JobRecord

    folder = SweepFolder(tmp_path)
    folder.keep(JobRecord(Job(0, ()), "done"))
    assert folder.record(0).status == "done"
    data = json.loads(folder.record_file(0).read_text())
    folder.record_file(0).write_text(json.dumps({**data, **change}))
    assert folder.record(0) is None


TAGS = [
    "!!python/object/apply:os.system ['touch {}']",
    "!!python/object/new:os.system ['touch {}']",
    "!!python/name:os.system",
    "!!python/module:os",
    "[" * 1500 + "]" * 1500,
    "2020-13-45",
    "*unknown",
    "a: b: c",
]


@pytest.mark.parametrize("text", TAGS, ids=lambda text: text[:20])
def test_overrides_of_a_recorded_config_are_plain_yaml(text, canary):
    with pytest.raises(ConfigError, match="cannot be read"):
        apply_overrides({"tolerance": 1}, [f"tolerance={text.format(canary.path)}"])


@pytest.mark.parametrize("text", TAGS[:4], ids=lambda text: text[:20])
def test_a_config_file_with_python_in_it_runs_nothing(text, place, canary, capsys):
    (place / "config.yaml").write_text(f"tolerance: {text.format(canary.path)}\n")
    assert cli.main(["run", "--config-path", str(place)]) == 2
    assert "could not determine a constructor" in capsys.readouterr().err
