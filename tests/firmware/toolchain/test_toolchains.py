from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from distill.config.folder import read_option
from distill.errors import ToolchainError
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import (
    HostCompiler,
    Toolchain,
    ToolMissing,
    host_compilers,
    native,
    run_tool,
    toolchain_for,
    wheels,
    zig,
)
from distill.firmware.toolchains.cache import cache_folder
from distill.firmware.toolchains.process import ToolTimeout


@pytest.fixture
def pic32() -> Target:
    return load_target(read_option("target", "pic32"))


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
    with pytest.raises(ToolTimeout, match="did not end within"):
        run_tool([sys.executable, "-c", code], seconds=3, folder=tmp_path)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)


def test_ctrl_c_while_a_program_ends_is_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes that are to be killed may be gone."""
    ended = subprocess.Popen.communicate

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> None:
        monkeypatch.undo()
        ended(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_tool([sys.executable, "-c", ""], seconds=60, folder=tmp_path)


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
    monkeypatch.setattr(zig, "zig_installed", lambda: False)
    monkeypatch.setenv("PATH", "/nowhere")
    for cached in (zig.zig_version, native.gcc_version):
        cached.cache_clear()
    try:
        with pytest.raises(ToolMissing) as caught:
            toolchain_for(pic32)
        assert "pip install ziglang" in caught.value.hint
        with pytest.raises(ToolMissing) as caught:
            toolchain_for(replace(pic32, toolchain="native"))
        assert "apt install gcc-mipsel-linux-gnu" in caught.value.hint
    finally:
        for cached in (zig.zig_version, native.gcc_version):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cortex_m4f", r"arm-none-eabi-gcc \d+\.\d+\.\d+ -Os"),
        ("riscv32", r"riscv64-unknown-elf-gcc \d+\.\d+\.\d+ -Os"),
        ("avr", r"avr-gcc \d+\.\d+\.\d+ -Os"),
        (
            "pic32",
            r"mipsel-linux-gnu-gcc \d+\.\d+\.\d+ -Os, linked by zig \(clang [\d.]+\) "
            "with its runtime and libm",
        ),
    ],
)
def test_a_native_compiler_names_itself_and_whose_libm_it_links(
    name: str, label: str, installed: Callable[[Callable[[], Toolchain]], Toolchain]
) -> None:
    target = replace(load_target(read_option("target", name)), toolchain="native")
    assert re.fullmatch(label, installed(lambda: toolchain_for(target)).compiler)


def test_a_native_compile_error_shows_the_compilers_first_lines(
    tmp_path: Path, installed: Callable[[Callable[[], Toolchain]], Toolchain]
) -> None:
    target = replace(load_target(read_option("target", "cortex_m4f")), toolchain="native")
    source = tmp_path / "broken.c"
    source.write_text("int start(void) { return undeclared_thing(); }\n")
    with pytest.raises(ToolchainError) as caught:
        installed(lambda: toolchain_for(target)).build(
            [source], tmp_path / "broken.elf", entry="start"
        )
    assert "undeclared_thing" in caught.value.what
    assert caught.value.where == "broken.c"


def test_the_first_use_of_a_target_is_announced_and_the_second_is_quick(
    tmp_path: Path, pic32: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    libm = tmp_path / "libm.a"
    monkeypatch.setattr(wheels, "libm_file", lambda target: libm)
    told: list[str] = []
    toolchain_for(pic32).prepare(told.append)
    assert told == ["building zig's libraries for pic32, this once"]
    libm.write_bytes(b"")
    toolchain_for(pic32).prepare(told.append)
    assert len(told) == 1


def test_libm_has_every_function_of_both_precisions(tmp_path: Path, pic32: Target) -> None:
    of_one = "acos asin atan cbrt cos cosh exp log sin sinh sqrt tan tanh fabs expm1 ceil floor"
    of_two = "atan2 pow fmin fmax"
    calls = [f"sum += {f}f((float)sum) + (float){f}(sum);" for f in of_one.split()]
    calls += [f"sum += {f}f((float)sum, 2.0f) + (float){f}(sum, 2.0);" for f in of_two.split()]
    source = tmp_path / "all.c"
    source.write_text(
        "#include <math.h>\ndouble start(double sum);\n"
        f"double start(double sum) {{ {' '.join(calls)} return sum; }}\n"
    )
    program = tmp_path / "all.elf"
    toolchain_for(pic32).build([source], program, entry="start")
    assert program.stat().st_size > 10_000


def test_zig_keeps_its_libraries_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        assert cache_folder("zig") == tmp_path / "distill" / "zig"
        assert cache_folder("zig").is_dir()
        cache_folder.cache_clear()
        blocked = tmp_path / "file"
        blocked.write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
        elsewhere = cache_folder("zig")
        assert elsewhere.is_dir()
        assert blocked not in elsewhere.parents
        elsewhere.rmdir()
    finally:
        cache_folder.cache_clear()


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
