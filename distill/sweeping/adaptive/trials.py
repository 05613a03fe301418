"""The trials that all workers of a sweep share, in a storage of Optuna.

The processes of a sweep see one folder, so locks in it say who is alive: a trial is held by the
worker that does it, and the operating system drops the lock of a worker that dies. The trial is
then taken up by the next worker as it is, with its number, so that its job goes on where it was.
No clock decides, whatever the storage.

A trial enters the storage with all its values at once. They are drawn in a study in memory, from
the finished trials and a seed of the trial's own: so a sweep that was interrupted goes on as it
would have, workers never draw alike, and what was drawn twice is drawn again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.distributions import distribution_to_json
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from distill.config.schema import PruningConfig
from distill.errors import ConfigError
from distill.sweeping.adaptive.objectives import OBJECTIVES, outcome
from distill.sweeping.adaptive.pruning import pruner_of
from distill.sweeping.adaptive.space import Space
from distill.sweeping.record import JobRecord

TOLERANCE = "tolerance"
"""The constraint that a trial breaks when none of its formulas is good enough."""

SEARCH = "search"
"""Where a study says what it searches for."""

BEGINS = "begins"
"""Where a trial says in which session it was begun, and how often there."""

FEWEST, FIRST = 5, 10
"""So many trials are drawn at random before any is drawn from what those came to: a quarter of all
within these limits."""

DRAWS = 16
"""So often the sampler may draw what was tried before it has to be something at random."""

RANDOM_DRAWS = 1000
"""So many times what was tried is drawn at random before the space counts as searched."""


@dataclass(frozen=True)
class Search:
    """What is searched for: where, the objectives by name, in how many trials, with which seed."""

    space: Space
    objectives: tuple[str, ...]
    trials: int
    seed: int
    pruning: PruningConfig


@dataclass(frozen=True)
class Held:
    """A trial that this worker does until its lock is released."""

    number: int
    values: dict[str, Any]
    lock: FileLock


class Trials:
    """The trials of one sweep; ``folder`` holds the locks, and all workers see it.

    Raises
    ------
    ConfigError : when the sweep of that name searches elsewhere or for something else.
    """

    def __init__(self, search: Search, storage: BaseStorage, name: str, folder: Path) -> None:
        self._search, self._folder = search, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._turn = FileLock(folder / "turn.lock")
        with self._turn:
            studies = {study.study_name for study in storage.get_all_studies()}
            if name in studies:
                _check_same(optuna.load_study(study_name=name, storage=storage), search)
            self.study = optuna.create_study(
                storage=storage,
                study_name=name,
                directions=[OBJECTIVES[each].direction for each in search.objectives],
                load_if_exists=True,
            )
            self.study.set_user_attr(SEARCH, _described(search))
            self.curves = optuna.create_study(
                storage=storage,
                study_name=f"{name}: curves",
                pruner=pruner_of(search.pruning),
                load_if_exists=True,
            )

    def take(self, session: str, attempts: int, ended: Collection[int]) -> Held | None:
        """The next trial to do: one whose worker died, else a new one; None when all are asked.

        A trial that was begun ``attempts`` times in this session, or whose job has ``ended``
        without an answer, is left to the next one.
        """
        with self._turn:
            for trial in self._running(ended):
                if _begins(trial, session) >= attempts:
                    continue
                if lock := self._locked(trial.number):
                    begins = [session, _begins(trial, session) + 1]
                    _opened(self.study, trial.number).set_user_attr(BEGINS, begins)
                    return Held(trial.number, trial.params, lock)
            number = len(_trials(self.study))
            values = None if number >= self._search.trials else self._drawn(number)
            if values is None:
                return None
            lock = self._locked(number)
            assert lock is not None
            self.study.add_trial(
                create_trial(
                    state=TrialState.RUNNING,
                    params=values,
                    distributions=dict(self._search.space.axes),
                    user_attrs={BEGINS: [session, 1]},
                )
            )
            return Held(number, values, lock)

    def left(self, session: str, attempts: int, ended: Collection[int]) -> int:
        """How often trials may be begun still: those that are to be asked, and those that died."""
        wanted = int(min(self._search.trials, self._search.space.size))
        begins = [_begins(trial, session) for trial in self._running(ended)]
        again = sum(max(0, attempts - times) for times in begins)
        return again + attempts * max(0, wanted - len(_trials(self.study)))

    def elsewhere(self, session: str, ended: Collection[int]) -> bool:
        """Whether any trial was begun last in another session, and its job has not ended."""
        return any(trial.user_attrs[BEGINS][0] != session for trial in self._running(ended))

    def running(self) -> list[int]:
        """The numbers of the trials that were begun and have no answer."""
        return [trial.number for trial in self._running(())]

    def _running(self, ended: Collection[int]) -> list[FrozenTrial]:
        running = (t for t in _trials(self.study) if t.state == TrialState.RUNNING)
        return [trial for trial in running if trial.number not in ended]

    def curve(self, number: int) -> Trial:
        """The curve of a trial's search: the trial of the same number in a study of its own."""
        with self._turn:
            return self._curve(number)

    def tell(self, record: JobRecord) -> None:
        """A job has ended; one without all its objectives counts as failed."""
        number = record.job.number
        with self._turn:
            if _trials(self.study)[number].state.is_finished():
                return
            trial, curve = _opened(self.study, number), self._curve(number)
            drawn = _trials(self.curves)[number].intermediate_values
            reached = drawn[max(drawn)] if drawn else None
            verdict = _verdict(record, self._search.objectives, reached)
            if verdict.excess is not None:
                trial.set_constraint(TOLERANCE, verdict.excess)
            judged = verdict.state == TrialState.COMPLETE and reached is not None
            unjudged = TrialState.FAIL if verdict.state == TrialState.COMPLETE else verdict.state
            self.curves.tell(
                curve,
                reached if judged else None,
                state=TrialState.COMPLETE if judged else unjudged,
                skip_if_finished=True,
            )
            self.study.tell(number, verdict.values, state=verdict.state)

    def _drawn(self, number: int) -> dict[str, Any] | None:
        """Values for a new trial that were not tried; None when there are none left."""
        space, before = self._search.space, _trials(self.study)
        tried = {space.overrides(trial.params) for trial in before}
        if len(tried) >= space.size:
            return None
        draft = optuna.create_study(directions=self.study.directions)
        draft.add_trials(before)
        for sampler, draws in self._samplers(number):
            draft.sampler = sampler
            for _ in range(draws):
                trial = draft.ask(dict(space.axes))
                if space.overrides(trial.params) not in tried:
                    return trial.params
                draft.tell(trial, state=TrialState.FAIL)
        return None

    def _samplers(self, number: int) -> list[tuple[BaseSampler, int]]:
        """Who draws the values of a trial, and how often at most.

        TPE over all keys together, for one objective as for several: of 40 trials it found a larger
        front than over each key alone, and than NSGA-II, which breeds from generations of dozens.
        """
        seed = int(np.random.SeedSequence([self._search.seed, number]).generate_state(1)[0])
        first = max(FEWEST, min(FIRST, self._search.trials // 4))
        return [
            (TPESampler(seed=seed, n_startup_trials=first, multivariate=True), DRAWS),
            (RandomSampler(seed=seed), RANDOM_DRAWS),
        ]

    def _locked(self, number: int) -> FileLock | None:
        """The lock of a trial; None when another worker holds it."""
        lock = FileLock(self._folder / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

    def _curve(self, number: int) -> Trial:
        for _ in range(len(_trials(self.curves)), number + 1):
            self.curves.ask()
        return _opened(self.curves, number)


@dataclass(frozen=True)
class _Verdict:
    """What Optuna is told of a trial; ``excess`` is by how much it breaks the tolerance."""

    state: TrialState
    values: tuple[float, ...] | None = None
    excess: float | None = None


def _verdict(record: JobRecord, objectives: Sequence[str], reached: float | None) -> _Verdict:
    """``reached`` is the best error of the search, in tolerances."""
    if record.status == "pruned" and reached is not None:
        # The sampler takes it as one that ended so far beyond the tolerance.
        return _Verdict(TrialState.PRUNED, excess=reached - 1)
    came = outcome(record, objectives)
    if came.values is not None:
        return _Verdict(TrialState.COMPLETE, came.values, came.excess)
    return _Verdict(TrialState.FAIL)


def _trials(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False)


def _begins(trial: FrozenTrial, session: str) -> int:
    """How often a trial was begun in a session."""
    last, times = trial.user_attrs[BEGINS]
    return int(times) if last == session else 0


def _opened(study: Study, number: int) -> Trial:
    """A trial that perhaps another process began, to be written to."""
    return Trial(study, _trials(study)[number]._trial_id)


def _described(search: Search) -> dict[str, Any]:
    axes = {key: json.loads(distribution_to_json(d)) for key, d in search.space.axes.items()}
    return {"space": axes, "objectives": list(search.objectives)}


def _check_same(study: Study, search: Search) -> None:
    before, now = study.user_attrs.get(SEARCH), _described(search)
    if before is None or before == now:
        return
    differs = "objectives" if before["space"] == now["space"] else "values"
    raise ConfigError(
        f"the sweep that has this name searched with other {differs}.",
        where="config key `sweep.name`",
        hint="give the new one another sweep.name, or leave that out.",
    )
