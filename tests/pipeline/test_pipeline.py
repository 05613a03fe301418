"""The whole way: what a study gives, what it reuses, and how it goes on after a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.commands.running import run_and_show
from distill.config.folder import read_option
from distill.config.schema import StudyConfig
from distill.delivery import shipping
from distill.domain import Domain
from distill.errors import (
    ConfigError,
    DistillError,
    DomainError,
    ExportError,
    FormulaError,
    SampleError,
    TeacherError,
)
from distill.firmware.target import load_target
from distill.pipeline import one_output, opening
from distill.stages.measure import Costs
from distill.stages.score import Scored, published_candidates
from distill.stages.select import select
from tests.heard import Heard


def whole(config: StudyConfig, heard: Heard | None = None):
    news = heard or Heard()
    study = one_output.search(config, news)
    chosen, target = study.chosen, load_target(config.target)
    shipped = shipping.ship(
        study.context,
        chosen.candidate if chosen else None,
        chosen.score.max_error if chosen else None,
        target,
        Path("build"),
        news,
    )
    return study, shipped.bundle, shipped.evidence


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_quick) -> Path:
    """The kept stages of the quick study, for tests that go on from there."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        whole(make_quick(folder, patch))
    return folder / "studies"


def test_a_study_from_teacher_to_evidence(quick: StudyConfig, finished: Path) -> None:
    shutil.copytree(finished, quick.root)
    study, bundle, evidence = whole(quick)
    chosen = study.chosen
    assert chosen is not None
    x = study.context.domain.sample(20_000, seed=99)
    off = np.abs(chosen.formula(x) - 2 * np.pi * np.sqrt(x[:, 0] / x[:, 1])).max()
    assert off <= chosen.score.max_error <= quick.tolerance
    assert evidence.passed
    assert evidence.cost is not None
    assert evidence.cost.instructions > 0
    assert bundle.source.read_text().startswith("/*")
    assert list(study.front["complexity"]) == sorted(study.front["complexity"])
    assert study.front["max_error"].is_monotonic_decreasing
    assert "<table" in study._repr_html_()


def test_a_repeated_study_reuses_everything_and_gives_the_same_bytes(
    quick: StudyConfig, finished: Path
) -> None:
    shutil.copytree(finished, quick.root)
    _, bundle, _ = whole(quick)
    before = {f: f.read_bytes() for f in bundle.directory.rglob("*") if f.is_file()}
    heard = Heard()
    whole(quick, heard)
    assert all(reused for *_, reused in heard.ends)
    assert before == {f: f.read_bytes() for f in bundle.directory.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        # The search knows what operators cost on the chip.
        ("target", {"fit", "score", "measure", "select", "export", "verify"}),
        pytest.param(
            "target, uniform", {"measure", "select", "export", "verify"}, marks=pytest.mark.slow
        ),
        ("rule", {"select"}),
        ("score", {"score", "measure", "select"}),
        ("verify", {"verify"}),
    ],
)
def test_an_override_repeats_only_what_depends_on_it(
    quick: StudyConfig, finished: Path, change: str, again: set[str]
) -> None:
    if change.startswith("target"):
        # Another chip is another export: that its C is right is tested elsewhere.
        quick.export.verify = False
    if change.endswith("uniform"):
        quick.engine = replace(quick.engine, costs="uniform")
        whole(quick)
    else:
        shutil.copytree(finished, quick.root)
    changed = {
        "target, uniform": lambda: replace(quick, target=read_option("target", "host")),
        "target": lambda: replace(quick, target=read_option("target", "host")),
        "rule": lambda: replace(quick, select=replace(quick.select, margin=0.011)),
        "score": lambda: replace(quick, score=replace(quick.score, seed=5)),
        "verify": lambda: replace(quick, export=replace(quick.export, verify_points=4_000)),
    }[change]()
    heard = Heard()
    whole(changed, heard)
    repeated = {stage for stage, _, reused in heard.ends if not reused}
    # The choice may be the same, and then its bundle is, too.
    assert repeated - {"export", "verify"} == again - {"export", "verify"}
    assert repeated <= again | {"export", "verify"}


def test_the_same_budget_in_evaluations_gives_the_same_candidates(
    quick: StudyConfig, tmp_path: Path
) -> None:
    quick.engine = replace(
        quick.engine, name="operon", evaluations=20_000, rounds=2, options={"population_size": 100}
    )
    texts = []
    for folder in ("one", "two"):
        study = one_output.search(replace(quick, root=str(tmp_path / folder)), Heard())
        texts.append([c.formula.text for c in study.choices])
    assert texts[0] == texts[1]


