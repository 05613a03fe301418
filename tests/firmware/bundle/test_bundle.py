from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.bundle import (
    BundleSpec,
    Policy,
    evaluate_bundle,
    render_bundle,
    write_bundle,
)
from distill.firmware.comments import comment, markdown, plain, wrapped
from distill.firmware.guard import Guard
from distill.firmware.vectors import make_vectors


def test_every_file_is_written_and_recorded_with_its_hash(specs, tmp_path: Path) -> None:
    bundle = write_bundle(specs["guarded"], tmp_path / "deep" / "bundle")
    written = {
        p.relative_to(bundle.directory).as_posix(): p.read_bytes()
        for p in bundle.directory.rglob("*")
        if p.is_file()
    }
    assert set(written) == {
        "guarded.h", "guarded.c", "guarded_selftest.h", "guarded_selftest.c", "main.c",
        "CMakeLists.txt", "library.json", "library.properties", "zephyr/module.yml",
        "zephyr/CMakeLists.txt", "zephyr/Kconfig", "README.md", "bundle.json",
        "certificate.json", "made_from.json",
    }  # fmt: skip
    record = json.loads(written.pop("bundle.json"))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in written.items()}
    assert record["files"] == hashes
    assert {k: v for k, v in bundle.files.items() if k != "bundle.json"} == hashes
    assert record["formula"] == specs["guarded"].formula.text
    assert record["within_tolerance"] is True
    assert record["table"]["bytes"] == 68


