"""How commands speak: live on a terminal, in plain lines, quietly, and in JSON lines."""

import io
import json
import math
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from distill import cli
from distill.cli.voices import manner_of
from distill.errors import ConfigError, TrackingError
from distill.figures import duration
from distill.progress import OUTPUT, Best
from distill.voices import terminal
from distill.voices.json_lines import JsonLines
from distill.voices.pace import Pace
from distill.voices.quiet import Quiet
from distill.voices.terminal import Terminal
from distill.voices.voice import Result

FRONT = (Best(3, 2.5, "2*x"), Best(9, 0.125, "2*x + sin([y])"))
RESULT = Result(
    lambda console: console.print("seen"), "y = 2*x [a]", {"studies": [{"e": math.inf}]}
)
SMALL = [
    "engine=polynomial", "engine.options.max_terms=2", "engine.rounds=1", "engine.evaluations=500",
    "sampling.points=64", "score=quick", "score.points=500", "score.starts=2", "target=host",
    "export.verify=false", "tracking=off", "tolerance=50",
]  # fmt: skip


@pytest.fixture(autouse=True)
def terminal_that_can_do_more(monkeypatch):
    """Whatever the tests are started from: on a dumb one nothing is shown live."""
    monkeypatch.setenv("TERM", "xterm")


def told(voice, error=None):
    """A search from its beginning to its end."""
    with voice:
        voice.begin("fit", "searching")
        voice.advance(0.25, "round 1")
        voice.front(FRONT[:1])
        voice.front(FRONT)
        voice.warn("mind [this]")
        voice.end("fit", "2 candidates", reused=False)
        voice.result(RESULT)
        if error is not None:
            raise error


def lines_of(error=None, job=None):
    stream = io.StringIO()
    with nullcontext() if error is None else pytest.raises(type(error)):
        told(JsonLines("run", job, stream), error)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def shown_on(file, **options):
    return Terminal(Console(file=file, width=100, **options))


def test_a_live_display_shows_stage_bar_best_formula_and_front(capsys):
    file = io.StringIO()
    told(shown_on(file, force_terminal=True, color_system=None))
    text = file.getvalue()
    assert "… fit      round 1" in text
    assert "━" in text
    assert "25%" in text
    assert "2 formulas on the front, the best off by 0.125 with 9 nodes: 2*x + sin([y])" in text
    assert re.search(r"nodes +max error +formula", text)
    assert re.search(r"3 +2\.5 +2\*x", text)
    assert "warning: mind [this]" in text
    assert "✓ fit      2 candidates" in text
    assert capsys.readouterr().out == "seen\n"


def test_a_wide_formula_does_not_break_the_display():
    file = io.StringIO()
    view = shown_on(file, force_terminal=True, color_system=None)
    with view:
        view.begin("fit", "searching")
        view.front((Best(10_000, 0.5, "x + " * 20_000),))
        view.advance(0.5, "a text " * 100)
    plain = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", file.getvalue())
    assert max(map(len, plain.replace("\r", "\n").splitlines())) <= 100


@pytest.mark.parametrize(("every", "lines"), [(0.0, 2), (1e9, 0)])
def test_without_a_terminal_there_are_plain_lines_now_and_then(every, lines, monkeypatch, capsys):
    monkeypatch.setattr(terminal, "PLAIN_SECONDS", every)
    monkeypatch.setattr(terminal.time, "monotonic", iter(range(1000)).__next__)
    file = io.StringIO()
    told(shown_on(file))
    text = file.getvalue()
    assert "\x1b" not in text
    assert text.startswith("  fit      searching\n")
    assert text.count("off by") == lines
    assert text.count("best off by 0.125 with 9 nodes: 2*x + sin([y])") == (1 if lines else 0)
    assert "✓ fit      2 candidates" in text


def test_an_output_is_a_line_and_no_stage(capsys):
    file = io.StringIO()
    view = shown_on(file, force_terminal=True, color_system=None)
    view.begin(OUTPUT, "total, 1 of 2")
    assert file.getvalue() == "  output   total, 1 of 2\n"


def test_the_time_left_is_estimated_from_what_was_done_under_our_eyes():
    pace = Pace(began=100.0)
    assert pace.left(200.0) is None
    pace.at(0.5)  # it went on in the middle
    assert pace.left(110.0) is None
    pace.at(0.75)
    assert pace.left(130.0) == pytest.approx(30.0)
    pace.at(None)
    assert pace.left(140.0) is None
    fresh = Pace(began=0.0)
    fresh.at(0.0)
    fresh.at(0.01)
    assert fresh.left(5.0) is None  # too early to say
    fresh.at(0.2)
    assert fresh.left(10.0) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (5939, "99 min"), (7500, "2 h 5 min")],
)
def test_lengths_of_time(seconds, text):
    assert duration(seconds) == text


def test_quiet_is_one_line(capsys):
    told(Quiet())
    assert capsys.readouterr() == ("y = 2*x [a]\n", "")


# --- JSON lines -----------------------------------------------------------------------------------


