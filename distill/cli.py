"""The command line: one small function a command; heavy rooms are imported by the one that runs."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from distill.errors import ConfigError, DistillError

BUG = 70
"""Exit code for a mistake of ours (EX_SOFTWARE of sysexits.h)."""

INTERRUPTED = 130
"""Exit code after Ctrl-C (128 + SIGINT)."""

HELP = """\
distill: from a trained model that is too large for the chip to a formula that is not.

usage: distill COMMAND [KEY=VALUE ...]

commands
{commands}

start here
  distill run                                    distill the shipped teacher for a PIC32
  distill run teacher=torch teacher.source=net.safetensors tolerance=0.5
  distill run teacher=function teacher.source=mymodel:predict domain=box \\
      '+domain.variables.speed={{low: 0, high: 120, unit: km/h}}'
  distill run -m engine=operon,polynomial sampling.points=256,1024
  distill ui                                     compare the candidates in MLflow
  distill export run=RUN_ID target=host          the C of the candidate you chose there

Every key has a comment in conf/ and every stage keeps its result: a repeated command reuses what
did not change, an interrupted one goes on where it was.

exit codes: 0 done; 2 your input; 3 this machine (disk, compiler, MLflow); 70 our bug; 130 Ctrl-C
"""


@dataclass(frozen=True)
class Command:
    """One command: what it does, its usage, and the function that does it."""

    summary: str
    usage: str
    run: Callable[[list[str]], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; errors become text, never tracebacks."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        lines = [f"  {name:<8} {command.summary}" for name, command in COMMANDS.items()]
        print_text(HELP.format(commands="\n".join(lines)))
        return 0
    if arguments[0] == "--version":
        from distill import __version__

        print_text(f"distill {__version__}\n")
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        return _tell(_unknown("command", arguments[0], list(COMMANDS)))
    rest = arguments[1:]
    if rest and rest[0] in {"-h", "--help"} and arguments[0] != "run":
        print_text(f"usage: distill {command.usage}\n\n{command.summary}\n")
        return 0
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return command.run(rest)
    except DistillError as error:
        return _tell(error)
    except KeyboardInterrupt:
        print_error("\nstopped. Nothing is lost: the same command goes on from here.")
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception:
        return _bug()


def print_text(text: str) -> None:
    """Write to the standard output."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_error(text: str) -> None:
    """Write a line to the standard error output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(error: DistillError) -> int:
    print_error(f"distill: {error}")
    return error.exit_code


def _unknown(what: str, name: str, known: list[str]) -> ConfigError:
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return ConfigError(
        f"`{name}` is not a {what}.",
        where="command line",
        hint=(f"did you mean `{close[0]}`? " if close else "") + f"Known: {', '.join(known)}.",
    )


def _bug() -> int:
    with tempfile.NamedTemporaryFile(
        "w", prefix="distill-bug-", suffix=".txt", delete=False
    ) as file:
        file.write(f"arguments: {sys.argv[1:]}\n\n{traceback.format_exc()}")
    last = traceback.format_exc().strip().splitlines()[-1]
    print_error(
        f"distill: this is a mistake of distill, not yours: {last}\n"
        f"  where: {file.name}\n"
        "  next:  please report it with that file. Finished stages are kept."
    )
    return BUG


def _run(arguments: list[str]) -> int:
    """Distill one teacher, or sweep with ``-m``. Hydra composes the config."""
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import CompactHydraException
    from omegaconf import DictConfig

    from distill.config import conf_directory, read_config

    sweep = bool({"-m", "--multirun"} & set(arguments))
    if sweep and not any(a.startswith("sweep=") for a in arguments):
        arguments = [*arguments, f"sweep={time.strftime('%Y-%m-%d_%H-%M-%S')}"]
    failures: list[int] = []

    def job(composed: DictConfig) -> None:
        from distill import commands

        try:
            varied = HydraConfig.get().overrides.task if sweep else []
            commands.run_and_show(
                read_config(composed), [o for o in varied if not o.startswith("sweep=")]
            )
        except DistillError as error:
            failures.append(error.exit_code)
            if not sweep:
                print_error(f"distill: {error}")
                raise SystemExit(error.exit_code) from None
            # Hydra runs the other jobs and shows this text without a traceback.
            raise CompactHydraException(str(error)) from None
        except Exception as error:
            failures.append(_bug())
            if not sweep:
                raise SystemExit(failures[-1]) from None
            raise CompactHydraException(f"{type(error).__name__}: {error}") from None

    start = hydra.main(version_base="1.3", config_path=str(conf_directory()), config_name="config")
    given, sys.argv = sys.argv, ["distill run", *arguments]
    try:
        start(job)()
    except SystemExit as stop:
        if stop.code in {None, 0}:
            return 0
        # Hydra itself leaves with 1 after it has told what is wrong with an override.
        if not failures:
            _suggest_keys(arguments)
        return failures[0] if failures else 2
    finally:
        sys.argv = given
    return 0


def _suggest_keys(arguments: list[str]) -> None:
    """Say what cannot be read, or which key was probably meant by one that does not exist."""
    import difflib

    from hydra import compose, initialize_config_dir
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    from distill.config import conf_directory
    from distill.overrides import keys_of

    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        composed = OmegaConf.to_container(compose("config"))
    assert isinstance(composed, dict)
    known = keys_of({str(key): value for key, value in composed.items()})
    parser = OverridesParser.create()
    for argument in [a for a in arguments if not a.startswith("-")]:
        try:
            parser.parse_override(argument)
        except HydraException:
            print_error(
                f"distill: `{argument}` cannot be read.\n"
                "  next:  put quotes around text with signs in it, as in unit: 'kg/m^3'."
            )
        key, equals, _ = argument.partition("=")
        close = difflib.get_close_matches(key, known, 1)
        if equals and key not in known and not key.startswith(("+", "~")) and close:
            print_error(f"distill: `{key}` is not a key; did you mean `{close[0]}`?")


def _options(arguments: list[str], defaults: dict[str, str]) -> dict[str, str]:
    """``key=value`` arguments of the small commands."""
    options = dict(defaults)
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in options:
            raise _unknown("key of this command", key, list(defaults))
        options[key] = value
    return options


def _export(arguments: list[str]) -> int:
    """Write the bundle of a candidate that a person chose in MLflow."""
    from distill import commands

    own = {"run": "", "root": "studies", "uri": ""}
    mine = [a for a in arguments if a.partition("=")[0] in own]
    options = _options(mine, own)
    if not options["run"]:
        raise ConfigError(
            "which candidate?",
            where="command line",
            hint="distill export run=RUN_ID; MLflow shows the id on the candidate's page.",
        )
    commands.export_run(
        options["run"],
        root=Path(options["root"]),
        uri=options["uri"] or None,
        overrides=[a for a in arguments if a not in mine],
    )
    return 0


def _ui(arguments: list[str]) -> int:
    """Open MLflow on the candidates."""
    from distill import commands

    options = _options(arguments, {"root": "studies", "uri": "", "port": "5000", "open": "false"})
    if not options["port"].isdecimal() or not 0 < int(options["port"]) < 65536:
        raise ConfigError(f"`{options['port']}` is no port.", where="port", hint="1 to 65535.")
    commands.open_ui(
        Path(options["root"]),
        options["uri"] or None,
        int(options["port"]),
        browser=options["open"] == "true",
    )
    return 0


def _log(arguments: list[str]) -> int:
    """Log what is on disk and not in MLflow yet."""
    from distill import commands

    options = _options(arguments, {"root": "studies", "uri": ""})
    from distill.terminal import Terminal

    with Terminal() as progress:
        count = commands.log_left(Path(options["root"]), options["uri"] or None, progress)
    print_text(f"{count} {'study' if count == 1 else 'studies'} logged.\n")
    return 0


def _doctor(arguments: list[str]) -> int:
    """What this machine has, and what each missing thing would give."""
    from distill.config import options_of, read_option
    from distill.firmware.doctor import examine
    from distill.firmware.target import load_target

    _options(arguments, {})
    targets = [load_target(read_option("target", name)) for name in options_of("target")]
    for finding in examine(targets):
        mark = "✓" if finding.found else "✗"
        print_text(f"  {mark} {finding.name:<22} {finding.detail}\n")
        if not finding.found:
            print_text(f"    {'':<22} gives: {finding.gives}\n")
    return 0


def _check(arguments: list[str]) -> int:
    """Verify a certificate, box by box, without trusting what wrote it."""
    from distill.checking.check import cores
    from distill.checking.command import check_file
    from distill.checking.leaf import BUDGET

    plain = _joined(arguments)
    files = [a for a in plain if "=" not in a]
    if len(files) != 1:
        raise ConfigError(
            "which certificate?" if not files else f"{len(files)} files are given, not one.",
            where="command line",
            hint="distill check build/wet_bulb/certificate.json",
        )
    given = {"teacher": "", "jobs": str(cores()), "budget": str(BUDGET)}
    options = _options([a for a in plain if "=" in a], given)
    for key in ("jobs", "budget"):
        if not options[key].isdecimal() or not 0 < int(options[key]) < 10**9:
            raise ConfigError(f"`{options[key]}` is no count.", where=key, hint="1 or more.")
    verdict = check_file(
        Path(files[0]),
        teacher=options["teacher"],
        jobs=int(options["jobs"]),
        budget=int(options["budget"]),
    )
    print_text(verdict)
    return 0


def _joined(arguments: list[str]) -> list[str]:
    """``--key value`` and ``--key=value`` as ``key=value``."""
    joined: list[str] = []
    left = iter(arguments)
    for argument in left:
        key = argument.removeprefix("--")
        bare = argument.startswith("--") and "=" not in argument
        joined.append(f"{key}={next(left, '')}" if bare else key)
    return joined


def _list(arguments: list[str]) -> int:
    """Teachers, engines and targets with one line each."""
    from distill.catalogue import CATALOGUE

    wanted = arguments or list(CATALOGUE)
    for name in wanted:
        if name not in CATALOGUE:
            raise _unknown("list", name, list(CATALOGUE))
        print_text(f"{name}\n")
        for entry in CATALOGUE[name]():
            print_text(f"  {entry.name:<16} {entry.description}\n")
            for option in entry.options:
                print_text(f"    {'':<14} {option}\n")
    return 0


COMMANDS: dict[str, Command] = {
    "run": Command(
        "sample, fit, score, measure, select, export, verify, and log to MLflow",
        "run [-m] [GROUP=OPTION ...] [KEY=VALUE ...]",
        _run,
    ),
    "export": Command(
        "write the C of the candidate with this MLflow run id",
        "export run=RUN_ID [target=TARGET] [export.KEY=VALUE ...] [root=FOLDER] [uri=MLFLOW]",
        _export,
    ),
    "check": Command(
        "verify the proven bound in a certificate.json, box by box",
        "check FILE [teacher=NAME|FILE] [jobs=N] [budget=N]",
        _check,
    ),
    "ui": Command(
        "open MLflow on the candidates",
        "ui [port=5000] [open=true] [root=FOLDER] [uri=MLFLOW]",
        _ui,
    ),
    "log": Command(
        "log studies that are on disk but not in MLflow yet",
        "log [root=FOLDER] [uri=MLFLOW]",
        _log,
    ),
    "doctor": Command("what this machine has, and what is missing", "doctor", _doctor),
    "list": Command(
        "shipped teachers, engines and targets", "list [teachers] [engines] [targets]", _list
    ),
}

if __name__ == "__main__":
    sys.exit(main())
