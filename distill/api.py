"""The Python front door: ``distill.distill`` and ``distill.export``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from distill.config.folder import read_option
from distill.config.rules import check_config
from distill.config.schema import (
    EngineConfig,
    SamplingConfig,
    ScoreConfig,
    SelectConfig,
    StudyConfig,
    TrackingConfig,
    plain,
    read_config,
)
from distill.delivery import shipping
from distill.domain import Domain
from distill.errors import ConfigError
from distill.firmware.bundle import Bundle
from distill.firmware.target import load_target
from distill.firmware.vector.bundle import VectorBundle
from distill.pipeline import all_outputs, one_output
from distill.progress import Progress, Silent
from distill.study.choice import Choice
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher


def distill(
    teacher: object,
    domain: Domain | None = None,
    *,
    tolerance: float,
    engine: str = "structure",
    seconds: float | None = None,
    evaluations: int | None = None,
    seed: int = 0,
    points: int = 2048,
    design: str | None = None,
    select: str = "cheapest",
    min_agreement: float | None = None,
    bound: str = "found",
    target: str | None = None,
    output: int | str = 0,
    questions: int | None = None,
    teacher_error: float | None = None,
    units: str = "off",
    constraints: Mapping[str, Any] | None = None,
    skeleton: str | None = None,
    options: Mapping[str, Any] | None = None,
    root: str | Path = "studies",
    progress: Progress | None = None,
) -> Study:
    """Find the cheapest formula within ``tolerance`` of a teacher.

    Parameters
    ----------
    teacher : whatever :func:`distill.load_teacher` accepts: a shipped name, a file, a torch
        module, a DataFrame, ``"package.module:function"``, or a function (n, d) -> (n,).
    domain : the inputs' box; None takes the teacher's own.
    tolerance : largest acceptable absolute error, in the output's unit.
    engine : ``distill list engines`` names them.
    seconds, evaluations : the search's budget, one of them; None of both takes the engine's own.
        With evaluations, which all but ``portfolio`` have, the same call gives the same formulas to
        the bit.
    seed : seed of the search.
    points, design : how many questions the engines see and how they are laid out; the design is
        ``sobol`` for teachers that can be asked, ``data`` for tables, ``exhaustive`` for domains
        of whole numbers.
    select : the rule that chooses: cheapest, knee, most_accurate, or agrees, the cheapest formula
        that gives a classifier's label at ``min_agreement`` (0 to 1) of the points.
    bound : what the rule takes for a formula's error: the largest ``found``, or the ``certified``
        one, which is proven; what nothing is proven about is then never chosen.
    target : measure costs on this target and choose by them; None chooses by complexity.
    output : which of the teacher's outputs, by number or name; :func:`distill_all` takes all.
    questions : how often the search may ask the teacher; None for any number, of a slow teacher as
        often as ``seconds`` allow.
    teacher_error : how far the teacher's answers are off, as a root mean square (noise, rounding,
        misfit); None estimates it.
    units : ``check`` drops formulas whose units do not fit those of domain and output.
    constraints : what formulas keep to: ``monotone`` maps variables to increasing or decreasing,
        ``bounds`` is a pair of numbers (None for no bound), ``operators_of`` maps variables to
        operators.
    skeleton : the form of the formula, such as ``"f(x)*exp(-c1*y)"``; for the engines
        ``structure``, ``pysr`` and ``portfolio``.
    options : options of the engine.
    root : folder that keeps results for reuse.
    progress : receives the news; None is silent.

    Raises
    ------
    DistillError : saying what was wrong, where, and what to do next.
    """
    config, loaded, box = _prepared(
        teacher,
        domain,
        {
            "tolerance": tolerance,
            "engine": engine,
            "seconds": seconds,
            "evaluations": evaluations,
            "seed": seed,
            "points": points,
            "design": design,
            "select": select,
            "min_agreement": min_agreement,
            "bound": bound,
            "target": target,
            "questions": questions,
            "teacher_error": teacher_error,
            "units": units,
            "constraints": constraints,
            "skeleton": skeleton,
            "options": options,
            "root": root,
        },
    )
    config.teacher.output = output
    return one_output.search(config, progress or Silent(), teacher=loaded, domain=box)


def distill_all(
    teacher: object,
    domain: Domain | None = None,
    *,
    progress: Progress | None = None,
    **wanted: Any,
) -> StudySet:
    """Find formulas of all outputs of a teacher, such as the scores of all classes.

    ``wanted`` is what :func:`distill` takes, but ``output``. :func:`export` makes one C function of
    the result.

    Raises
    ------
    DistillError : saying what was wrong, where, and what to do next.
    """
    defaults = {k: v for k, v in (distill.__kwdefaults__ or {}).items() if k != "output"}
    for key in set(wanted) - {"tolerance", *defaults}:
        close = difflib.get_close_matches(key, defaults, 1)
        raise ConfigError(
            f"`distill_all` takes no `{key}`.",
            hint=f"did you mean `{close[0]}`?" if close else f"allowed: {', '.join(defaults)}.",
        )
    if "tolerance" not in wanted:
        raise ConfigError(
            "the largest acceptable error is missing.", hint="give it: tolerance=0.1."
        )
    config, loaded, box = _prepared(teacher, domain, {**defaults, **wanted})
    return all_outputs.search_all(config, progress or Silent(), teacher=loaded, domain=box)


def _prepared(
    teacher: object, domain: Domain | None, wanted: Mapping[str, Any]
) -> tuple[StudyConfig, Teacher, Domain | None]:
    """The config that the arguments of :func:`distill` mean, the teacher, and its domain."""
    loaded = teacher if isinstance(teacher, Teacher) else load_teacher(teacher, domain=domain)
    box = domain or loaded.domain
    base = read_option("engine", wanted["engine"])
    budget = {key: wanted[key] for key in ("seconds", "evaluations")}
    if budget == {"seconds": None, "evaluations": None}:
        budget = {key: base[key] for key in budget}
    asked = {key: wanted[key] for key in ("seed", "questions", "teacher_error", "units")}
    select = read_option("select", wanted["select"])
    if wanted["min_agreement"] is not None:
        select["min_agreement"] = wanted["min_agreement"]
    select["bound"] = wanted["bound"]
    design = wanted["design"] or _design(loaded, box)
    config = StudyConfig(
        sampling=SamplingConfig(**read_option("sampling", design)),
        engine=EngineConfig(
            **{
                **base,
                **budget,
                **asked,
                "constraints": dict(wanted["constraints"] or {}),
                "skeleton": wanted["skeleton"],
                "options": {**base["options"], **(wanted["options"] or {})},
            }
        ),
        score=ScoreConfig(**read_option("score", "thorough")),
        select=SelectConfig(**select),
        target=read_option("target", wanted["target"]) if wanted["target"] else {},
        tracking=TrackingConfig(enabled=False),
        tolerance=wanted["tolerance"],
        root=str(wanted["root"]),
    )
    config.teacher.source = loaded.name
    if config.sampling.design not in {"exhaustive", "data"}:
        config.sampling.points = wanted["points"]
    check_config(config)
    return config, loaded, box


def _design(teacher: Teacher, domain: Domain | None) -> str:
    if not teacher.can_be_asked:
        return "data"
    return "exhaustive" if domain is not None and domain.discrete else "sobol"


def export(
    choice: Choice | StudySet | None,
    target: str,
    directory: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Bundle | VectorBundle:
    """Write the C of a chosen candidate for a target into ``directory``.

    ``choice`` is ``study.chosen`` or any other of ``study.choices``, or what :func:`distill_all`
    found, of which one C function with all outputs is made. Where its formula misses the
    study's tolerance the table answers. ``options`` are keys of ``export`` in the config, such as
    ``{"arithmetic": "auto"}``.

    Raises
    ------
    ConfigError : when there is no choice, or no such target.
    ExportError : when no table within ``export.table_bytes`` can make up for the formula.
    ToolchainError : when the C does not pass its verification.
    """
    if choice is None:
        raise ConfigError(
            "there is nothing to export: no candidate is within the tolerance.",
            where="study.chosen",
            hint="export one of study.choices (the table takes over where it misses the "
            "tolerance), widen the tolerance, or search longer.",
        )
    context = choice.context if isinstance(choice, StudySet) else choice.study
    settings = {**plain(context.config), "target": read_option("target", target)}
    settings["export"] = {**settings["export"], **(options or {})}
    config = read_config(OmegaConf.create(settings))
    chip, folder, news = load_target(config.target), Path(directory), progress or Silent()
    context = replace(context, config=config)
    if isinstance(choice, StudySet):
        first, *others = choice.studies
        whole = replace(choice, studies=(replace(first, context=context), *others))
        return shipping.ship_all(whole, chip, folder, news).bundle
    found = choice.candidate, choice.score.max_error
    return shipping.ship(context, *found, chip, folder, news).bundle
