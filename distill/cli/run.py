"""``distill run``: Hydra composes the config, the commands do the rest."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distill.cli.bug import report_bug
from distill.cli.command import print_error
from distill.cli.voices import Manner, manner_of, voice_of
from distill.errors import BUG, ConfigError, DistillError
from distill.interrupts import end_if_interrupted, not_lost

if TYPE_CHECKING:
    from hydra.types import HydraContext
    from omegaconf import DictConfig


def run(arguments: list[str]) -> int:
    """Distill one teacher, or sweep with ``-m``. Hydra composes the config."""
    manner, arguments = manner_of(arguments)
    return under_hydra(Run(manner), "run", arguments)


def under_hydra(task: Run, command: str, arguments: list[str]) -> int:
    """Have Hydra compose the config from the arguments and call the task; gives the exit code."""
    import hydra

    from distill.cli.hydra_door import Refusal, checked_hydra
    from distill.config.folder import conf_directory

    start = hydra.main(version_base="1.3", config_path=str(conf_directory()), config_name="config")
    given, sys.argv = sys.argv, [f"distill {command}", *arguments]
    try:
        with checked_hydra(arguments):
            start(task)()
    except Refusal as stop:
        return _told(stop.error, task.manner, command)
    except SystemExit as stop:
        if stop.code in {None, 0}:
            return 0
        if task.exit_code is None:
            end_if_interrupted()
            # Hydra itself leaves with 1 after it has told what is wrong with an override.
            _suggest_keys(arguments)
            error = ConfigError(
                "Hydra stopped; the standard error output says why.", where="command line"
            )
            return _to_program(error, task.manner, command)
    finally:
        sys.argv = given
    return task.exit_code or 0


@dataclass
class Run:
    """What Hydra calls: with the config of one study, or through its sweeper for a sweep.

    ``exit_code`` is None until one of them has ended.
    """

    manner: Manner
    exit_code: int | None = None

    def __call__(self, composed: DictConfig) -> None:
        """Do one study."""
        from distill.commands import running
        from distill.config.schema import read_config

        try:
            with voice_of(self.manner, "run") as voice, not_lost():
                running.run_and_show(read_config(composed), (), voice)
        except DistillError as error:
            self.leave(error)
        except Exception:
            self.leave_with_bug()
        self.exit_code = 0

    def sweep(self, context: HydraContext, config: DictConfig, arguments: list[str]) -> None:
        """Do every job that the arguments describe."""
        from distill.cli.voices import show_of
        from distill.sweeping.driver import sweep

        try:
            with not_lost():
                self.exit_code = sweep(context, config, arguments, show_of(self.manner))
        except KeyboardInterrupt as error:
            self._tell_program(error)
            raise
        except DistillError as error:
            self._tell_program(error)
            self.leave(error)
        except Exception as error:
            self._tell_program(error)
            self.leave_with_bug()

    def _tell_program(self, error: BaseException) -> None:
        """A program gets a result of the whole even where it did not come to its end."""
        with suppress(type(error)), voice_of(self.manner, "run"):
            raise error

    def leave(self, error: DistillError) -> None:
        """Say what was wrong, and end."""
        print_error(f"distill: {error}")
        self.exit_code = error.exit_code
        raise SystemExit(error.exit_code) from None

    def leave_with_bug(self) -> None:
        """Say that it is a mistake of ours, and end."""
        report_bug()
        self.exit_code = BUG
        raise SystemExit(BUG) from None


def _told(error: ConfigError, manner: Manner, command: str) -> int:
    print_error(f"distill: {error}")
    return _to_program(error, manner, command)


def _to_program(error: ConfigError, manner: Manner, command: str) -> int:
    """A program gets a result even where Hydra started nothing."""
    with suppress(ConfigError), voice_of(manner, command):
        raise error
    return error.exit_code


def _suggest_keys(arguments: list[str]) -> None:
    """Say what cannot be read, or which key was probably meant by one that does not exist."""
    import difflib

    from hydra import compose, initialize_config_dir
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    from distill.config.folder import conf_directory
    from distill.config.overrides import keys_of

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
