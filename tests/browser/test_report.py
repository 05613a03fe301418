"""The reports in a real browser: what people click, type and see."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.findings import Finding
from distill.formula import Formula
from distill.tracking.record import StudyRecord
from distill.tracking.report import Figures, candidate_report, study_report
from distill.tracking.slices import GuardCells, Slices, along
from tests.tracking.conftest import make_study

EVIL = "</script><img src=x onerror=alert(1)>"


def drawn(study: StudyRecord) -> StudyRecord:
    """The study with curves of the teacher, the C and a table, and a guarded corner."""
    domain, candidates = study.domain, study.candidates
    lines = np.array([along(v) for v in domain.variables])
    anchors = np.array([c.score.teacher.max_error_at for c in candidates])
    unknown = np.full((len(candidates), len(domain), lines.shape[1]), np.nan)
    slices = Slices(np.arange(len(domain)), lines, anchors, unknown, unknown, unknown)
    formula = np.array(
        [
            [c.formula(slices.points(k, s)) for s in range(len(domain))]
            for k, c in enumerate(candidates)
        ]
    )
    slices = replace(slices, teacher=formula + 0.05, c=formula + 0.001, table=formula + 0.07)
    flags = np.zeros((4, 4), dtype=bool)
    flags[3, 3] = True
    edges = tuple(np.linspace(v.low, v.high, 5) for v in domain.variables)
    return replace(study, slices=slices, guard=GuardCells(edges, flags))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = Finding("f(temperature)", "a line", "solved", 1e-3, "2*temperature")
    file = tmp_path_factory.mktemp("report") / "study.html"
    file.write_text(study_report(replace(drawn(make_study()), findings=found)), encoding="utf-8")
    return file


def selected(page) -> str:
    return page.locator("#details h2").inner_text().split(":")[0]


def labels(page) -> list[str]:
    names = page.locator("#table tbody tr:visible .pick").all_inner_texts()
    return [name.split()[0] for name in names]


def test_it_opens_without_a_word_and_without_the_network(show, report):
    opened = show(report)
    assert opened.messages == []
    assert opened.requests == [report.as_uri()]
    page = opened.page
    assert selected(page) == "c04"
    assert page.locator("#headline math").count() > 1
    assert page.locator("#front path[role=option]").count() == 5
    assert page.locator("#details svg image").count() == 1  # one map
    for name in ("teacher", "formula", "c", "table"):
        # Over each of the two inputs: the values, and of all but the teacher the differences.
        curves = page.locator(f"#details path.curve.{name}")
        assert curves.count() == (2 if name == "teacher" else 4)
    assert page.locator("#details path.guard").count() == 1


def test_headers_sort_and_what_has_no_figure_comes_last(show, report):
    page = show(report).page
    assert labels(page) == ["c01", "c02", "c03", "p01", "c04"]
    head = page.locator("#table th[data-key=error]")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    errors = [float(cell) for cell in page.locator("#table tbody tr td:nth-child(4)").evaluate_all(
        "cells => cells.map(cell => cell.dataset.value)")]  # fmt: skip
    assert errors == sorted(errors)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    page.locator("#table th[data-key=label] button").click()
    assert labels(page) == ["c01", "c02", "c03", "c04", "p01"]


def test_a_search_leaves_the_rows_that_hold_every_word(show, report):
    page = show(report).page
    page.fill("#search", "ATAN stull")
    assert labels(page) == ["p01"]
    assert page.locator("#count").inner_text() == "1 of 5 candidates"
    page.fill("#search", "")
    assert len(labels(page)) == 5


def test_a_click_on_a_point_or_a_row_selects(show, report):
    page = show(report).page
    page.locator("#mark-c02").click()
    assert selected(page) == "c02"
    assert page.locator("#table tr.selected").get_attribute("data-label") == "c02"
    page.locator("#table tr[data-label=p01] td.expression").click()
    assert selected(page) == "p01"
    assert page.locator("#mark-p01").get_attribute("aria-selected") == "true"
    assert page.locator("#mark-c02").get_attribute("aria-selected") == "false"


def test_the_keyboard_is_enough(show, report):
    page = show(report).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        if page.evaluate("document.activeElement.getAttribute('role')") == "listbox":
            break
        page.keyboard.press("Tab")
    plot = page.locator("#front svg.front-plot")
    page.keyboard.press("Home")
    first = plot.get_attribute("aria-activedescendant")
    assert page.locator("#front .tip").is_visible()
    page.keyboard.press("ArrowRight")
    second = plot.get_attribute("aria-activedescendant")
    assert second != first
    page.keyboard.press("Enter")
    assert f"mark-{selected(page)}" == second
    page.locator("#table tr[data-label=c01] .pick").focus()
    page.keyboard.press("Enter")
    assert selected(page) == "c01"


def test_axes_can_be_exchanged(show, report):
    page = show(report).page
    before = page.locator("#mark-c03").get_attribute("transform")
    page.select_option("#front select[name=x]", "flash")
    across = page.locator("#mark-c03").get_attribute("transform")
    assert across != before
    assert "flash on pic32" in page.locator("#front svg.front-plot").text_content()
    page.locator("#front input[name=ylog]").uncheck()
    assert page.locator("#mark-c03").get_attribute("transform") != across
    # Nothing is proven in this study: the axis is not offered.
    assert page.locator("#front select[name=y] option").count() == 2


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_scrolls_down_only(show, report, width):
    page = show(report, width=width).page
    for label in ("c04", "p01"):
        page.locator(f"#table tr[data-label={label}] .pick").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    plot = page.locator("#front svg.front-plot").bounding_box()
    assert plot["x"] >= 0
    assert plot["x"] + plot["width"] <= width


def test_on_a_phone_a_check_takes_a_few_lines(show, tmp_path):
    detail = "826 of 826 results have the same bits, as promised for all; they differ by at most 0"
    checks = [{"name": f"pic32 against the teacher, way {i}", "passed": i > 0, "detail": detail}
              for i in range(30)]  # fmt: skip
    file = tmp_path / "checks.html"
    file.write_text(study_report(replace(make_study(), evidence={"checks": checks})), "utf-8")
    page = show(file, width=390).page
    rows = page.locator("#evidence .checks tr")
    assert "FAILED" in rows.first.inner_text()
    assert max(row.bounding_box()["height"] for row in rows.all()) < 110
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_printed_it_is_dark_on_white_and_shows_all_of_the_table(show, report):
    page = show(report, scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    style = "getComputedStyle(document.body)"
    paper, ink = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
    assert paper == "rgb(255, 255, 255)"
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200
    assert not page.locator("#search").is_visible()
    box = page.locator("#table").locator("..")
    assert box.evaluate("box => box.scrollHeight <= box.clientHeight")
    assert page.locator("#table tbody tr").last.is_visible()


def test_dark_and_light_differ_in_paper_ink_and_maps(show, report):
    seen = {}
    for scheme in ("light", "dark"):
        page = show(report, scheme=scheme).page
        style = "getComputedStyle(document.body)"
        paper, ink = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
        seen[scheme] = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in (paper, ink)]
        seen[scheme].append(page.locator("#details image").get_attribute("href"))
    assert seen["light"][0] > 700 > 200 > seen["light"][1]
    assert seen["dark"][0] < 200 < 600 < seen["dark"][1]
    assert seen["light"][2] != seen["dark"][2]


def test_the_c_can_be_copied(show, report):
    page = show(report).page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.addEventListener('copy', () => window.taken = String(getSelection()))")
    page.get_by_role("button", name="Copy the C", exact=True).click()
    page.wait_for_function("window.taken")
    assert page.evaluate("window.taken").startswith("/* 7 terms */\nfloat wet_bulb(")


@pytest.mark.parametrize("whole", [False, True])
def test_a_candidates_page_works_in_a_sandboxed_frame(show, tmp_path, whole):
    study = drawn(make_study())
    page = candidate_report(study, study.chosen, "0123abcd", Figures(study, together=1))
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    # MLflow shows it by its address or hands it over as text.
    source = f'srcdoc="{html.escape(page)}"' if whole else 'src="report.html"'
    frame = f'<iframe sandbox="allow-scripts" {source} width="900" height="800"></iframe>'
    (tmp_path / "frame.html").write_text(frame, encoding="utf-8")
    opened = show(tmp_path / "frame.html")
    inside = opened.page.frame_locator("iframe")
    inside.locator("#details path.curve.table").first.wait_for(state="attached")
    assert inside.locator("#details math").count() > 1
    assert "distill export run=0123abcd" in inside.locator("#take").inner_text()
    assert opened.messages == []
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "about"}
    assert len(opened.requests) == 2 - whole


def test_what_comes_from_outside_is_text(show, tmp_path):
    study = make_study()
    rows = [replace(c, origin=EVIL, c_source=EVIL, kept=(EVIL,)) for c in study.candidates]
    evil = replace(
        study, candidates=tuple(rows), teacher_name=EVIL, output_unit=EVIL, selection=EVIL,
        findings=Finding(EVIL, EVIL, "open", 1.0),
    )  # fmt: skip
    (tmp_path / "evil.html").write_text(study_report(evil), encoding="utf-8")
    opened = show(tmp_path / "evil.html")
    assert opened.messages == []
    assert len(opened.requests) == 1
    assert opened.page.locator("img").count() == 0
    assert EVIL in opened.page.locator("#details h2").inner_text()


def test_ten_thousand_nodes_are_shortened_until_asked_for(show, tmp_path):
    domain = Domain.box(x=(0, 1))
    long = Formula.parse("+".join(f"({i}*sin({i}.5*x)+({i}-x)*x)" for i in range(1, 60)), domain)
    long = Formula.parse("*".join(f"({long.text})" for _ in range(17)), domain)
    assert long.complexity > 10_000
    study = make_study((1,))
    x = domain.sample(256, seed=0)
    found = Candidate(long, "operon")
    one = replace(study.candidates[0], formula=long, candidate_data=found.to_data(), id=found.id)
    record = replace(study, domain=domain, points=x, truth=long(x), candidates=(one,))
    (tmp_path / "long.html").write_text(study_report(record), encoding="utf-8")
    page = show(tmp_path / "long.html").page
    shown = page.locator("#details div.formula")
    assert len(shown.inner_text()) < 1200
    shown.get_by_role("button", name=re.compile("Show all")).click()
    assert len(shown.inner_text()) > 30_000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_thousand_candidates_can_be_searched_and_selected(show, tmp_path):
    study = make_study((4,))
    base = study.candidates[0]
    rows = []
    for i in range(1000):
        formula = Formula.parse(f"temperature*{i + 1}.5 + humidity", study.domain)
        found = Candidate(formula, "operon")
        rows.append(
            replace(base, id=found.id, formula=formula, candidate_data=found.to_data(),
                    cost={"pic32": {"instructions": 100.0 + i, "flash_bytes": 500.0 + i}})
        )  # fmt: skip
    record = replace(study, candidates=tuple(rows))
    text = study_report(record)
    assert len(text) < 12_000_000
    (tmp_path / "many.html").write_text(text, encoding="utf-8")
    page = show(tmp_path / "many.html").page
    assert page.locator("#front path[role=option]").count() == 1000
    page.fill("#search", "777.5")
    page.locator("#table tbody tr:visible .pick").click()
    assert selected(page) == "c777"
