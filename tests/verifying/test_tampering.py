"""Whatever is changed in a bundle is found and named, and nothing of it is compiled."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from distill.cli.front import main
from distill.errors import ExportError
from distill.firmware import verify as compiling
from distill.progress import Silent
from distill.verifying.again import differences, write_again
from distill.verifying.folder import read_folder
from distill.verifying.verify import Verified, verify_bundle
from tests.verifying.conftest import all_specs


@pytest.fixture(autouse=True)
def nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[()]:
        raise AssertionError("a compiler was looked for")

    monkeypatch.setattr(compiling, "host_compilers", refuse)


def found(folder: Path) -> Verified:
    return verify_bundle(folder, Silent())


@pytest.mark.parametrize("name", sorted(all_specs()))
def test_a_bundle_is_written_again_to_the_byte(bundle, name: str) -> None:
    folder = read_folder(bundle(name))
    assert folder.checks == ()
    again = write_again(folder)
    assert differences(folder, again) == []
    assert dict(again.texts) == dict(folder.texts)


CHANGES: dict[str, tuple[str, str, str, str, str]] = {
    "a constant of the formula": ("wet_bulb", "wet_bulb.c", r"8\.313659", "8.3136", "8.3136"),
    "a value of the table": ("guarded", "guarded.c", r"(\d{4,5}u?, )(\d{4,5})", r"\g<1>1", "1"),
    "the error": ("guarded", "guarded.h", r"at most 0\.099\d*", "at most 0.05", "0.05 °C"),
    "a unit": ("wet_bulb", "wet_bulb.h", "50 °C", "50 K", "50 K"),
    "the policy": ("wet_bulb", "wet_bulb.h", "Out of range:", "Out of range!", "Out of range!"),
    "the costs": ("dew_fixed", "dew_fixed.h", "300 instructions", "3 instructions", "3 instr"),
    "the README": ("wet_bulb", "README.md", "pic32", "pic64", "pic64"),
    "a vector": (
        "table_only",
        "table_only_selftest.c",
        "0x41f00000u",
        "0x41f00001u",
        "0x41f00001u",
    ),
    "the build": ("label_fixed", "CMakeLists.txt", "C99|99", "90", "90"),
    "an array": ("trees", "trees.c", r"\b5\.5|\d{3,}", "77", "77"),
    "a weight": ("iris", "iris.c", r"0\.75", "0.5", "0.5"),
    "the record": ("air", "bundle.json", '"heat"', '"cold"', "cold"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_line_is_named(bundle, change: str) -> None:
    name, file, old, new, told = CHANGES[change]
    folder = bundle(name)
    path = folder / file
    lines = path.read_text().splitlines(keepends=True)
    number = next(i for i, line in enumerate(lines) if re.search(old, line))
    lines[number] = re.sub(old, new, lines[number], count=1)
    path.write_text("".join(lines))
    verified = found(folder)
    (check,) = verified.differing
    assert not verified.ran
    assert check.name == file
    assert check.detail.startswith(f"line {number + 1}: `")
    assert told in check.detail.split(", written again")[0]


@pytest.mark.parametrize("again", [1, 20_000])
def test_inserted_lines_are_told_in_time(bundle, again: int) -> None:
    folder = bundle("cubic")
    lines = (folder / "cubic.c").read_text().splitlines(keepends=True)
    lines[3:3] = ["/* mine */\n"] * again
    (folder / "cubic.c").write_text("".join(lines))
    (check,) = found(folder).differing
    first, *rest = check.detail.splitlines()
    assert first.startswith("line 4: `/* mine */`, written again ")
    assert first.endswith("nothing") == (again == 1)
    assert bool(rest) == (again > 1)


def test_what_it_was_made_from_is_named_with_all_that_follows_from_it(bundle) -> None:
    folder = bundle("guarded")
    path = folder / "made_from.json"
    path.write_text(path.read_text().replace('"tolerance": 0.1,', '"tolerance": 0.5,'))
    named = {check.name: check.detail for check in found(folder).differing}
    assert "SHA-256" in named["made_from.json"]
    assert "tolerance 0.1" in named["guarded.h"]
    assert "tolerance 0.5" in named["guarded.h"]
    assert "guarded.c" not in named


def test_a_missing_and_an_added_file_are_named(bundle) -> None:
    folder = bundle("cubic")
    (folder / "zephyr" / "Kconfig").unlink()
    (folder / "zephyr" / "extra.c").write_text("int main(void) { return 0; }")
    named = {check.name: check.detail for check in found(folder).differing}
    assert set(named) == {"zephyr/Kconfig", "zephyr/extra.c"}
    assert "is missing" in named["zephyr/Kconfig"]
    assert "was added" in named["zephyr/extra.c"]


@pytest.mark.parametrize("whole", [True, False])
def test_links_are_refused_and_not_read(bundle, tmp_path: Path, whole: bool) -> None:
    folder = bundle("cubic")
    outside = tmp_path / "outside"
    outside.mkdir()
    if whole:
        for file in (folder / "zephyr").iterdir():
            file.rename(outside / file.name)
        (folder / "zephyr").rmdir()
        (folder / "zephyr").symlink_to(outside)
        names = {"zephyr", "zephyr/Kconfig", "zephyr/module.yml", "zephyr/CMakeLists.txt"}
    else:
        (folder / "cubic.c").rename(outside / "cubic.c")
        (folder / "cubic.c").symlink_to(outside / "cubic.c")
        names = {"cubic.c"}
    verified = found(folder)
    assert {check.name for check in verified.differing} == names
    assert not verified.ran


def test_a_pipe_does_not_keep_it_waiting(bundle) -> None:
    folder = bundle("cubic")
    (folder / "cubic.c").unlink()
    os.mkfifo(folder / "cubic.c")
    (check,) = found(folder).differing
    assert check.name == "cubic.c"
    assert "no plain file" in check.detail


def changed_record(folder: Path, change: Callable[[dict], object]) -> None:
    record = json.loads((folder / "bundle.json").read_text())
    change(record)
    (folder / "bundle.json").write_text(json.dumps(record))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "zephyr/../../x", "", "a\0b"])
def test_a_record_that_lists_files_elsewhere_is_refused(bundle, name: str) -> None:
    folder = bundle("cubic")
    changed_record(folder, lambda record: record["files"].update({name: "00"}))
    with pytest.raises(ExportError, match="does not list the bundle's files"):
        found(folder)


def test_a_record_of_another_version_says_so(bundle) -> None:
    folder = bundle("cubic")
    changed_record(folder, lambda record: record.update(version=3))
    with pytest.raises(ExportError, match="of version 3; this distill verifies 4"):
        found(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", '{"kind": "scalar"}', "[1]", "nan", ""])
def test_a_broken_origin_is_an_error_for_people(bundle, text: str) -> None:
    folder = bundle("cubic")
    (folder / "made_from.json").write_text(text)
    with pytest.raises(ExportError, match="cannot be read what the bundle was made from"):
        found(folder)


HOSTILE = {
    "version": {"x": 1}, "name": "a;system(\"x\")", "domain": [], "formula": {"text": "((("},
    "table": {"version": 2, "axes": 7}, "tolerance": "0.1", "max_error": None, "costs": [1],
    "arithmetic": "quad", "figures": 3, "provenance": [["a"]], "vectors": {"type": "|O8"},
    "proof": {"bound": "x"}, "remarks": None, "label_above": "1) || (1", "accuracy": {},
}  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE)
def test_no_hostile_origin_gets_further_than_being_written_again(bundle, key: str) -> None:
    folder = bundle("gearbox")
    data = json.loads((folder / "made_from.json").read_text())
    data[key] = HOSTILE[key]
    (folder / "made_from.json").write_text(json.dumps(data))
    with suppress(ExportError):
        verified = found(folder)
        assert not verified.ran
        assert "made_from.json" in {check.name for check in verified.differing}


def test_the_command_ends_with_2_and_lists_what_differs(
    bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bundle("cubic")
    text = (folder / "cubic.h").read_text()
    (folder / "cubic.h").write_text(text.replace("-2 to 2 V", "-2 to 9 V"))
    assert main(["verify", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert "✗ cubic.h: line " in out
    assert "-2 to 9 V" in out
    assert "nothing of it was compiled or run" in err


def test_the_json_names_every_check(bundle, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bundle("cubic")
    (folder / "cubic.h").unlink()
    assert main(["verify", "--json", str(folder)]) == 2
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["exit_code"] == 2
    assert (result["verified"], result["compiled"]) == (False, False)
    (check,) = result["checks"]
    assert (check["name"], check["passed"]) == ("cubic.h", False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "which bundle?"),
        (["a", "b"], "2 folders are given"),
        (["nowhere"], "there is no such folder"),
        (["nowhere", "points=many"], "`many` is no count"),
        (["nowhere", "teachr=x"], "did you mean `teacher`"),
    ],
)
def test_mistakes_of_the_caller(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments]) == 2
    assert told in capsys.readouterr().err