def documented() -> dict[str, set[str]]:
    """The fields of each event, and of each kind of result, as docs/json-lines.md has them."""
    page = Path(__file__).parents[2].joinpath("docs/json-lines.md").read_text(encoding="utf-8")
    tables: dict[str, set[str]] = {}
    for title, body in re.findall(
        r"\n([^\n]*)\n\n\| field \|[^\n]*\n\|[-|]*\n((?:\|[^\n]*\n)+)", page
    ):
        rows = [row.split("|")[1] for row in body.splitlines()]
        tables[title.split(" (")[0].strip("# :")] = set(re.findall(r"`(\w+)`", " ".join(rows)))
    for event, fields in re.findall(r"\n\| `(\w+)` \|[^|\n]*\|([^|\n]*)\|(?=\n)", page):
        tables[event] = set(re.findall(r"`(\w+)`", fields))
    return tables


def test_every_event_has_the_documented_fields():
    tables = documented()
    common = tables["Every line"]
    seen = lines_of()
    assert [line["event"] for line in seen] == [
        "begin", "advance", "front", "warning", "front", "end", "result",
    ]  # fmt: skip
    for line in seen:
        own = tables[line["event"]] | ({"studies"} if line["event"] == "result" else set())
        assert set(line) == common | own, line["event"]
    assert {line["version"] for line in seen} == {1}
    assert {line["job"] for line in seen} == {None}


def test_what_the_lines_hold():
    _, advance, first, warning, last, end, result = lines_of()
    assert (advance["stage"], advance["fraction"], advance["text"]) == ("fit", 0.25, "round 1")
    assert first["front"] == [{"complexity": 3, "max_error": 2.5, "formula": "2*x"}]
    # What came within the same second is told at the end of the stage.
    assert [row["complexity"] for row in last["front"]] == [3, 9]
    assert warning["text"] == "mind [this]"
    assert end["reused"] is False
    assert result["studies"] == [{"e": None}]  # JSON has no infinity
    assert (result["command"], result["exit_code"], result["problem"]) == ("run", 0, None)


@pytest.mark.parametrize(
    ("error", "code", "what"),
    [
        (ConfigError("wrong.", where="here", hint="do."), 2, "wrong."),
        (TrackingError("gone."), 3, "gone."),
        (KeyboardInterrupt(), 130, "stopped."),
        (ZeroDivisionError("by zero"), 70, "ZeroDivisionError: by zero"),
    ],
)
def test_the_result_is_last_however_it_ends(error, code, what):
    result = lines_of(error, job=7)[-1]
    assert (result["event"], result["job"], result["exit_code"]) == ("result", 7, code)
    assert result["problem"]["what"] == what
    assert set(result["problem"]) == {"what", "where", "hint"}
    assert result["studies"]  # what there is, is told all the same


def test_a_search_that_tells_often_writes_seldom(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("distill.voices.json_lines.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    voice = JsonLines("run", None, stream)
    voice.begin("fit", "searching")
    for i in range(10_000):
        now[0] = i / 1000
        voice.advance(i / 10_000, "round 1")
        voice.front(FRONT)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events.count("advance") == events.count("front") == 10


def test_quiet_and_json_exclude_each_other(capsys):
    assert manner_of(["a=1", "--json", "-m"]) == ("json", ["a=1", "-m"])
    assert manner_of(["--cfg", "job"]) == ("terminal", ["--cfg", "job"])
    for command in ("run", "export", "sync"):
        assert cli.main([command, "--quiet", "--json"]) == 2
        assert "exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--json", "engine=opron"], "Hydra stopped"),
        (["run", "--json", "tolerance=-1"], "larger than 0"),
        (["export", "--json"], "which candidate?"),
        (["sync", "--json", "rot=x"], "not a key"),
    ],
)
def test_a_mistake_is_a_result_too(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    (line,) = map(json.loads, out.splitlines())
    assert (line["event"], line["command"], line["exit_code"]) == ("result", arguments[0], 2)
    assert says in line["problem"]["what"]
    assert err


def test_a_sweep_in_json_lines_and_one_of_its_jobs_again_quietly(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables = documented()
    assert cli.main(["run", "--json", "-m", *SMALL, "select=cheapest,most_accurate"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    plan, *told, last = lines
    assert (plan["event"], last["event"], last["job"]) == ("plan", "result", None)
    assert [job["status"] for job in last["jobs"]] == ["done", "done"]
    assert {line["job"] for line in told} == {0, 1}
    results = [line for line in told if line["event"] == "result"]
    assert [result["job"] for result in results] == [0, 1]
    for result in results:
        (study,) = result["studies"]
        assert set(study) == tables["A study"]
        assert set(study["chosen"]) == tables["A candidate"]
        assert study["chosen"] in study["candidates"]
        assert study["chosen"]["max_error"] <= study["tolerance"] == 50
        assert study["mlflow"] is None
        assert set(result["export"]) == tables["An export"]
        assert Path(study["folder"], "study.json").exists()
        assert Path(result["export"]["source"]).exists()
        assert result["export"]["verified"] is None
    simple, accurate = (result["studies"][0]["chosen"] for result in results)
    assert accurate["max_error"] < simple["max_error"]
    assert cli.main(["run", "--quiet", *SMALL, "select=most_accurate"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    (line,) = out.splitlines()
    assert line.startswith(f"wet_bulb = {accurate['formula']}, off by up to ")
    assert line.endswith("C in build/wet_bulb/host (not verified)")
