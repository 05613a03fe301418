import re
from dataclasses import replace

import pytest

from distill.engines.findings import Finding
from distill.tracking.plots import CandidatePlots
from distill.tracking.report import candidate_report, front_images, study_report

IMAGES = {"parity.png": b"parity", "residuals.png": b"residuals"}


def sources(page: str) -> set[str]:
    """What a page loads: the start of every src, href and url()."""
    return {
        m[:10] for m in re.findall(r"(?:src|href)=\"([^\"]*)|url\(([^)]*)", page) for m in m if m
    }


def test_a_candidates_page_holds_its_figures_and_needs_nothing_else(study):
    c = study.chosen
    page = candidate_report(study, c, IMAGES, "0123abcd")
    assert sources(page) == {"data:image"}
    assert "<script" not in page
    assert f"{c.score.max_error:.4g}" in page
    assert f"{int(c.cost['pic32']['instructions']):,}" in page
    assert "distill export run=0123abcd" in page
    assert c.formula.text in page
    assert "temperature 10 to 50 degC; humidity 5 to 99 percent" in page
    assert "beyond the tolerance" in page


def test_text_from_outside_is_escaped(study):
    evil = "<script>alert(1)</script>"
    c = replace(study.candidates[0], origin=evil, c_source=f"/* {evil} */")
    page = candidate_report(replace(study, output_unit=evil), c, IMAGES, evil)
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 4


def test_a_studys_page_lists_all_candidates_by_complexity(study):
    page = study_report(study, CandidatePlots(study), front_images(study))
    assert sources(page) == {"data:image"}
    labels = re.findall(r"<td class=\"text\">([cp]\d\d)( ★)?</td>", page)
    assert [label for label, _ in labels] == ["c01", "c02", "c03", "p01", "c04"]
    assert [star for _, star in labels if star] == [" ★"]
    assert study.selection in page
    assert "Chosen, although beyond the tolerance: c04" in page
    assert "passed: 1,000,000 points agree" in page
    assert "not run: not installed" in page
    assert "1,234 instructions a call, 660 B of flash (measured, zig cc), off by at most" in page
    assert "takes 900 B of flash, and pic32 gives 100 B" in page


def test_a_studys_page_shows_what_was_found_out_as_a_tree(study):
    plots, fronts = CandidatePlots(study), front_images(study)
    assert "found out" not in study_report(study, plots, fronts)
    evil = Finding("f(<b>)", "nothing <b>", "open", float("inf"))
    found = Finding("f(a, b)", "a product", "believed", 1e-3, parts=(evil,))
    page = study_report(replace(study, findings=found), plots, fronts)
    assert "What was found out about wet_bulb" in page
    assert re.search(r"<li class=\"believed\"><span>· f\(a, b\): a product", page)
    assert page.index("a product") < page.index("nothing &lt;b&gt;")
    assert "<b>" not in page


def test_a_study_that_chose_nothing_says_so(study):
    none = replace(
        study,
        candidates=tuple(replace(c, chosen=False) for c in study.candidates),
        selection="nothing is within the tolerance; the export is the table",
    )
    page = study_report(none, CandidatePlots(none), front_images(none))
    assert "No candidate was chosen" in page
    assert "the export is the table" in page


@pytest.mark.parametrize(("cost", "names"), [
    ({}, {"front.png"}),
    ({"pic32": {"instructions": 5.0}}, {"front.png", "front_instructions.png"}),
])  # fmt: skip
def test_a_front_over_instructions_needs_instructions(study, cost, names):
    rows = tuple(replace(c, cost=cost) for c in study.candidates)
    assert set(front_images(replace(study, candidates=rows))) == names
