"""The stages in a row: what ``distill run`` does, and what the Python API does.

teacher + domain -> sample -> fit -> score -> measure -> select   (``search``)
                 -> export -> verify                              (``ship``)
                 -> record and MLflow                             (``track``)
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf
from rich.console import Console

import distill
from distill import shipping, stages
from distill.config import StudyConfig, domain_from, plain, read_config
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ConfigError, DomainError, TeacherError, ToolchainError, TrackingError
from distill.files import write_whole
from distill.firmware.bundle import Bundle
from distill.firmware.cost import Cost
from distill.firmware.evidence import Evidence
from distill.firmware.graph import Arithmetic
from distill.firmware.names import check_function_name
from distill.firmware.target import Target, load_target
from distill.fitting import FIT, fit
from distill.progress import Progress
from distill.runner import Runner, key_of
from distill.study import Choice, Study, StudyContext
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher, shipped

# search ------------------------------------------------------------------------------------------


def open_context(
    config: StudyConfig, teacher: Teacher | None = None, domain: Domain | None = None
) -> StudyContext:
    """Load what the config names: the teacher and the domain.

    Raises
    ------
    TeacherError, DomainError, ConfigError : naming the key.
    """
    if domain is None and config.domain.variables is not None:
        domain = domain_from(config.domain.variables)
    if teacher is None:
        teacher = load_teacher(
            config.teacher.source,
            domain=domain,
            **config.teacher.options,
        )
    check_function_name(teacher.name)
    box = domain or teacher.domain
    if box is None:
        raise DomainError(
            f"the teacher `{teacher.name}` does not say over which inputs it holds.",
            where="config key `domain.variables`",
            hint="state them: domain=box '+domain.variables.NAME={low: 0, high: 1, unit: m}'.",
        )
    if config.teacher.output >= len(teacher.outputs):
        raise ConfigError(
            f"the teacher has {len(teacher.outputs)} outputs, "
            f"so there is no output {config.teacher.output}.",
            where="config key `teacher.output`",
            hint="outputs are counted from 0.",
        )
    return StudyContext(config, teacher, box, config.teacher.output)


def search(
    config: StudyConfig,
    progress: Progress,
    teacher: Teacher | None = None,
    domain: Domain | None = None,
) -> Study:
    """Sample, fit, score, measure and select.

    ``teacher`` and ``domain`` stand in for what the config names.

    Raises
    ------
    DistillError : for everything that a user can do something about.
    """
    context = open_context(config, teacher, domain)
    teacher, domain, output = context.teacher, context.domain, context.output
    target = load_target(config.target) if config.target else None
    runner = Runner(study_root(config, teacher), progress)
    box = json.loads(domain.to_json())

    sampled = runner.run(
        stages.SAMPLE,
        {"sampling": plain(config.sampling), "domain": box, "output": output},
        [teacher.fingerprint],
        f"asking {teacher.name}",
        lambda work: stages.sample(config.sampling, teacher, domain, output, work.progress),
    )
    fitted = runner.run(
        FIT,
        {"engine": plain(config.engine), "tolerance": config.tolerance},
        [sampled.key],
        f"searching with {config.engine.name}",
        lambda work: fit(config.engine, config.tolerance, sampled.result, teacher, output, work),
    )
    known, truth = literature(config, teacher)
    published = stages.published_candidates(known, domain)
    reference = load_reference(truth, domain)
    scored = runner.run(
        stages.SCORE,
        {
            "score": plain(config.score),
            "published": [c.to_data() for c in published],
            "tolerance": config.tolerance,
        },
        [fitted.key, reference.fingerprint if reference else ""],
        f"judging {len(fitted.result.candidates)} candidates",
        lambda work: stages.score(
            config.score,
            sampled.result,
            fitted.result.candidates,
            published,
            teacher,
            output,
            reference,
            config.tolerance,
            work.progress,
        ),
    )
    costs: Mapping[str, Cost] = {}
    keys = [scored.key]
    if target is not None:
        measured = runner.run(
            stages.MEASURE,
            {"target": dict(config.target), "arithmetic": config.export.arithmetic},
            [scored.key],
            f"running the front on {target.name}",
            lambda work: stages.measure(
                target,
                cast(Arithmetic, config.export.arithmetic),
                scored.result,
                domain,
                config.tolerance,
                work.progress,
            ),
        )
        costs = measured.result
        keys.append(measured.key)
    selected = runner.run(
        stages.SELECT,
        {"select": plain(config.select), "tolerance": config.tolerance},
        keys,
        f"by the rule {config.select.rule}",
        lambda work: stages.select(
            config.select, config.tolerance, context.output_of_teacher.unit, scored.result, costs
        ),
    )
    on_front = set(scored.result.front)
    return Study(
        context=context,
        key=selected.key,
        choices=tuple(
            Choice(c, scored.result.scores[c.id], costs.get(c.id), c.id in on_front, context)
            for c in scored.result.candidates
        ),
        selection=selected.result,
        history=tuple(
            (s.candidates, s.seconds, s.complexity, s.max_error) for s in fitted.result.history
        ),
        points=(scored.result.x, scored.result.y),
    )


def study_root(config: StudyConfig, teacher: Teacher) -> Path:
    """The folder that keeps the results about one teacher."""
    return Path(config.root) / teacher.name


def literature(config: StudyConfig, teacher: Teacher) -> tuple[dict[str, str], str | None]:
    """Published formulas, and the import path of the reference: the config's, or the teacher's."""
    published, reference = config.teacher.published, config.teacher.reference
    own = next((s for s in shipped() if s.name == teacher.name), None)
    if own is not None and load_teacher(own.name).fingerprint == teacher.fingerprint:
        published = dict(own.published) if published is None else published
        reference = reference or own.reference
    return published or {}, reference


def load_reference(path: str | None, domain: Domain) -> Teacher | None:
    """The truth that the teacher learned, where it is known.

    Raises
    ------
    TeacherError : naming the config key.
    """
    if path is None:
        return None
    try:
        return load_teacher(path, domain=domain)
    except TeacherError as error:
        raise TeacherError(
            error.what, where=f"config key `teacher.reference`, {error.where}", hint=error.hint
        ) from error


# ship --------------------------------------------------------------------------------------------


def ship(
    context: StudyContext,
    candidate: Candidate | None,
    max_error: float | None,
    target: Target,
    directory: Path,
    progress: Progress,
) -> tuple[Bundle, Evidence]:
    """Export a candidate (None: the table alone), verify the C, and put it into ``directory``.

    Raises
    ------
    ExportError : when the tolerance cannot be met within the limits.
    ToolchainError : when the C does not do what it should; the bundle stays with the results.
    """
    config, teacher = context.config, context.teacher
    runner = Runner(study_root(config, teacher), progress)
    plan = shipping.ExportPlan(
        candidate=candidate,
        max_error=max_error,
        domain=context.domain,
        output=context.output,
        target=target.name,
        tolerance=config.tolerance,
        options=config.export,
        provenance={
            "generator": f"distill {distill.__version__}",
            "teacher": teacher.name,
            "teacher fingerprint": teacher.fingerprint,
            "candidate": candidate.id if candidate else "none: the table alone",
            "engine": candidate.engine if candidate else "none",
        },
    )
    exported = runner.run(
        shipping.EXPORT,
        plan.to_data(),
        [teacher.fingerprint],
        f"writing C for {target.name}",
        lambda work: shipping.export(plan, teacher, work.progress),
    )
    verified = runner.run(
        shipping.VERIFY,
        {"points": config.export.verify_points, "target": dict(config.target)},
        [exported.key],
        f"compiling and running the C here and on {target.name}",
        lambda work: shipping.verify(
            exported.result,
            exported.folder,
            teacher,
            context.output,
            target,
            config.export.verify_points,
            work.progress,
        ),
    )
    if not verified.result.passed:
        failed = [c for c in verified.result.checks if c.passed is False]
        raise ToolchainError(
            f"the C did not pass: {failed[0].name}: {failed[0].detail}.",
            where=str(exported.folder / shipping.BUNDLE),
            hint="it was not put into the export directory; all checks are in "
            f"{verified.folder / 'evidence.json'}.",
        )
    return shipping.publish(exported.result, directory), verified.result


def export_directory(config: StudyConfig, teacher: Teacher, target: Target) -> Path:
    """Where the bundle goes: the config's directory, or ``build/<teacher>/<target>``."""
    given = config.export.directory
    return Path(given) if given else Path("build") / teacher.name / target.name


