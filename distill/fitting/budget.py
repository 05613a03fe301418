"""What of a search's budget the next round may spend, and what fitting its constants may."""

from __future__ import annotations

from distill.config.schema import EngineConfig
from distill.engines.base import Budget
from distill.fitting.rounds import Rounds
from distill.fitting.telling import SEARCHING, Telling


def share(config: EngineConfig, state: Rounds, news: Telling) -> Budget:
    """What the search of the next round may spend of what is left."""
    left = seconds_left(config, news)
    if left is not None:
        # After the last round there is no search, but constants are fitted once more.
        rounds = config.rounds - state.rounds + (1 - SEARCHING)
        return Budget(seconds=max(0.5, SEARCHING * left / rounds))
    assert config.evaluations is not None
    return Budget(evaluations=max(1, config.evaluations // config.rounds))


def seconds_of_fitting(config: EngineConfig, state: Rounds, news: Telling) -> float | None:
    """What fitting the constants of a round may spend of what is left after its search."""
    left = seconds_left(config, news)
    if left is None:
        return None
    return left * (1 - SEARCHING) / (config.rounds - state.rounds + 1 - 2 * SEARCHING)


def seconds_left(config: EngineConfig, news: Telling) -> float | None:
    """What is left of the whole search's seconds; None where evaluations are its budget."""
    return None if config.seconds is None else max(0.0, config.seconds - news.seconds)
