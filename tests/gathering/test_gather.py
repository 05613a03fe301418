"""Asking in parts: what is asked, how often, what it leaves for ``distill run``, and its errors."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig

from distill.config.schema import StudyConfig, read_config
from distill.errors import ClusterError, ConfigError, DistillError, SampleError, TeacherError
from distill.gathering import gather as gathering
from distill.gathering.gather import Gathered, gather
from distill.gathering.part import AskParts, Folder, Ledger
from distill.gathering.points import open_first, points_asked
from distill.pipeline.one_output import study_root
from distill.pipeline.opening import open_context
from distill.progress import Silent
from distill.runner import Runner
from distill.scoring.truth import ask_teacher
from distill.stages.sample import SAMPLE, made_from, sample
from tests.gathering.conftest import composed

Calls = Callable[[], list[str]]


class News(Silent):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fractions: list[float | None] = []

    def advance(self, fraction: float | None, text: str) -> None:
        self.fractions.append(fraction)
        self.told.append(text)

    def warn(self, text: str) -> None:
        self.told.append(text)


def here(config: DictConfig) -> gathering.Launch:
    """A launcher that runs one task after the other in this process."""

    def launch(task: AskParts, tasks: int, logs: Path) -> None:
        assert tasks == len(task.parts)
        for number in task.parts:
            task.ask(number, config)

    return launch  # type: ignore[return-value]


def gathered(name: str, *more: str, news: News | None = None) -> Gathered:
    config = composed(name, *more)
    return gather(read_config(config), here(config), news or News())


@pytest.mark.parametrize(("design", "jobs"), [("sobol", 1), ("lhs", 3), ("grid", 4)])
def test_each_point_is_asked_once_and_none_by_the_run_that_follows(
    design: str, jobs: int, calls: Calls
):
    more = [f"sampling={design}", "sampling.points=60"]
    found = gathered("flow", f"sampling.jobs={jobs}", *more)
    config = read_config(composed("flow", *more))  # without the parts, as `distill run` is called
    context = open_context(config)
    wanted = sample(config.sampling, context.teacher, context.domain, 0, Silent())
    asked = calls()
    assert len(asked) == len(set(asked)) == found.asked == found.points
    kept = Runner(study_root(config, context.teacher), Silent()).run(
        SAMPLE,
        made_from(config.sampling, context.domain, 0),
        [context.teacher.fingerprint],
        "",
        lambda work: pytest.fail("it was made again"),
    )
    assert kept.reused
    assert kept.result.x.tobytes() == wanted.x.tobytes()
    assert kept.result.y.tobytes() == wanted.y.tobytes()
    assert found.without == len(wanted.rejected) > 0
    assert found.failed == {"ValueError: valve is stuck": found.without}


def test_the_same_command_again_asks_nothing_and_a_larger_one_the_rest(calls: Calls):
    gathered("both", "sampling.points=40", "sampling.jobs=2", "teacher.options.outputs=[p, q]")
    again = gathered("both", "sampling.points=40", "teacher.options.outputs=[p, q]")
    assert (again.asked, again.samples["p"].reused, len(calls())) == (0, True, 40)
    more = "teacher.options.outputs=[p, q]", "teacher.output=all", "sampling.jobs=2"
    both = gathered("both", "sampling.points=40", *more)
    assert list(both.samples) == ["p", "q"]
    assert (both.asked, len(calls())) == (0, 40)  # one question answers all outputs
    larger = gathered("both", "sampling=grid", "sampling.points=49", *more)
    assert (
        larger.asked == len(calls()) - 40 == 41
    )  # its corners and the middles of its faces were known


def test_the_points_that_formulas_are_judged_at_are_asked_ahead(calls: Calls):
    more = ["sampling.points=30", "score.points=50"]
    gathered("both", *more, "sampling.ahead=score", "teacher.options.outputs=[p, q]")
    config = read_config(composed("both", *more, "teacher.options.outputs=[p, q]"))
    context, before = open_context(config), len(calls())
    truth = ask_teacher(
        context.teacher, 0, context.domain, points=50, seed=config.score.seed, again=False
    )
    assert len(truth.x) == 50
    assert len(truth.border_x) == 54
    assert len(calls()) == before


def test_parts_go_over_the_whole_domain_and_share_no_point():
    config = read_config(composed("flow", "sampling.points=64", "sampling=grid"))
    x = points_asked(config, open_first(config).domain)
    np.testing.assert_array_equal(x, points_asked(config, open_first(config).domain))
    assert len(np.unique(x, axis=0)) == len(x) == 64
    for part in range(4):
        assert np.ptp(x[part::4, 0]) > 0.7


def test_how_far_it_is_counts_what_was_known():
    gathered("both", "sampling.points=20", "sampling=grid", "teacher.options.outputs=[p, q]")
    news = News()
    more = "sampling.points=40", "teacher.options.outputs=[p, q]", "sampling.jobs=2"
    gathered("both", *more, news=news)
    assert news.told[0] == "6 of 40 points asked"  # corners and middles of faces
    assert "40 of 40 points asked" in news.told
    assert news.fractions == sorted(news.fractions)


def test_points_that_take_too_long_are_counted_and_not_asked_twice(calls: Calls):
    more = "sampling=grid", "sampling.points=16", "teacher.options.timeout=0.3"
    found = gathered("late", *more, "sampling.jobs=2", "teacher.options.processes=2")
    assert (found.without, len(calls())) == (4, 16)
    assert found.failed == {"no answer within 0.3 s": 4}
    assert len(found.samples["late"].result.rejected) == 4
    assert gathered("late", *more).asked == 0


def test_the_budget_is_for_all_parts_together(calls: Calls):
    more = "sampling.points=40", "sampling.jobs=4"
    with pytest.raises(TeacherError, match="40 new points would be asked, but 0 of 39") as caught:
        gathered("flow", *more, "teacher.options.calls=39")
    assert "sampling.points" in caught.value.hint
    assert calls() == []
    assert gathered("flow", *more, "teacher.options.calls=40").asked == len(calls()) == 40


def test_what_was_asked_in_vain_counts_too(calls: Calls):
    config = composed("flow", "sampling.points=40", "sampling.jobs=4", "teacher.options.calls=40")

    def launch(task: AskParts, tasks: int, logs: Path) -> None:
        Ledger(task.folder.ledger(1))(1)  # part 1 dies with a question under way
        for number in (0, 2, 3):
            task.ask(number, config)

    news = News()
    with pytest.raises(TeacherError, match="10 new points would be asked, but 31 of 40"):
        gather(read_config(config), launch, news)  # type: ignore[arg-type]
    assert "1 of 4 parts died; they are asked again." in news.told
    assert len(calls()) == 30


def test_parts_that_die_are_asked_again_as_long_as_there_are_new_answers(calls: Calls):
    config = composed("flow", "sampling.points=40", "sampling.jobs=4")
    rounds: list[tuple[int, ...]] = []

    def launch(task: AskParts, tasks: int, logs: Path) -> None:
        rounds.append(task.parts)
        task.ask(task.parts[-1], config)
        raise RuntimeError("the others died\nand so on")

    found = gather(read_config(config), launch, News())  # type: ignore[arg-type]
    assert [len(parts) for parts in rounds] == [4, 3, 2, 1]
    assert found.asked == len(calls()) == 40


def test_it_is_given_up_when_they_die_without_an_answer():
    config = composed("flow", "sampling.points=40", "sampling.jobs=2")
    rounds: list[int] = []

    def launch(task: AskParts, tasks: int, logs: Path) -> None:
        rounds.append(tasks)
        raise RuntimeError("no memory\nand so on")

    with pytest.raises(ClusterError) as caught:
        gather(read_config(config), launch, News())  # type: ignore[arg-type]
    assert caught.value.what == (
        "2 of 2 parts died 3 times without a new answer (RuntimeError: no memory)."
    )
    assert rounds == [2, 2, 2]
    assert not list(Path("studies").rglob("asking-*"))


def test_a_part_that_was_left_running_is_waited_for(calls: Calls):
    config = composed("flow", "sampling.points=30", "sampling.jobs=2")
    tasks_at: list[int] = []

    def launch(task: AskParts, tasks: int, logs: Path) -> None:
        tasks_at.append(tasks)
        held = threading.Event()

        def run() -> None:
            with task.folder.lock(1):
                held.set()
            task.ask(1, config)

        other = threading.Thread(target=task.ask, args=(1, config))
        other.start()
        task.ask(0, config)
        while not task.folder.ledger(1).exists():
            other.join(0.01)
        raise RuntimeError("part 0 is said to have died")

    found = gather(read_config(config), launch, News())  # type: ignore[arg-type]
    assert tasks_at == [2]
    assert found.asked == len(calls()) == 30


def test_a_mistake_in_the_simulator_ends_all_parts_and_is_told_as_it_is(calls: Calls):
    with pytest.raises(DistillError, match="NameError: name 'undefined_name'") as caught:
        gathered("broken", "sampling.points=40", "sampling.jobs=4")
    assert caught.value.exit_code == 2
    assert caught.value.where == "teacher `broken`"
    assert len(calls()) < 40


def test_a_simulator_without_any_answer_is_not_asked_to_the_end(calls: Calls):
    with pytest.raises(DistillError, match="no answer at any of 64 points"):
        gathered("nowhere", "sampling.points=256", "sampling.jobs=2")
    assert len(calls()) in {64, 128}  # each part finds it out, unless it was told to stop before


def test_a_few_points_without_an_answer_end_nothing():
    with pytest.raises(SampleError, match="hardly any answers"):
        gathered("nowhere", "sampling.points=8", "sampling.jobs=4")


def test_parts_of_a_command_that_has_ended_stop(tmp_path: Path, calls: Calls):
    config = composed("flow", "sampling.points=400")
    folder = Folder(tmp_path / "asking")
    folder.path.mkdir()
    task = AskParts(folder, (0,), 1, open_first(read_config(config)).teacher.fingerprint)
    asking = threading.Thread(target=task.ask, args=(0, config))
    asking.start()
    while len(calls()) < 10:
        asking.join(0.01)
    folder.end()
    asking.join(30)
    assert not asking.is_alive()
    assert len(calls()) < 400
    assert not folder.path.exists()


def test_another_teacher_on_another_machine_is_refused(tmp_path: Path, calls: Calls):
    folder = Folder(tmp_path)
    AskParts(folder, (0,), 1, "another").ask(0, composed("flow"))
    record = folder.record(0)
    assert record is not None
    assert record.problem is not None
    assert "the teacher is another one" in record.problem["what"]
    assert calls() == []


def test_answers_that_cannot_be_seen_here_need_a_shared_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gathering, "SEEN", 0.0)
    config = composed("flow", "sampling.points=20")
    elsewhere = composed("flow", "sampling.points=20", f"teacher.options.cache={tmp_path}/far")
    with pytest.raises(ConfigError, match="cannot be seen here") as caught:
        gather(read_config(config), here(elsewhere), News())
    assert caught.value.where == "config key `teacher.options.cache`"


def test_a_teacher_whose_answers_are_not_kept_is_refused():
    config = composed("flow", "teacher.options.cache=false")
    with pytest.raises(ConfigError, match="are not kept") as caught:
        gather(read_config(config), here(config), News())
    assert caught.value.where == "config key `teacher.options.cache`"
    assert "teacher.options.cache=true" in caught.value.hint


def test_a_teacher_that_is_quick_is_refused():
    config = StudyConfig()
    config.teacher.source = "wet_bulb"
    with pytest.raises(ConfigError, match="`wet_bulb` are not kept"):
        gather(config, here(DictConfig({})), News())


def test_a_design_that_asks_nobody_is_refused():
    with pytest.raises(SampleError, match="takes the rows of a table"):
        gathered("flow", "sampling=data")