def test_nothing_within_the_tolerance_exports_the_table(quick: StudyConfig) -> None:
    quick.teacher.source = "teachers_for_tests:pendulum"
    quick.tolerance = 0.02
    quick.engine.max_complexity = 3
    study, bundle, evidence = whole(quick)
    assert study.chosen is None
    assert "Nothing is within the tolerance" in study.selection.reason
    assert bundle.spec.formula is None
    assert bundle.spec.table is not None
    assert bundle.spec.max_error <= quick.tolerance
    assert evidence.passed


def test_what_fixed_point_cannot_hold_is_left_out_of_the_measuring(quick: StudyConfig) -> None:
    quick.tolerance = 1e-7
    quick.engine.keep = 4
    quick.export.arithmetic = "fixed"
    heard = Heard()
    study = one_output.search(quick, heard)
    assert study.choices
    assert all(c.cost is None or c.cost.arithmetic == "fixed" for c in study.choices)
    # All of the front is measured but for what 32 bits cannot hold at this tolerance.
    assert any(c.on_front and c.cost is None for c in study.choices)
    # And what it cannot hold is not chosen.
    assert study.chosen is None or study.chosen.cost is not None


def test_what_does_not_fit_the_chip_is_refused_with_the_figure(
    quick: StudyConfig, finished: Path
) -> None:
    shutil.copytree(finished, quick.root)
    quick.engine.costs = "uniform"
    quick.target = {**quick.target, "flash_bytes": 10}
    study = one_output.search(quick, Heard())
    assert study.chosen is None
    assert "B of flash, and pic32 gives 10 B" in study.selection.reason
    with pytest.raises(ExportError, match="nothing fits pic32: the table alone in float32 takes"):
        shipping.ship(study.context, None, None, load_target(quick.target), Path("build"), Heard())


def test_auto_takes_the_cheapest_and_tells_what_the_others_cost(quick: StudyConfig) -> None:
    quick.export.arithmetic = "auto"
    quick.export.verify = False
    study = one_output.search(quick, Heard())
    assert study.chosen is not None
    shipped = shipping.ship(
        study.context, study.chosen.candidate, study.chosen.score.max_error,
        load_target(quick.target), Path("build"), Heard(),
    )  # fmt: skip
    ways = {way.name: way.cost.instructions for way in shipped.alternatives if way.cost}
    assert set(ways) == {
        "formula in float32", "table alone in float32",
        "formula in fixed point", "table alone in fixed point",
    }  # fmt: skip
    spec = shipped.bundle.spec
    content = "table alone" if spec.formula is None else "formula"
    taken = f"{content} in {'fixed point' if spec.arithmetic == 'fixed' else spec.arithmetic}"
    assert ways[taken] == min(ways.values())
    assert any("instructions a call" in line for line in spec.figures)


def test_a_person_may_choose_one_that_misses_the_tolerance(
    quick: StudyConfig, finished: Path
) -> None:
    shutil.copytree(finished, quick.root)
    first = one_output.search(quick, Heard())
    coarse = next(c for c in first.choices if 1 < c.score.max_error / quick.tolerance < 20)
    shipped = shipping.ship(
        first.context, coarse.candidate, coarse.score.max_error,
        load_target(quick.target), Path("build"), Heard(),
    )  # fmt: skip
    bundle, evidence = shipped.bundle, shipped.evidence
    assert evidence is not None
    assert bundle.spec.guarded
    assert bundle.spec.max_error <= quick.tolerance
    assert evidence.passed


def test_a_formula_that_was_only_sampled_is_not_chosen(quick: StudyConfig, finished: Path) -> None:
    shutil.copytree(finished, quick.root)
    study = one_output.search(quick, Heard())
    chosen = study.chosen
    assert chosen is not None
    scores = {c.candidate.id: c.score for c in study.choices}
    unsearched = replace(chosen.score, teacher=replace(chosen.score.teacher, searched=False))
    scored = Scored(
        tuple(c.candidate for c in study.choices),
        {**scores, chosen.candidate.id: unsearched},
        (),
        *study.points,
    )
    again = select(quick.select, quick.tolerance, "s", scored, Costs(), None)
    assert again.id != chosen.candidate.id
    by_name = replace(quick.select, rule="by_id", candidate=chosen.candidate.id)
    assert select(by_name, quick.tolerance, "s", scored, Costs(), None).id == chosen.candidate.id


