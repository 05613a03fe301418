"""Published figures: their way into one page, and that each of them says how it is made."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from figures import BENCHMARKS
from publishing import conditions
from publishing.page import page
from publishing.record import RESULTS, Figure, Record, cells, command, load, save

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benchmarks"
README = (BENCH / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*-figures.md"))
ON = conditions.Conditions("A chip at 3 GHz", 2, 15.6, 0.4, {"Python": "3.11.7"}, "2026-11-22")


def test_conditions_are_those_of_this_machine():
    now = conditions.now()
    assert now.cores >= 1
    assert now.memory_gib > 0.5
    assert now.processor
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", now.day)
    assert {"Python", "distill", "numpy"} <= set(now.versions)


@pytest.mark.parametrize(("load", "busy"), [(None, False), (0.0, False), (1.0, False), (1.1, True)])
def test_a_machine_with_other_work_is_said_to_be_busy(load, busy):
    assert ("busy" in replace(ON, load=load).text()) is busy


def test_a_record_is_read_as_it_was_saved(tmp_path, monkeypatch):
    path = tmp_path / "results" / "sweep.json"
    words = ["/somewhere/sweep.py", "--jobs", "3", "--figures", str(path), "--write", "a b.md"]
    monkeypatch.setattr("sys.argv", words)
    save(path, ON, [("a job", "2.0 s")])
    said = "python benchmarks/sweep.py --jobs 3 --write 'a b.md'"
    assert command() == said
    assert load(path) == Record("sweep", said, ON, (Figure("a job", "2.0 s"),))
    save(None, ON, [("a job", "2.0 s")])
    assert list(tmp_path.rglob("*.json")) == [path]


def test_the_page_has_the_figures_their_command_and_on_what():
    one = Record("one", "python benchmarks/one.py", ON, (Figure("a job", "2.0 s"),))
    other = replace(one, benchmark="other", conditions=replace(ON, load=5.0, day="2026-11-20"))
    text = page([other, one], {"one": "one-figures.md", "never run": None, "other": None})
    assert text.index("## one") < text.index("## other")
    assert "| a job | 2.0 s |" in text
    assert (
        "2026-11-22, `python benchmarks/one.py`; more in [one-figures.md](one-figures.md)." in text
    )
    assert "| other | 2026-11-20 | A chip at 3 GHz, 2 cores, 16 GiB | 5.0 | Python 3.11.7 |" in text
    assert "never run" not in text


def test_cells_of_a_row():
    assert cells("| a | 2 s |  |\n") == ["a", "2 s", ""]


def test_the_published_page_is_what_the_records_say():
    found = [load(path) for path in RESULTS.glob("*.json")]
    assert {record.benchmark for record in found} <= set(BENCHMARKS)
    wanted = page(found, {name: each.page for name, each in BENCHMARKS.items()})
    assert (ROOT / "docs" / "figures.md").read_text("utf-8") == wanted, (
        "benchmarks/figures.py --only"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_of_figures_names_its_script(path):
    scripts = re.findall(r"benchmarks/(\w+\.py)", path.read_text(encoding="utf-8"))
    assert scripts
    assert all((BENCH / script).is_file() for script in scripts)
    assert f"`docs/{path.name}`" in README


@pytest.mark.parametrize("script", sorted(path.name for path in BENCH.glob("*.py")))
def test_every_script_is_in_the_readme(script):
    assert f"{script}" in README


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_is_a_row_of_the_readme_and_takes_the_option(name):
    each = BENCHMARKS[name]
    (row,) = (line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"`{each.script}` | {each.minutes:g} |" in row
    source = (BENCH / each.script).read_text(encoding="utf-8")
    assert "add_option(" in source
    assert ".save(" in source
    assert each.page is None or f"docs/{each.page}" in " ".join(each.command(name))
