"""What Hydra may import and call: a list, held against every config before Hydra acts on it.

Hydra instantiates callbacks, launcher, sweeper and logging handlers from the config, imports
packages of its search path, and unpickles a file for one of its flags; most of that happens before
it calls us. It has no hook in between, so the loader it composes with is replaced by one that
checks what it has composed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from typing import Any

import hydra._internal.hydra as hydra_start
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from distill.errors import ConfigError

TARGETS: dict[str, tuple[str, ...]] = {
    "hydra.sweeper._target_": (
        "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
        "hydra_plugins.distill_sweeper.DistillSweeper",
    ),
    "hydra.launcher._target_": (
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
        "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
        "hydra_plugins.distill_slurm.SlurmLauncher",
    ),
}
"""All that may be instantiated, by the key that names it."""

ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES",
    "JULIA_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
"""Variables that a config may set: others, as PATH, decide which programs are started."""

_INSTANTIATED = ("hydra.sweeper", "hydra.launcher", "hydra.callbacks")
_LOGGING = ("hydra.job_logging", "hydra.hydra_logging")


class Refusal(SystemExit):
    """Ends Hydra, which would print any other error as its own."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(error.exit_code)
        self.error = error


class CheckedLoader(ConfigLoaderImpl):
    """Composes configs as Hydra does, and lets none pass that names what is not on the list."""

    def __init__(self, config_search_path: Any) -> None:
        for place in config_search_path.get_path():
            if place.provider == "main":
                _check_place(str(place.path), "--config-path")
        super().__init__(config_search_path)

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Compose and check.

        Raises
        ------
        Refusal : naming the key.
        """
        for place in self._search_path_of(config_name, overrides):
            _check_place(str(place), "config key `hydra.searchpath`")
        config = super().load_configuration(
            config_name, overrides, run_mode, from_shell, validate_sweep_overrides
        )
        try:
            check_composed(config)
        except ConfigError as error:
            raise Refusal(error) from None
        return config

    def _search_path_of(self, config_name: str | None, overrides: Sequence[str]) -> list[Any]:
        """Where Hydra will look besides: it goes there before there is a config to check."""
        given: list[Any] = [
            override.value()
            for override in OverridesParser.create().parse_overrides(list(overrides))
            if override.get_key_element() == "hydra.searchpath"
        ]
        if config_name is not None and (primary := self.repository.load_config(config_name)):
            given.append(OmegaConf.select(primary.config, "hydra.searchpath"))
        # Anything but a list is refused by Hydra.
        return [p for places in given if isinstance(places, MutableSequence) for p in places]


@contextmanager
def checked_hydra(arguments: Sequence[str]) -> Iterator[None]:
    """Have Hydra compose with :class:`CheckedLoader` in this block.

    Raises
    ------
    Refusal : for a flag that has Hydra unpickle a file, and for what the loader refuses.
    """
    known, _ = get_args_parser().parse_known_args(list(arguments))
    if known.experimental_rerun is not None:
        raise Refusal(
            ConfigError(
                "--experimental-rerun is not taken: it unpickles a file, which can run any code.",
                where="command line",
                hint="repeat the command itself; finished stages are kept.",
            )
        )
    names = vars(hydra_start)
    before = names["ConfigLoaderImpl"]
    names["ConfigLoaderImpl"] = CheckedLoader
    try:
        yield
    finally:
        names["ConfigLoaderImpl"] = before


def check_composed(config: DictConfig) -> None:
    """Refuse a composed config that names what is not on the list.

    Raises
    ------
    ConfigError : naming the key, and what is allowed there.
    """
    named = dict(_targets(OmegaConf.to_container(config, resolve=False)))
    # Hydra resolves these when it instantiates them; an interpolation may stand for a whole node.
    for key in _INSTANTIATED:
        named |= _targets(_resolved(config, key), f"{key}.")
    for key, target in named.items():
        allowed = TARGETS.get(key, ())
        if target not in allowed:
            raise ConfigError(
                f"`{target}` is not among what may be instantiated.",
                where=f"config key `{key}`",
                hint=f"allowed: {', '.join(allowed)}." if allowed else "remove the key.",
            )
    for key in _LOGGING:
        logging = OmegaConf.select(config, key)
        if logging is not None and logging.get("root") is not None:
            raise ConfigError(
                "Hydra's own logging would import what its config names.",
                where=f"config key `{key}`",
                hint=f"{key.replace('.', '/')}=none; `--json` and MLflow have what a run tells.",
            )
    for name in _resolved(config, "hydra.job.env_set") or {}:
        if name not in ENVIRONMENT:
            raise ConfigError(
                f"the environment variable `{name}` cannot be set by a config.",
                where="config key `hydra.job.env_set`",
                hint=f"set it in your shell. Allowed here: {', '.join(ENVIRONMENT)}.",
            )


def _targets(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every ``_target_`` of a nested config, by its dotted key."""
    children: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        children = enumerate(node)
    for key, value in children:
        if key == "_target_":
            yield f"{path}{key}", value
        else:
            yield from _targets(value, f"{path}{key}.")


def _resolved(config: DictConfig, key: str) -> Any:
    try:
        node = OmegaConf.select(config, key)
        return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"it cannot be resolved: {reason}.", where=f"config key `{key}`"
        ) from None


def _check_place(path: str, where: str) -> None:
    scheme, mark, _ = path.partition("://")
    if mark and scheme != "file" and path != "pkg://hydra.conf":
        raise Refusal(
            ConfigError(
                f"`{path}` is no folder: a package would be imported for it.",
                where=where,
                hint="give a folder, as in --config-dir=FOLDER.",
            )
        )
