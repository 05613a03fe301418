"""The command line's own manners: quick help, clear errors, different exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from distill import cli
from distill.cli.command import Command
from distill.cli.table import COMMANDS
from distill.errors import BUG, INTERRUPTED

HEAVY = [
    "torch",
    "mlflow",
    "pyoperon",
    "sklearn",
    "sympy",
    "matplotlib",
    "pandas",
    "hydra",
    "scipy",
]


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "distill.cli", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "needed"),
    [
        (["--help"], 0, set()),
        (["run", "experiment=wet_bulb", "score.points=0"], 2, {"hydra"}),
    ],
)
def test_nothing_heavy_is_waited_for(arguments: list[str], status: int, needed: set[str]) -> None:
    code = (
        f"import sys; from distill import cli; assert cli.main({arguments}) == {status}; "
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]; "
        f"assert set(loaded) == {needed}, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_every_command() -> None:
    done = run("--help")
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "run"])
def test_every_command_tells_its_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == 0
    assert f"usage: distill {command}" in capsys.readouterr().out


def test_an_unknown_command_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rnu"]) == 2
    assert "did you mean `run`?" in capsys.readouterr().err


def test_an_unknown_key_of_a_small_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ui", "ports=1"]) == 2
    assert "did you mean `port`?" in capsys.readouterr().err


def test_a_mistake_of_ours_is_said_to_be_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: list[str]) -> int:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(COMMANDS, "doctor", Command("", "", broken))
    assert cli.main(["doctor"]) == BUG
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "a mistake of distill" in error
    file = Path(error.split("where: ")[1].splitlines()[0])
    assert "ZeroDivisionError" in file.read_text()
    file.unlink()


def test_ctrl_c_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "doctor", Command("", "", stopped))
    assert cli.main(["doctor"]) == INTERRUPTED
    assert "goes on from here" in capsys.readouterr().err


def test_list_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    text = capsys.readouterr().out
    for name in ("wet_bulb", "operon", "polynomial", "pic32", "host"):
        assert name in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "tolerence=1"], "did you mean `tolerance`?"),
        (["run", "+domain.variables.d={low: 1, high: 2, unit: kg/m^3}"], "put quotes around"),
        (["run", "engine=opron"], "opron"),
        (["run", "sampling.pionts=3"], "did you mean `sampling.points`?"),
        (["run", "tolerance=0"], "larger than 0"),
        (["run", "tolerance=-2"], "larger than 0"),
        (["run", "target=z80"], "z80"),
        (["run", "teacher=torch"], "teacher.source"),
        (["run", "teacher=torch", "teacher.source=missing.safetensors"], "missing.safetensors"),
        (["run", "teacher.source=wet_bulbs"], "wet_bulb"),
        (["export"], "which candidate?"),
        (["run", "score.points=-1"], "score.points"),
    ],
)
def test_a_wrong_override_costs_no_traceback(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_this_machine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("run", "tracking=off", "root=file/studies", cwd=tmp_path)
    assert done.returncode == 3
    assert "root=FOLDER" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_down_costs_the_logging_only(tmp_path: Path) -> None:
    small = [
        "engine=polynomial", "engine.options.max_terms=3", "engine.rounds=1", "score=quick",
        "score.points=2000", "target=host", "export.verify=false", "engine.keep=10",
    ]  # fmt: skip
    done = run("run", *small, "tracking.uri=http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "the study is complete, but not in MLflow" in done.stderr
    assert "distill sync" in done.stderr
    assert (tmp_path / "build/wet_bulb/host/wet_bulb.c").exists()
    later = run("sync", cwd=tmp_path)
    assert later.returncode == 0, later.stderr
    assert "1 study logged." in later.stdout
