"""The study that the words of a job compose to."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig

from distill.config.schema import StudyConfig, read_config
from distill.errors import ConfigError


def study_of(context: HydraContext, config: DictConfig, words: Sequence[str]) -> StudyConfig:
    """The study of a job, composed as Hydra composes a run.

    Raises
    ------
    ConfigError : for words that do not fit together, and naming the key of a wrong value.
    """
    try:
        composed = context.config_loader.load_sweep_config(config, list(words))
    except HydraException as error:
        reasons = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ConfigError(
            f"{reasons[0].rstrip('.')}.",
            where="command line",
            hint="a key that only some options have cannot be set for all of them.",
        ) from error
    return read_config(composed)