def test_a_bundle_is_replaced_by_another(specs, tmp_path: Path) -> None:
    write_bundle(specs["guarded"], tmp_path / "b")
    write_bundle(specs["cubic"], tmp_path / "b")
    assert not (tmp_path / "b" / "guarded.c").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_an_empty_folder_is_filled(specs, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    assert write_bundle(specs["cubic"], tmp_path / "b").source.is_file()


@pytest.mark.parametrize("content", ["", "{}", '{"format": "other", "files": {}}', "[1]"])
def test_a_folder_that_is_no_bundle_is_left_alone(specs, tmp_path: Path, content: str) -> None:
    (tmp_path / "bundle.json").write_text(content)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ExportError, match="not a bundle"):
        write_bundle(specs["cubic"], tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_not_a_folder(specs, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("a file")
    with pytest.raises(ExportError, match="not a bundle"):
        write_bundle(specs["cubic"], tmp_path / "b")


@pytest.mark.parametrize("name", ["mine.c", "cubic.c"])
def test_what_was_added_or_changed_by_hand_is_not_lost(specs, tmp_path: Path, name: str) -> None:
    write_bundle(specs["cubic"], tmp_path / "b")
    (tmp_path / "b" / name).write_text("by hand")
    with pytest.raises(ExportError, match=f"`{name}` in the bundle was added or changed by hand"):
        write_bundle(specs["cubic"], tmp_path / "b")
    assert (tmp_path / "b" / name).read_text() == "by hand"


def test_an_error_beyond_the_tolerance_is_said_everywhere(specs) -> None:
    files = render_bundle(specs["cubic"])
    assert "WARNING: THIS MISSES THE TOLERANCE." in files["cubic.h"]
    assert "**This misses the tolerance.**" in files["README.md"]
    assert json.loads(files["bundle.json"])["within_tolerance"] is False
    kept = render_bundle(specs["wet_bulb"])
    assert "MISSES" not in kept["wet_bulb.h"]
    assert "misses the tolerance" not in kept["README.md"]


def test_the_header_says_what_an_engineer_asks(specs) -> None:
    header = render_bundle(specs["gearbox"])["gearbox.h"]
    for line in (
        "gearbox: torque in Nm * / ? ?/, from 3 inputs.",
        "speed: 0 to 30 m/s",
        "gear: -1 to 5 (integer: rounded to the nearest whole number)",
        "Out of range: an input outside its range is moved to the nearest bound.",
        "Not a number: NaN in any input gives NaN.",
    ):
        assert line in header
    assert "proven" in render_bundle(specs["cubic"])["cubic.h"]


def test_a_formula_without_guard_leaves_the_table_out(specs) -> None:
    source = render_bundle(specs["one_input"])["one_input.c"]
    start = source.index("#ifdef ONE_INPUT_TABLE_ONLY\n/*")
    assert start < source.index("one_input_values[") < source.index("#endif", start)


def test_clamping_costs_two_comparisons_an_input(specs) -> None:
    source = render_bundle(specs["wet_bulb"])["wet_bulb.c"]
    body = source[source.rindex("float wet_bulb(") :]
    assert body.count(">= 10.0f") == body.count("> 50.0f") == 1
    assert "isnan" not in source


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"formula": None, "table": None, "guard": None}, "nothing to export"),
        ({"table": None}, "needs both"),
        ({"formula": None}, "needs both"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"max_error": float("nan")}, "largest error"),
        ({"max_error": 0.05}, "not the one that was proven"),
        ({"arithmetic": "half"}, "no arithmetic"),
        ({"arithmetic": "double"}, "another arithmetic"),
        ({"error_kind": "felt"}, "sampled or proven"),
        ({"domain": Domain.box(x=(0, 1))}, "another domain"),
        ({"name": "exp"}, "cannot be called"),
        ({"vectors": np.zeros((3, 5))}, "need shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(specs, change: dict, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        dataclasses.replace(specs["guarded"], **change)


@pytest.mark.parametrize("wrong", [{"out_of_domain": "wrap"}, {"nan_input": "zero"}])
def test_an_unknown_policy_names_key_and_allowed_values(wrong: dict[str, str]) -> None:
    with pytest.raises(ExportError, match="allowed: ") as caught:
        Policy(**wrong)
    assert caught.value.where == f"export.{next(iter(wrong))}"


def test_the_model_follows_policy_guard_and_table(specs) -> None:
    spec = specs["guarded"]
    x = np.array([[20.0, 50.0], [31.25, 50.0], [5.0, 50.0], [10.0, 50.0], [np.nan, 50.0]])
    y = evaluate_bundle(spec, x)
    assert y[0] == spec.formula(x[:1])[0]
    assert y[1] == spec.table(x[1:2])[0]
    assert y[2] == y[3]
    assert np.isnan(y[4])
    assert np.isnan(evaluate_bundle(spec, x, "formula")[1])
    assert evaluate_bundle(spec, x, "table")[0] == spec.table(x[:1])[0]
    refusing = dataclasses.replace(spec, policy=Policy("nan", "low"))
    y = evaluate_bundle(refusing, x)
    assert np.isnan(y[2])
    assert y[4] == y[3]
    with pytest.raises(ExportError, match="nothing for the mode"):
        evaluate_bundle(specs["table_only"], x, "formula")


def test_vectors_try_what_fails_first(specs) -> None:
    spec = dataclasses.replace(specs["guarded"], vectors=np.array([[12.125, 77.5]]))
    vectors = make_vectors(spec)
    x = vectors.inputs
    bits = x.astype(np.float32)
    for wanted in (
        np.nextafter(np.float32(10), np.float32(0)),
        np.nextafter(np.float32(50), np.float32(99)),
        np.float32(np.inf),
        np.float32(-np.inf),
    ):
        assert (bits[:, 0] == wanted).any()
    assert np.isnan(x).all(axis=1).any()
    assert ((x[:, 0] == 0) & np.signbit(x[:, 0])).any()
    assert (x == [12.125, 77.5]).all(axis=1).any()
    for corner in spec.domain.corners():
        assert (x == corner).all(axis=1).any()
    default = next(a for a in vectors.answers if a.mode == "default")
    assert (np.isnan(default.expected) == np.isnan(x).any(axis=1)).all()
    # What rounding may do is far below the tolerance, or the test would accept anything.
    assert default.allowed.max() < 0.001 * spec.tolerance


def test_an_unchecked_function_is_tried_inside_only(specs) -> None:
    spec = specs["one_input"]
    assert spec.domain.contains(make_vectors(spec).inputs).all()


TEXTS = st.text(
    alphabet=st.sampled_from(list("*/?\\\n\r\t°C ab=()'<>!-\u202e\u2028\x00")), max_size=30
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_no_text_escapes_from_a_comment(text: str) -> None:
    for line in [comment(text), *wrapped(text, 10)]:
        assert not any(mark in line for mark in ("*/", "/*", "??", "\\", "\n", "\r", "\u2028"))
        assert line.isprintable()


def test_text_from_outside_is_one_harmless_line(tmp_path: Path, compiler, compile_c, run, specs):
    evil = 'x */ int y; /* ??/\n #error \\\n"${PATH}" \u202e | `rm` <script>'
    spec = dataclasses.replace(
        specs["wet_bulb"], output_name=evil, output_unit=evil, provenance={evil: evil}, target=evil
    )
    bundle = write_bundle(spec, tmp_path / "evil")
    stem = bundle.directory / "wet_bulb"
    files = [bundle.source, Path(f"{stem}_selftest.c"), bundle.directory / "main.c"]
    run([compile_c(compiler, files, "-trigraphs")])
    assert json.loads((bundle.directory / "library.json").read_text())["name"] == "wet_bulb"
    properties = (bundle.directory / "library.properties").read_text().splitlines()
    assert all("=" in line for line in properties)
    assert len(properties) == 10
    assert "<script>" not in (bundle.directory / "README.md").read_text().replace("\\<", "")


def test_plain_keeps_letters_of_any_script() -> None:
    assert plain("µ°Ω  温度\n") == "µ°Ω 温度"
    assert markdown("a|b") == "a\\|b"


def test_cmake_builds_and_tests_the_bundle(specs, tmp_path: Path, run) -> None:
    if shutil.which("cmake") is None or shutil.which("gcc") is None:
        pytest.skip("no cmake or no gcc on this machine")
    bundle = write_bundle(specs["guarded"], tmp_path / "bundle")
    build = tmp_path / "build"
    run(["cmake", "-S", bundle.directory, "-B", build])
    run(["cmake", "--build", build])
    assert b"100% tests passed" in run(["ctest", "--test-dir", build]).stdout


def test_an_empty_guard_needs_no_table(specs) -> None:
    spec = dataclasses.replace(
        specs["guarded"],
        table=None,
        guard=Guard(specs["guarded"].domain, np.zeros((4, 4), dtype=bool)),
    )
    assert isinstance(spec, BundleSpec)
    assert "guard" not in render_bundle(spec)["guarded.c"].replace("guarded", "")