# track -------------------------------------------------------------------------------------------


def track(folder: Path, root: Path, uri: str | None, progress: Progress) -> dict[str, Any]:
    """Log a recorded study to MLflow unless this store has it; gives where it is there.

    Raises
    ------
    TrackingError : when the store cannot be reached; ``distill log`` does it later.
    """
    from distill.tracking.log import log_study
    from distill.tracking.record import load_record
    from distill.tracking.store import open_store

    progress.begin("log", "to MLflow")
    store = open_store(root, uri)
    logged = log_study(load_record(folder), store, progress)
    place = {
        "uri": store.uri,
        "experiment": logged.experiment_id,
        "run": logged.parent_run_id,
        "candidates": dict(logged.run_ids),
    }
    write_whole(folder / LOGGED, json.dumps(place, indent=1))
    progress.end("log", f"{len(logged.run_ids)} candidates in MLflow", reused=False)
    return place


LOGGED = "logged.json"


def log_left(root: Path, uri: str | None, progress: Progress) -> int:
    """Log every recorded study below ``root`` that is not in MLflow yet; gives how many.

    Raises
    ------
    TrackingError : when the store cannot be reached.
    """
    left = [f.parent for f in sorted(root.glob("*/study/*/study.json")) if not _is_logged(f.parent)]
    for folder in left:
        track(folder, root, uri, progress)
    return len(left)