def test_what_was_found_is_kept_where_no_c_can_be_made(quick: StudyConfig, capsys) -> None:
    quick.export.verify = False
    quick.target = {**quick.target, "flash_bytes": 16}
    quick.engine.keep = 4
    with pytest.raises(ExportError, match="nothing fits pic32"):
        run_and_show(quick)
    (record,) = Path(quick.root).glob("pendulum/study/*/study.json")
    assert json.loads(record.read_text())["export_directory"] is None
    assert "Pareto front" in capsys.readouterr().out


RUN = """
import sys
from distill import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "run", "engine=operon", "tracking=off",
         "score=quick", "score.points=500", "score.prove=false", "export.prove=false",
         "engine.evaluations=15000", "engine.rounds=3",
         "engine.options.population_size=100", "engine.keep=4", "engine.max_complexity=16",
         "engine.operators=[add,sub,mul,div]", "export.verify=false", *more],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_rounds(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    while True:
        journals = list(folder.glob("studies/*/fit/.*.partial/journal.jsonl"))
        if journals and journals[0].read_text().count("\n") >= count:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@pytest.mark.slow  # in one process: tests/pipeline/test_fitting.py
def test_a_killed_search_goes_on_and_ends_with_the_same_result(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    undisturbed = start(tmp_path / "whole")
    undisturbed.communicate(timeout=400)
    assert undisturbed.returncode == 0
    process = start(tmp_path / "killed")
    wait_for_rounds(tmp_path / "killed", 1, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not list((tmp_path / "killed").glob("studies/*/fit/[0-9a-f]*"))
    again = start(tmp_path / "killed")
    _, err = again.communicate(timeout=400)
    assert again.returncode == 0, err
    results = [
        json.loads(next((tmp_path / f).glob("studies/*/fit/[0-9a-f]*/candidates.json")).read_text())
        for f in ("whole", "killed")
    ]
    assert results[0]["candidates"] == results[1]["candidates"]


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for_rounds(tmp_path, 1, process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("teachers_for_tests:constant", SampleError, "is constant"),
        ("teachers_for_tests:all_nan", SampleError, "hardly any answers"),
        ("teachers_for_tests:complex_answers", TeacherError, "complex"),
        ("teachers_for_tests:raises", TeacherError, "lost its licence"),
        ("teachers_for_tests:missing", TeacherError, "missing"),
        ("no_such_module:f", TeacherError, "no_such_module"),
        ("nothing.safetensors", TeacherError, "no file"),
    ],
)
def test_a_bad_teacher_is_told_plainly(
    quick: StudyConfig, source: str, kind: type[DistillError], says: str
) -> None:
    quick.teacher.source = source
    with pytest.raises(kind, match=says):
        one_output.search(quick, Heard())


def test_a_teacher_that_never_answers_is_stopped(quick: StudyConfig) -> None:
    quick.teacher.source = "teachers_for_tests:never_answers"
    quick.teacher.options = {"timeout": 1}
    with pytest.raises(TeacherError, match="did not answer"):
        one_output.search(quick, Heard())


def test_a_teacher_without_answers_in_places_goes_on_with_a_warning(quick: StudyConfig) -> None:
    quick.teacher.source = "teachers_for_tests:partly_nan"
    heard = Heard()
    study = one_output.search(quick, heard)
    assert study.choices
    assert any("not finite" in w for w in heard.warnings)


def test_an_output_that_is_not_there(quick: StudyConfig) -> None:
    quick.teacher.output = 1
    with pytest.raises(ConfigError, match="no output `1`"):
        one_output.search(quick, Heard())


def test_a_teacher_without_a_domain(quick: StudyConfig) -> None:
    quick.domain.variables = None
    with pytest.raises(DomainError, match="does not say over which inputs"):
        one_output.search(quick, Heard())


def test_published_names_move_no_cursor() -> None:
    with pytest.raises(FormulaError, match="cannot name a formula: it holds the control") as caught:
        published_candidates({"huygens\x1b[2J": "length"}, Domain.box(length=(0, 1)))
    assert caught.value.where == "config key `teacher.published`"
    assert "\x1b" not in str(caught.value)


def test_a_wrong_published_formula_names_its_key(quick: StudyConfig) -> None:
    quick.teacher.published = {"huygens": "2*pi*sqrt(length/g)"}
    with pytest.raises(DistillError) as caught:
        one_output.search(quick, Heard())
    assert "teacher.published.huygens" in caught.value.where


def test_a_name_that_c_uses_is_refused_before_the_search(quick: StudyConfig) -> None:
    quick.teacher.options = {"name": "gamma"}
    with pytest.raises(ConfigError, match="gamma") as caught:
        opening.open_context(quick)
    assert "teacher.options.name" in caught.value.where
    assert "teacher.options.name=my_gamma" in caught.value.hint
