"""MISRA C:2012 on a bundle's C by cppcheck, with the deviations that generated code is allowed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from distill.errors import ToolchainError
from distill.firmware.evidence import Check
from distill.firmware.subject import Code
from distill.firmware.toolchains import ToolTimeout, run_tool

SECONDS = 300.0

REPORT = "misra.txt"
"""The name of the report's file."""

PREFIX = "misra-c2012-"

SHOWN = 12
"""Places that the report shows of one rule."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A rule that generated code may break, and why; ``only`` in files whose name ends so."""

    rule: str
    category: Literal["required", "advisory"]
    why: str
    only: str = ""


DEVIATIONS = (
    Deviation("2.5", "advisory", "the header offers macros that a program need not use."),
    Deviation(
        "8.9", "advisory",
        "tables stand at file scope, where their attribute for flash memory is allowed and their "
        "size is easy to find in a map file.",
    ),
    Deviation(
        "10.1", "required",
        "a signed integer is shifted right only where it is known not to be negative, so that C "
        "defines the result; the code tests the sign, or the formats exclude it.",
    ),
    Deviation(
        "10.8", "required",
        "a cast says where an expression changes width or sign; the bounds of its value are known "
        "when the code is generated, and checked against every width.",
    ),
    Deviation(
        "12.1", "advisory",
        "parentheses are left out where C's precedence is the one of mathematics.",
    ),
    Deviation(
        "15.5", "advisory",
        "an input that has no answer returns at once; one exit would need a flag and nesting.",
    ),
    Deviation(
        "17.8", "advisory",
        "an argument is moved to its bound in place: a copy costs registers and a second name.",
    ),
    Deviation(
        "18.4", "advisory",
        "an accessor for flash memory takes an address: the table's, plus an index that was held "
        "within it.",
    ),
    Deviation(
        "19.2", "advisory",
        "the bits of a float are read through a union, as C99 defines (6.5.2.3).",
    ),
    Deviation(
        "21.6", "required",
        "the test program prints its result; it is not a part of the function.", only="main.c",
    ),
)  # fmt: skip
"""Rules broken on purpose. No mandatory rule is, and one that is not listed fails the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of cppcheck: where, which rule or check, and in which words."""

    file: str
    line: int
    id: str
    message: str

    @property
    def rule(self) -> str:
        """The MISRA rule, such as `15.5`; nothing for cppcheck's own findings."""
        return self.id.removeprefix(PREFIX) if self.id.startswith(PREFIX) else ""

    @property
    def place(self) -> str:
        """Such as `wet_bulb.c:12`."""
        return f"{self.file}:{self.line}"


def check_misra(code: Code, folder: Path) -> tuple[Check, dict[str, str]]:
    """Every finding is a listed deviation, and cppcheck itself has none; with the whole report.

    Code so long that cppcheck does not end in time is not checked.

    Raises
    ------
    ToolchainError : when cppcheck does not run.
    """
    program = shutil.which("cppcheck")
    if program is None:
        missing = "cppcheck is not installed: apt install cppcheck"
        return Check("MISRA C:2012, cppcheck", None, missing), {}
    version = run_tool([program, "--version"], seconds=60, folder=folder).output.split()[-1]
    name = f"MISRA C:2012, cppcheck {version}"
    files = [code.source, code.selftest, code.main]
    try:
        findings = find_all(program, files, folder)
    except ToolTimeout as slow:
        return Check(name, None, f"not checked to the end: {slow.what}"), {}
    if findings is None:
        return Check(name, None, "its misra addon is not installed: apt install cppcheck"), {}
    refused = [finding for finding in findings if deviation_of(finding) is None]
    rules = {finding.rule for finding in findings if finding.rule}
    figures = {
        "findings": float(len(findings)),
        "rules": float(len(rules)),
        "refused": float(len(refused)),
    }
    text = report(version, [file.name for file in files], findings)
    if refused:
        shown = "; ".join(f"{f.place}: {_words(f)}" for f in refused[:3])
        more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
        return Check(name, False, f"{shown}{more}", figures), {REPORT: text}
    detail = f"{len(findings)} findings, all of them listed deviations from {len(rules)} rules"
    return Check(name, True, detail, figures), {REPORT: text}


def find_all(program: str, files: Sequence[Path], folder: Path) -> tuple[Finding, ...] | None:
    """All that cppcheck finds in C files, in every way their macros allow; None without the addon.

    Raises
    ------
    ToolchainError : when it does not run or does not end in time.
    """
    arguments = [
        *(program, "--quiet", "--std=c99", "--platform=unix32", "--addon=misra"),
        *("--enable=style,warning,performance,portability", "--suppress=missingIncludeSystem"),
        # It takes x < 0.5 for the contrary of x >= 0.5, which NaN is neither of.
        "--suppress=knownConditionTrueFalse",
        "--template={file}\t{line}\t{id}\t{message}",
        *map(str, files),
    ]
    ended = run_tool(arguments, seconds=SECONDS, folder=folder)
    if "Did not find addon" in ended.output + ended.errors:
        return None
    if ended.status != 0:
        raise ToolchainError(f"cppcheck does not run: {ended.complaint}")
    rows = [line.split("\t", 3) for line in ended.errors.splitlines()]
    found = {
        Finding(Path(row[0]).name, int(row[1]), row[2], row[3]) for row in rows if len(row) == 4
    }
    return tuple(sorted(found, key=lambda f: (f.file, f.line, f.id)))


def deviation_of(finding: Finding) -> Deviation | None:
    """The deviation that allows a finding, if one does."""
    for deviation in DEVIATIONS:
        if finding.rule == deviation.rule and finding.file.endswith(deviation.only):
            return deviation
    return None


def report(version: str, files: Sequence[str], findings: Sequence[Finding]) -> str:
    """The report as text: the rules broken, why that is accepted, and where."""
    lines = [
        f"MISRA C:2012, checked by cppcheck {version} and its misra addon",
        f"Files: {', '.join(files)}, in every way their macros can be set.",
        "The addon knows the rules that a program can decide; cppcheck's own findings are listed",
        "as well. Every rule that is not named below was kept, or is not known to the addon.",
        "",
    ]
    allowed = [deviation for finding in findings if (deviation := deviation_of(finding))]
    for deviation in [deviation for deviation in DEVIATIONS if deviation in allowed]:
        where = [f.place for f in findings if deviation_of(f) is deviation]
        lines += [
            f"Rule {deviation.rule} ({deviation.category}), {len(where)} times: {deviation.why}",
            *_places(where),
        ]
    refused = [finding for finding in findings if deviation_of(finding) is None]
    lines += ["", "Not accepted:" if refused else "Not accepted: nothing."]
    lines += [f"    {finding.place}: {_words(finding)}" for finding in refused]
    return "\n".join(lines) + "\n"


def _places(where: Sequence[str]) -> list[str]:
    rest = [f"    and {len(where) - SHOWN} more"] if len(where) > SHOWN else []
    return [*(f"    {place}" for place in where[:SHOWN]), *rest]


def _words(finding: Finding) -> str:
    # The rules' texts are MISRA's property, so the addon does not have them.
    return f"rule {finding.rule}" if finding.rule else f"{finding.message} [{finding.id}]"
