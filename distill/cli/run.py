"""``distill run``: Hydra composes the config, the commands do the rest."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from distill.cli.bug import report_bug
from distill.cli.command import print_error
from distill.cli.voices import Manner, manner_of, voice_of
from distill.errors import BUG, ConfigError, DistillError


def run(arguments: list[str]) -> int:
    """Distill one teacher, or sweep with ``-m``. Hydra composes the config."""
    manner, arguments = manner_of(arguments)
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

        job = HydraConfig.get()
        try:
            with voice_of(manner, "run", job.job.num if sweep else None) as voice:
                varied = [o for o in job.overrides.task if not o.startswith("sweep=")]
                commands.run_and_show(read_config(composed), varied if sweep else [], voice)
        except DistillError as error:
            failures.append(error.exit_code)
            if not sweep:
                print_error(f"distill: {error}")
                raise SystemExit(error.exit_code) from None
            # Hydra runs the other jobs and shows this text without a traceback.
            raise CompactHydraException(str(error)) from None
        except Exception as error:
            report_bug()
            failures.append(BUG)
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
        if failures:
            return failures[0]
        # Hydra itself leaves with 1 after it has told what is wrong with an override.
        _suggest_keys(arguments)
        return _refused(manner)
    finally:
        sys.argv = given
    return 0


def _refused(manner: Manner) -> int:
    """A program gets a result even where Hydra started nothing."""
    error = ConfigError("Hydra stopped; the standard error output says why.", where="command line")
    with suppress(ConfigError), voice_of(manner, "run"):
        raise error
    return error.exit_code


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
