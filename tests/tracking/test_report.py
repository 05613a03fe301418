import json
import re
from dataclasses import replace

import numpy as np
import pytest

from distill.engines.findings import Finding
from distill.formula import Formula
from distill.scoring.proof import Fact, Proof
from distill.tracking.report import Figures, candidate_report, study_report
from distill.tracking.report.claims import claims
from distill.tracking.report.packing import STEPS, packed
from distill.tracking.report.words import checks as checked


def report(study, candidate, run_id="0123abcd"):
    return candidate_report(study, candidate, run_id, Figures(study, together=1))


def data_of(page):
    """What the page's script reads."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def unpacked(array):
    import base64

    steps = np.frombuffer(base64.b64decode(array["data"]), dtype="<u2").astype(float)
    steps[steps == STEPS + 1] = np.nan
    return array["low"] + (array["high"] - array["low"]) * steps / STEPS


def loads(page):
    """What a page would load: every src, href but its own anchors, and url()."""
    found = re.findall(r"\b(?:src|href)=\"([^\"]*)|url\(([^)]*)", page.split("<script>")[0])
    return {m for pair in found for m in pair if m and not m.startswith("#")}


def test_a_candidates_page_holds_its_figures_and_needs_nothing_else(study):
    c = study.chosen
    page = report(study, c)
    assert loads(page) == set()
    assert "default-src 'none'" in page
    assert f"{c.score.max_error:.4g}" in page
    assert f"{int(c.cost['pic32']['instructions']):,}" in page
    assert "distill export run=0123abcd" in page
    assert "temperature 10 to 50 degC; humidity 5 to 99 percent" in page
    assert "beyond the tolerance" in page
    (only,) = data_of(page)["candidates"]
    assert only["exact"] == c.formula.text
    assert only["latex"] == c.formula.latex()
    assert only["mathml"].startswith("<math ")
    assert only["c"] == c.c_source


def test_the_policy_allows_the_pages_own_script_and_style_only(study):
    import base64
    import hashlib

    page = study_report(study)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    for tag in ("script", "style"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_text_from_outside_is_escaped(study):
    evil = "<script>alert(1)</script>"
    c = replace(study.candidates[0], origin=evil, c_source=f"/* {evil} */")
    page = report(replace(study, output_unit=evil), c, evil)
    assert evil not in page
    assert page.count("&lt;script&gt;") >= 4
    assert data_of(page)["candidates"][0]["c"] == f"/* {evil} */"


def test_a_studys_page_lists_all_candidates_by_complexity(study):
    page = study_report(study)
    assert loads(page) == set()
    labels = re.findall(r'class="pick">([cp]\d\d)( ★)?</button>', page)
    assert [label for label, _ in labels] == ["c01", "c02", "c03", "p01", "c04"]
    assert [star for _, star in labels if star] == [" ★"]
    assert [c["label"] for c in data_of(page)["candidates"]] == [label for label, _ in labels]
    assert study.selection in page
    assert "Chosen, although beyond the tolerance: c04" in page
    assert "1,000,000 points agree" in page
    assert "not run" in page
    assert "1,234 instructions" in page
    assert "takes 900 B of flash, and pic32 gives 100 B" in page


def test_a_studys_page_shows_what_was_found_out_as_a_tree(study):
    assert "found out" not in study_report(study)
    evil = Finding("f(<b>)", "nothing <b>", "open", float("inf"))
    found = Finding("f(a, b)", "a product", "believed", 1e-3, parts=(evil,))
    page = study_report(replace(study, findings=found))
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
    page = study_report(none)
    assert "No candidate was chosen" in page
    assert "the export is the table" in page


def test_a_study_without_candidates_has_a_page(study):
    page = study_report(replace(study, candidates=()))
    assert data_of(page)["candidates"] == []


def test_no_map_hides_the_largest_error_that_a_point_found(study):
    c = study.chosen
    (one,) = data_of(report(study, c))["candidates"]
    (grid,) = one["drawn"]["maps"]
    residual = np.abs(c.formula(study.points) - study.truth).max()
    assert np.nanmax(np.abs(unpacked(grid))) == pytest.approx(residual, rel=1e-3)


def test_without_kept_answers_the_slices_show_the_formula(study):
    c = study.chosen
    page = data_of(report(study, c))
    (one,) = page["candidates"]
    for line, drawn in zip(page["shared"]["lines"], one["drawn"]["slices"], strict=True):
        x = np.tile(c.score.teacher.max_error_at, (97, 1))
        x[:, line["input"]] = unpacked(line["x"])
        assert drawn["reference"] == "formula"
        span = drawn["values"]["high"] - drawn["values"]["low"]
        np.testing.assert_allclose(unpacked(drawn["values"]), c.formula(x), atol=2e-3 * span)


def test_what_is_proven_is_told_from_what_is_sampled(study):
    c = study.candidates[0]
    known = [claim.known for claim in claims(study, c)]
    assert "proven" not in known
    assert known.count("sampled") == 4  # largest error and RMSE, against teacher and reference
    assert known[-1] == "measured" or known[-1] == "estimated"
    proof = Proof(3 * c.score.max_error, c.score.max_error, c.score.teacher.max_error_at, 77)
    facts = (Fact("finite everywhere", True), Fact("increasing in humidity", False))
    sure = replace(c, score=replace(c.score, proof=proof, facts=facts))
    first, finite, increasing, *_ = claims(study, sure)
    assert (first.known, finite.known, increasing.known) == ("proven", "proven", "open")
    assert "77 boxes" in first.basis


@pytest.mark.parametrize("values", [
    np.array([[1.0, -2.0], [np.nan, 5.0]]),
    np.array([3.0, 3.0]),
    np.array([-1e308, 0.0, 1e308]),
    np.array([np.nan]),
    np.array([]),
])  # fmt: skip
def test_packed_numbers_come_back_to_16_bits(values):
    array = packed(values)
    with np.errstate(over="ignore"):
        share = unpacked(array) if abs(array["high"]) < 1e300 else values.ravel()
    span = array["high"] / 2 - array["low"] / 2
    np.testing.assert_allclose(share, values.ravel(), atol=span / 30_000)
    json.dumps(array, allow_nan=False)


def test_a_formula_without_finite_values_can_be_shown(study):
    c = study.candidates[0]
    text = "sqrt(0 - temperature) + 0*humidity"
    hollow = replace(c, formula=Formula.parse(text, study.domain))
    errors = replace(c.score.teacher, max_error=float("inf"), non_finite=4100)
    hollow = replace(hollow, score=replace(c.score, teacher=errors))
    (one,) = data_of(report(study, hollow))["candidates"]
    assert one["figures"]["error"] is None
    assert one["drawn"]["worst"] is None
    assert "no finite value at 4,100 of the points" in [claim["says"] for claim in one["claims"]]


def test_costs_say_for_each_target_how_they_are_known(study):
    c = study.chosen
    elsewhere = {
        **c.cost,
        "avr": {"instructions": 4321.6, "instructions_max": 5000.0, "flash_bytes": 660,
                "ram_bytes": 0, "stack_bytes": 18, "unit": "cycles", "arithmetic": "float32",
                "compiler": "avr-gcc 5.4", "measured": True},
        "host": {"instructions": 21.0, "unit": "instructions", "arithmetic": "float32",
                 "flash_bytes": None, "compiler": "estimated", "measured": False},
    }  # fmt: skip
    page = report(study, replace(c, cost=elsewhere))
    (one,) = data_of(page)["candidates"]
    rows = {target: cells for target, *cells in one["costs"]["rows"]}
    assert list(rows) == ["pic32", "avr", "host"]  # the study's own first
    assert rows["avr"] == ["4,322 cycles", "5,000", "660", "0", "18", "float32",
                           "measured, avr-gcc 5.4"]  # fmt: skip
    assert rows["host"] == ["21 instructions", "", "", "", "", "float32",
                            "estimated from its operations"]  # fmt: skip
    # What is claimed is about the study's target alone.
    told = [claim["says"] for claim in one["claims"] if "a call" in claim["says"]]
    assert [says.rpartition(" ")[2] for says in told] == ["pic32"]


def test_what_failed_or_was_not_run_is_seen_first(study):
    checks = [
        {"name": "strict C", "passed": True, "detail": "no warnings"},
        {"name": "host against the teacher", "passed": True, "detail": "off by 0.06"},
        {"name": "Frama-C", "passed": None, "detail": "not installed"},
        {"name": "limits", "passed": False, "detail": "too much flash"},
    ]
    found = checked({"checks": checks})
    assert found.told == "2 of 3 checks passed; 1 not run."
    assert [c.name for c in found.notable] == ["limits", "host against the teacher", "Frama-C"]
    assert [c.name for c in found.passed] == ["strict C"]
    assert checked(None) is None
    page = study_report(replace(study, evidence={"checks": checks}))
    assert page.index("too much flash") < page.index("not installed") < page.index("no warnings")
    assert '<span class="badge bad">FAILED</span>' in page