def _is_logged(folder: Path) -> bool:
    """Whether the study is in a store that is still there, as far as a look at the disk tells."""
    try:
        place = json.loads((folder / LOGGED).read_text(encoding="utf-8"))
        uri = str(place["uri"])
    except (OSError, ValueError, KeyError):
        return False
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()


# the whole way -----------------------------------------------------------------------------------


def run_and_show(config: StudyConfig, overrides: Sequence[str] = ()) -> None:
    """Distill, export, verify, log, and say on the terminal what came out: ``distill run``.

    ``overrides`` are what a sweep varied; they name the study in MLflow.

    Raises
    ------
    DistillError : for everything that a user can do something about. When MLflow cannot be
        reached this comes last: all results are on disk then.
    """
    from distill.summary import show
    from distill.terminal import Terminal

    with Terminal() as progress:
        study = search(config, progress)
        context, chosen = study.context, study.chosen
        target = load_target(config.target)
        bundle, evidence = ship(
            context,
            chosen.candidate if chosen else None,
            chosen.score.max_error if chosen else None,
            target,
            export_directory(config, context.teacher, target),
            progress,
        )
        folder = record_once(study, bundle, evidence, overrides)
        problem: TrackingError | None = None
        if config.tracking.enabled and not _is_logged(folder):
            try:
                track(folder, Path(config.root), config.tracking.uri, progress)
            except TrackingError as error:
                problem = error
    show(Console(), study, bundle, evidence, next_steps(config))
    if problem is not None:
        raise TrackingError(
            f"the study is complete, but not in MLflow: {problem.what}",
            where=problem.where,
            hint=f"everything is kept in {folder}; `distill log{_where(config)}` logs it later.",
        )


def record_once(study: Study, bundle: Bundle, evidence: Evidence, overrides: Sequence[str]) -> Path:
    """The folder of the study's record, written when it is new."""
    config = study.context.config
    key = key_of("study", {"export": plain(config.export), "sweep": config.sweep}, [study.key])
    folder = study_root(config, study.context.teacher) / "study" / key[:16]
    if not (folder / "study.json").exists():
        from distill.tracking.record import save_record

        save_record(
            study.record(key, bundle=bundle, evidence=evidence, overrides=overrides), folder
        )
    return folder


def next_steps(config: StudyConfig) -> list[str]:
    """The commands that a finished study suggests."""
    return [
        f"compare the candidates:  {_program()} ui{_where(config)}",
        f"export another one:      {_program()} export run=RUN_ID{_where(config)}",
    ]


def _where(config: StudyConfig) -> str:
    """Arguments that lead the small commands to where this study was kept."""
    root = "" if config.root == StudyConfig().root else f" root={config.root}"
    return root + (f" uri={config.tracking.uri}" if config.tracking.uri else "")


def _program() -> str:
    """How this program is called: as a path when it is not on the search path."""
    program = Path(sys.executable).with_name("distill")
    if shutil.which("distill") or not program.exists():
        return "distill"
    try:
        return str(program.relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def export_run(run_id: str, root: Path, uri: str | None, overrides: list[str]) -> None:
    """Export the candidate of an MLflow run, by its study's config: ``distill export``.

    Raises
    ------
    TrackingError : when there is no such run.
    ExportError, ToolchainError : as for :func:`ship`.
    """
    from distill.overrides import apply_overrides
    from distill.summary import show_bundle
    from distill.terminal import Terminal
    from distill.tracking.fetch import load_candidate_run
    from distill.tracking.store import open_store

    with Terminal() as progress:
        run = load_candidate_run(run_id, open_store(root, uri))
        changed = apply_overrides(run.config, overrides)
        config = read_config(OmegaConf.create(changed))
        context = open_context(config, domain=run.candidate.formula.domain)
        target = load_target(config.target)
        candidate = Candidate.from_data(run.candidate.candidate_data)
        bundle, evidence = ship(
            context,
            candidate,
            run.candidate.score.max_error,
            target,
            export_directory(config, context.teacher, target),
            progress,
        )
    show_bundle(Console(), bundle, evidence)


def open_ui(root: Path, uri: str | None, port: int, *, browser: bool) -> None:
    """Serve MLflow until Ctrl-C: ``distill ui``."""
    from distill.tracking.store import open_store
    from distill.tracking.ui import serve

    serve(open_store(root, uri), port, open_browser=browser)
