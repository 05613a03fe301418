from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from distill.config import conf_directory
from distill.errors import ToolchainError
from distill.firmware.doctor import examine
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import (
    HostCompiler,
    ToolMissing,
    host_compilers,
    run_tool,
    toolchain_for,
    wheels,
)


@pytest.fixture
def pic32() -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / "pic32.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_output_status_and_folder_of_a_program(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print('bad', file=sys.stderr); sys.exit(3)"
    finished = run_tool([sys.executable, "-c", code], seconds=30, folder=tmp_path)
    assert finished.status == 3
    assert finished.output.strip() == str(tmp_path.resolve())
    assert finished.complaint.startswith("bad")


def test_a_program_gets_no_input(tmp_path: Path) -> None:
    code = "import sys; print(len(sys.stdin.read()))"
    assert run_tool([sys.executable, "-c", code], seconds=30, folder=tmp_path).output == "0\n"


def test_a_missing_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot be started"):
        run_tool(["no-such-compiler-anywhere"], seconds=1, folder=tmp_path)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    with pytest.raises(ToolchainError, match="did not end within"):
        run_tool([sys.executable, "-c", code], seconds=3, folder=tmp_path)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


def test_a_compile_error_shows_the_compilers_first_lines(tmp_path: Path, pic32: Target) -> None:
    source = tmp_path / "broken.c"
    source.write_text("int start(void) { return undeclared_thing; }\n")
    with pytest.raises(ToolchainError) as caught:
        toolchain_for(pic32).build([source], tmp_path / "broken.elf", entry="start")
    assert "undeclared_thing" in caught.value.what
    assert caught.value.where == "broken.c"
    assert not (tmp_path / "broken.elf").exists()


def test_the_compiler_names_itself(pic32: Target) -> None:
    name = toolchain_for(pic32).compiler
    assert name.startswith("zig cc (clang ")
    assert name.endswith(") -Os")


def test_a_target_without_its_compiler_says_how_to_get_it(
    pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "zig_installed", lambda: False)
    wheels.zig_version.cache_clear()
    try:
        with pytest.raises(ToolMissing) as caught:
            toolchain_for(pic32)
    finally:
        wheels.zig_version.cache_clear()
    assert "pip install ziglang" in caught.value.hint


def test_zig_keeps_its_libraries_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels.cache_folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        assert wheels.cache_folder() == tmp_path / "distill" / "zig"
        assert wheels.cache_folder().is_dir()
        wheels.cache_folder.cache_clear()
        blocked = tmp_path / "file"
        blocked.write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
        elsewhere = wheels.cache_folder()
        assert elsewhere.is_dir()
        assert blocked not in elsewhere.parents
        elsewhere.rmdir()
    finally:
        wheels.cache_folder.cache_clear()


def test_building_writes_nothing_into_the_working_folder(
    tmp_path: Path, pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    toolchain_for(pic32).prepare()
    assert list(here.iterdir()) == []


def test_zig_is_always_among_the_host_compilers() -> None:
    found = host_compilers()
    assert found[-1].family == "zig"
    assert len({compiler.family for compiler in found}) == len(found)
    assert all(compiler.version[0].isdigit() for compiler in found)


@pytest.mark.parametrize("compiler", host_compilers(), ids=lambda compiler: compiler.family)
def test_sanitizers_stop_a_float_that_does_not_fit_its_integer(
    compiler: HostCompiler, tmp_path: Path
) -> None:
    if why := compiler.sanitizers_work(tmp_path):
        pytest.skip(f"sanitizers do not work here: {why}")
    source = tmp_path / "fault.c"
    source.write_text(
        "int main(int count, char **arguments) {\n"
        "  volatile float large = 1e30f * (float)count; (void)arguments;\n"
        "  return (short)large == 3;\n}\n"
    )
    arguments = [*compiler.sanitizers, str(source), "-o", str(tmp_path / "fault")]
    assert compiler.run(arguments, tmp_path).status == 0
    assert run_tool([str(tmp_path / "fault")], seconds=30, folder=tmp_path).status != 0


def test_doctor_finds_what_is_installed_and_explains_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cppcheck"
    program.write_text("#!/bin/sh\necho Cppcheck 9.9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    findings = {finding.name: finding for finding in examine()}
    assert findings["zig"].found
    assert findings["unicorn"].found
    assert findings["cppcheck"].found
    assert findings["cppcheck"].detail == f"Cppcheck 9.9 ({program})"
    assert not findings["qemu-mipsel"].found
    assert all("install" in f.gives or "http" in f.gives for f in findings.values())
