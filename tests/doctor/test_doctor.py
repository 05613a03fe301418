"""What `distill doctor` finds, and what it says of what is missing."""

from pathlib import Path

import pytest

from distill import cli
from distill.commands.doctor import examine
from distill.config.folder import options_of, read_option
from distill.engines.pysr import installed
from distill.engines.pysr.installed import Installed, Julia
from distill.firmware.target import load_target
from distill.firmware.toolchains import native


def test_doctor_finds_what_is_installed_and_explains_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cppcheck"
    program.write_text("#!/bin/sh\necho Cppcheck 9.9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = {finding.name: finding for finding in examine()}
    assert findings["zig"].found
    assert findings["unicorn"].found
    assert findings["cppcheck"].detail == f"Cppcheck 9.9 ({program})"
    assert not findings["arm-none-eabi-gcc"].found
    assert "apt install gcc-arm-none-eabi" in findings["arm-none-eabi-gcc"].gives
    assert not findings["qemu-user"].found
    assert all("install" in f.gives or "http" in f.gives for f in findings.values())


def test_doctor_says_what_every_target_can_be_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    native.gcc_version.cache_clear()
    targets = [load_target(read_option("target", name)) for name in options_of("target")]
    try:
        findings = {f.name.removeprefix("target "): f for f in examine(targets)}
    finally:
        native.gcc_version.cache_clear()
    for target in targets:
        finding = findings[target.name]
        assert target.native is not None
        assert finding.found == (target.wheels is not None)
        assert f"native figures: apt install {target.native.packages[0]}" in finding.gives
        if target.wheels is not None:
            assert finding.detail.startswith("wheels (zig cc (clang ")
    assert findings["avr"].detail == "costs are estimates; nothing builds for it"


def row(name):
    (finding,) = (f for f in examine() if f.name == name)
    return finding


@pytest.fixture
def machine(monkeypatch):
    """Sets which PySR and which Julia there are."""

    def there(version, executable=None, packages=False):
        pysr = version and Installed(version, Path("/nowhere"))
        monkeypatch.setattr(installed, "find", lambda: pysr)
        monkeypatch.setattr(installed, "julia", lambda _: Julia(executable, packages))

    return there


def test_pysr_that_is_ready_says_so(machine, tmp_path):
    julia = tmp_path / "julia"
    julia.write_text("#!/bin/sh\necho julia version 1.11.7\n")
    julia.chmod(0o755)
    machine("2.7.2", julia, True)
    assert row("pysr").detail == "2.7.2, Julia and its packages are ready"
    assert row("julia").detail == f"julia version 1.11.7 ({julia})"


def test_what_the_first_start_of_pysr_downloads_is_said_before(machine):
    machine("2.7.2")
    assert row("pysr").found
    assert row("pysr").detail.startswith(
        "2.7.2, the first start of PySR downloads Julia and packages: "
    )
    assert "minutes" in row("pysr").detail
    machine("2.7.2", Path("/nowhere/julia"))
    assert "downloads its Julia packages: " in row("pysr").detail
    assert row("julia").detail == "/nowhere/julia (does not tell its version)"


def test_without_julia_all_ways_out_are_named(machine):
    machine(None)
    assert not row("julia").found
    for way in ('python -c "import pysr"', "docker build", "engine=structure"):
        assert way in row("julia").gives
    assert not row("pysr").found
    assert row("pysr").gives.endswith("python -m pip install 'distill[pysr]'")


def test_a_pysr_that_is_not_used_is_named_with_the_versions_that_are(machine):
    machine("0.19.4")
    assert row("pysr").detail == "0.19.4: not used, distill needs 1.5 or later, before 3"


def test_the_command_prints_a_line_for_each_tool(machine, capsys):
    machine(None)
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.split()[:2] == ["✗", "julia"])
    assert "gives: what PySR runs on" in lines[at + 1]
