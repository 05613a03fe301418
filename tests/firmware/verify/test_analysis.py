"""MISRA C:2012 and Frama-C: what is not a listed deviation fails, and is told with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from distill.errors import ToolchainError
from distill.firmware import analysis, eva
from distill.firmware.analysis import DEVIATIONS, REPORT, check_misra
from distill.firmware.eva import check_values, driver_text
from distill.firmware.subject import Subject

Make = Callable[..., Subject]

cppcheck = pytest.mark.skipif(shutil.which("cppcheck") is None, reason="no cppcheck here")


def frama_c(test):
    """Mark a test that needs Frama-C, whose runs are too long for every day."""
    missing = shutil.which("frama-c") is None
    return pytest.mark.slow(pytest.mark.skipif(missing, reason="no frama-c here")(test))


@cppcheck
def test_listed_deviations_pass_with_their_reasons(
    subject: Make, probe, integers, tmp_path: Path
) -> None:
    for good in (probe, integers):
        check, reports = check_misra(subject(good), tmp_path)
        assert check.passed, check.detail
        assert check.figures["refused"] == 0 < check.figures["findings"]
    text = reports[REPORT]
    assert "Not accepted: nothing." in text
    assert "Rule 17.8 (advisory), 4 times: an argument is moved to its bound in place" in text
    assert "    probe.c:4\n" in text
    assert "Rule 21.6 (required), 1 times" in text


@cppcheck
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("goto end;\nend:\n    return expf(a) / b;", "rule 15."),
        ("if ((a = b) > 1.0f) { return a; }\n    return expf(a) / b;", "rule 13.4"),
        ("int32_t t[2] = {1, 2};\n    return (float)t[2] + a;", "arrayIndexOutOfBounds"),
        ("int32_t t;\n    return (float)t + a;", "uninitvar"),
    ],
)
def test_what_is_not_listed_fails_with_its_place(
    fault: str, said: str, subject: Make, probe, tmp_path: Path
) -> None:
    wrong = subject(probe.but("return expf(a) / b;", fault))
    check, reports = check_misra(wrong, tmp_path)
    assert check.passed is False
    assert check.detail.startswith("probe.c:")
    assert said in reports[REPORT].split("Not accepted:\n")[1]
    assert check.figures["refused"] >= 1


@cppcheck
def test_a_deviation_for_one_file_holds_in_no_other(subject: Make, probe, tmp_path: Path) -> None:
    wrong = subject(replace(probe, source="#include <stdio.h>\n" + probe.source))
    check, _ = check_misra(wrong, tmp_path)
    assert check.passed is False
    assert "rule 21.6" in check.detail


@cppcheck
def test_a_fault_in_a_way_that_only_a_macro_selects_is_found(
    subject: Make, probe, tmp_path: Path
) -> None:
    hidden = "#ifdef PROBE_TABLE_ONLY\n    goto end;\nend:\n#endif\n    return expf(a) / b;"
    check, _ = check_misra(subject(probe.but("return expf(a) / b;", hidden)), tmp_path)
    assert check.passed is False


def test_every_deviation_is_of_one_rule_and_says_why() -> None:
    keys = [(deviation.rule, deviation.only) for deviation in DEVIATIONS]
    assert len(keys) == len(set(keys))
    assert all(deviation.why.endswith(".") for deviation in DEVIATIONS)


@pytest.mark.parametrize("module", [analysis, eva])
def test_without_the_tool_the_check_is_not_run_and_says_what_to_install(
    module, subject: Make, integers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    check, reports = (check_misra if module is analysis else check_values)(
        subject(integers), tmp_path
    )
    assert check.passed is None
    assert "apt install" in check.detail
    assert reports == {}


@pytest.mark.parametrize("module", [analysis, eva])
def test_code_too_long_for_the_tool_is_neither_proven_nor_refuted(
    module, subject: Make, integers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = tmp_path / "endless"
    endless.write_text(
        '#!/bin/sh\ncase "$1" in -version|--version) echo 2.0;; *) sleep 60;; esac\n'
    )
    endless.chmod(0o700)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(endless))
    monkeypatch.setattr(module, "SECONDS", 0.1)
    check, reports = (check_misra if module is analysis else check_values)(
        subject(integers), tmp_path
    )
    assert check.passed is None
    assert "did not end within" in check.detail
    assert reports == {}


def test_the_boxes_hold_every_value_or_those_the_caller_may_give(subject: Make, integers) -> None:
    def ends(driver: str, name: str) -> list[int]:
        """The numbers of one table of the driver; `(-7L - 1)` is how C writes -8."""
        (row,) = [line for line in driver.splitlines() if f"int32_t {name}[" in line]
        texts = row.split("{")[1].split("}")[0].split(", ")
        return [int(t.split("L")[0].strip("(")) - ("- 1" in t) for t in texts]

    every = driver_text(subject(integers))
    low, high = ends(every, "low1"), ends(every, "high1")
    assert (low[0], high[-1]) == (-(2**31), 2**31 - 1)
    assert [h + 1 for h in high[:-1]] == low[1:]
    assert len(low) == 10
    promised = driver_text(subject(replace(integers, answers_everywhere=False)))
    assert (ends(promised, "low1")[0], ends(promised, "high1")[-1]) == (2**26, 2**29)


@frama_c
def test_fixed_point_raises_no_alarm(subject: Make, integers, tmp_path: Path) -> None:
    check, reports = check_values(subject(integers), tmp_path)
    assert check.passed, check.detail
    assert check.figures["alarms"] == 0
    assert "0 alarms generated" in reports["frama-c.txt"]


@frama_c
@pytest.mark.parametrize(
    ("old", "new", "said", "passed"),
    [
        (
            "    if (a < -",
            "    if ((a - b) == 77) { return 7; }\n    if (a < -",
            "32-bit int",
            None,
        ),
        ("return (int32_t)", "return (a << 1) + (int32_t)", "left shift", False),
        # Int has 32 bits on most chips, and there this is right.
        ("return (int32_t)", "return (int32_t)(1 << 20) + (int32_t)", "16-bit int", False),
        ("return (int32_t)", "return (-1 << 2) + (int32_t)", "32-bit int", False),
    ],
)
def test_an_alarm_is_told_with_its_place_and_fails_when_it_is_sure(
    old: str,
    new: str,
    said: str,
    passed: bool | None,
    subject: Make,
    integers,
    tmp_path: Path,
) -> None:
    check, reports = check_values(subject(integers.but(old, new)), tmp_path)
    assert check.passed is passed
    assert check.figures["alarms"] > 0
    assert " probe.c:" in check.detail
    assert said in check.detail
    assert "[eva:alarm]" in reports["frama-c.txt"]


@frama_c
def test_an_overflow_that_the_promise_excludes_is_none(
    subject: Make, integers, tmp_path: Path
) -> None:
    fault = integers.but("    if (a < -", "    if ((a - b) == 77) { return 7; }\n    if (a < -")
    promised = subject(replace(fault, answers_everywhere=False))
    assert check_values(promised, tmp_path)[0].passed


@frama_c
def test_c_that_frama_c_cannot_read_is_an_error(subject: Make, integers, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="does not get through"):
        check_values(subject(integers.but("return (int32_t)", "return nothing(")), tmp_path)


@frama_c
def test_boxes_show_what_the_whole_range_cannot(
    subject: Make, integers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """c (c - 65,536) is within 2^30 for c from 0 to 65,536; its factors' ranges allow 2^32."""
    line = "const int32_t c = (a / 16384) + 32768; if ((c * (c - 65536)) == 1) { return 7; }"
    held = subject(integers.but("    {\n", f"    {line}\n    {{\n"))
    assert check_values(held, tmp_path)[0].passed
    monkeypatch.setattr(eva, "BOXES", 1)
    assert check_values(held, tmp_path)[0].figures["alarms"] > 0


def test_floats_are_left_to_the_sanitizers(subject: Make, probe, tmp_path: Path) -> None:
    check, _ = check_values(subject(probe), tmp_path)
    assert check.passed is None
