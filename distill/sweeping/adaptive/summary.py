"""What an adaptive sweep found: the front over its trials, and which keys made the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import TrialState

from distill.sweeping.adaptive.source import AdaptiveSource

LEAST_TRIALS = 20
"""Of fewer finished trials nobody can tell which keys matter."""

GOOD_TRIALS = 5
"""So many of the best trials are compared with all, or a tenth of them."""


@dataclass(frozen=True)
class Found:
    """What a sweep found, by the numbers of its jobs.

    Attributes
    ----------
    values : the objectives, in their order, of each job that has them.
    front : the jobs within the tolerance that no other beats in every objective.
    importance : what each key has to do with a job being good; together 1. Empty when unknown.
    """

    objectives: tuple[str, ...]
    values: Mapping[int, tuple[float, ...]]
    front: tuple[int, ...]
    importance: Mapping[str, float]


def found(source: AdaptiveSource) -> Found:
    """What a sweep found until now.

    Raises
    ------
    StorageError : when the storage cannot be used.
    """
    with source.storage_errors():
        study = source.trials.study
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return Found(
            objectives=source.search.objectives,
            values={trial.number: tuple(trial.values) for trial in done},
            front=tuple(sorted(trial.number for trial in study.best_trials)),
            importance=_importance(study, len(done)),
        )


def found_data(found: Found) -> dict[str, Any]:
    """The same for programs: ``docs/json-lines.md`` says what it means."""
    return {
        "objectives": list(found.objectives),
        "values": {str(number): list(values) for number, values in found.values.items()},
        "front": list(found.front),
        "importance": dict(found.importance),
    }


def _importance(study: Study, done: int) -> dict[str, float]:
    if done < LEAST_TRIALS:
        return {}
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(0.1, GOOD_TRIALS / done))
    return get_param_importances(study, evaluator=evaluator)
