"""Ending searches that are hopeless beside the others."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest

from distill.config.schema import PruningConfig
from distill.progress import OUTPUT, Best, Silent
from distill.sweeping.adaptive.pruning import STEPS, Watched, pruner_of
from distill.sweeping.source import Hopeless

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Drawn:
    """A curve that is looked at; hopeless from a step on."""

    def __init__(self, hopeless_from: float = math.inf) -> None:
        self.values: dict[int, float] = {}
        self._hopeless_from = hopeless_from

    def report(self, value: float, step: int) -> None:
        assert step not in self.values
        self.values[step] = value

    def should_prune(self) -> bool:
        return max(self.values, default=0) >= self._hopeless_from


class Voice(Silent):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def advance(self, fraction: float | None, text: str) -> None:
        self.told.append(fraction)

    def front(self, best: Any) -> None:
        self.told.append(best[-1].error)

    def result(self, result: Any) -> None:
        self.told.append(result)

    def __enter__(self) -> Voice:
        return self

    def __exit__(self, *error: object) -> None:
        self.told.append(error[0])


def best(error: float) -> list[Best]:
    return [Best(1, 10 * error, "x"), Best(5, error, "x + y")]


def test_the_curve_is_the_best_error_in_tolerances_by_twentieths_of_the_search() -> None:
    curve = Drawn()
    watched = Watched(Voice(), curve, tolerance=0.5)
    watched.begin("sample", "")
    watched.front(best(0.1))
    watched.advance(0.9, "another stage")
    watched.end("sample", "", reused=False)
    watched.begin("fit", "")
    watched.advance(0.06, "nothing was found yet")
    watched.front(best(4.0))
    watched.advance(0.1, "")
    watched.front(best(2.0))
    watched.advance(0.149, "")
    watched.advance(None, "")
    watched.advance(0.31, "")
    assert curve.values == {2: 8.0, 3: 4.0, 4: 4.0, 5: 4.0, 6: 4.0}
    watched.front(best(1.0))
    watched.end("fit", "", reused=False)
    assert curve.values == {2: 8.0, **dict.fromkeys(range(3, 7), 4.0),
                            **dict.fromkeys(range(7, STEPS + 1), 2.0)}  # fmt: skip


def test_a_kept_search_has_no_curve() -> None:
    curve = Drawn(0)
    watched = Watched(Voice(), curve, 0.5)
    watched.end("fit", "", reused=True)
    watched.begin("score", "")
    watched.advance(0.5, "")
    assert curve.values == {}


def test_outputs_follow_each_other_on_one_curve() -> None:
    curve = Drawn()
    watched = Watched(Voice(), curve, 1.0)
    for error in (3.0, 2.0):
        watched.begin(OUTPUT, "")
        watched.begin("fit", "")
        watched.front(best(error))
        watched.advance(0.1, "")
        watched.end("fit", "", reused=False)
    assert curve.values == {
        **dict.fromkeys(range(1, STEPS + 1), 3.0),
        **dict.fromkeys(range(STEPS + 1, 2 * STEPS + 1), 2.0),
    }


def test_a_hopeless_search_ends_and_says_where_it_was() -> None:
    watched = Watched(Voice(), Drawn(5), 0.5)
    watched.begin("fit", "")
    watched.front(best(3.0))
    watched.advance(0.24, "")
    with pytest.raises(Hopeless, match=r"after 26% of its search.*off by 3"):
        watched.advance(0.26, "")


def test_what_has_reached_the_tolerance_is_never_ended() -> None:
    watched = Watched(Voice(), Drawn(0), 0.5)
    watched.begin("fit", "")
    watched.front(best(0.5))
    watched.advance(0.9, "")


def test_the_voice_hears_everything() -> None:
    voice = Voice()
    with Watched(voice, Drawn(), 1.0) as watched:
        watched.begin("fit", "")
        watched.front(best(2.0))
        watched.advance(0.5, "")
        watched.result("result")  # type: ignore[arg-type]
    assert voice.told == [2.0, 0.5, "result", None]


def searched(study: optuna.Study, errors: list[float]) -> float:
    """A search with these errors, evenly spread; gives the part of it that was done."""
    trial = study.ask()
    watched = Watched(Voice(), trial, 1.0)
    watched.begin("fit", "")
    for number, error in enumerate(errors, 1):
        watched.front(best(error))
        try:
            watched.advance(number / len(errors), "")
        except Hopeless:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return number / len(errors)
    watched.end("fit", "", reused=False)
    study.tell(trial, errors[-1])
    return 1.0


@pytest.mark.parametrize(
    ("rule", "parts"), [("median", [1, 1, 1, 1, 0.4, 0.6, 1]), ("none", [1] * 7)]
)
def test_the_median_judges_after_the_first_trials_and_the_first_part(
    rule: str, parts: list[float]
) -> None:
    study = optuna.create_study(pruner=pruner_of(PruningConfig(rule, trials=4, fraction=0.35)))
    middle = [9.0, 8.0, 7.0, 6.0, 5.0]
    ends = [searched(study, middle) for _ in range(4)]
    ends.append(searched(study, [20.0] * 5))  # bad from the beginning
    ends.append(searched(study, [9.0, 8.0, 8.0, 8.0, 8.0]))  # stays behind later
    ends.append(searched(study, [20.0, 1.0, 1.0, 1.0, 1.0]))  # catches up in time
    assert ends == parts
