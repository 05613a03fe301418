"""Closed forms and classifiers in records, MLflow and reports: words and counts."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.scoring.labels import Labels
from distill.tracking.entries import (
    candidate_metrics,
    candidate_tags,
    run_name,
    study_metrics,
)
from distill.tracking.fetch import load_candidate_run
from distill.tracking.front_figure import front_figure
from distill.tracking.front_table import front_table
from distill.tracking.log import log_study
from distill.tracking.places import box, place
from distill.tracking.plots import CandidatePlots
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.report import Figures, candidate_report, study_report

LABELS = Labels(((40, 2), (1, 57)))


def layer(seed: int, inputs: int, outputs: int) -> Affine:
    random = np.random.default_rng(seed)
    return Affine(random.normal(size=(outputs, inputs)), random.normal(size=outputs))


@pytest.fixture(scope="module")
def exact(study):
    """The study with a network in the place of the chosen formula, judged to be without error."""
    chain = Chain(2, (layer(0, 2, 30), Apply("tanh", 30), layer(1, 30, 2)))
    found = Candidate(ClosedForm(chain, study.domain, 1), "exact", "the teacher's own steps")
    old = study.chosen
    score = replace(old.score, teacher=replace(old.score.teacher, max_error=0.0), labels=LABELS)
    cost = {"pic32": {**old.cost["pic32"], "instructions": 290_705.25}}
    own = replace(
        old, id=found.id, engine="exact", formula=found.formula, candidate_data=found.to_data(),
        score=score, cost=cost, within_tolerance=True,
    )  # fmt: skip
    rows = tuple(own if c is old else c for c in study.candidates)
    return replace(
        study, candidates=rows, outputs=2, classes=("dry", "wet"), labels=LABELS, key="c1" * 32
    )


def test_a_record_holds_a_closed_form_once(exact, tmp_path):
    save_record(exact, tmp_path)
    text = (tmp_path / "study.json").read_text()
    (weights,) = re.findall(r"[\w+/]{300,}=*", json.dumps(exact.chosen.candidate_data))[:1]
    assert text.count(weights) == 1
    again = load_record(tmp_path)
    assert again.to_data() == exact.to_data()
    assert again.chosen.formula == exact.chosen.formula
    assert again.labels == LABELS


def test_the_front_has_a_logarithmic_axis_where_costs_span_decades(study, exact):
    assert front_figure(study).axes[0].get_xscale() == "linear"
    assert front_figure(exact, "pic32").axes[0].get_xscale() == "log"


def test_a_candidate_without_error_stands_below_all_others(exact):
    axes = front_figure(exact).axes[0]
    told = {text.get_text(): text.xy for text in axes.texts}
    lowest = told.pop(f"{exact.label(exact.chosen)} (no error)")
    assert lowest[1] < min(y for _, y in told.values())
    assert axes.get_ylim()[0] < lowest[1]


def test_without_an_error_there_is_no_worst_point(exact):
    plots = CandidatePlots(exact)
    plots.draw(exact.chosen)
    maps = plots._residuals
    assert len(maps._marks[0].get_xdata()) == 0
    assert maps._title.text == "c04: no error at any of 4,100 points"


def page_of(record):
    figures = Figures(record, together=1)
    return candidate_report(record, record.chosen, "0123", figures)


def test_a_page_says_what_a_closed_form_is_and_how_large(exact):
    page = page_of(exact)
    assert '"formula":"network 2-30-2, tanh"' in page
    assert '["this one","output 2 of 2"]' in page
    assert f'["constants stored","{exact.chosen.formula.chain.stored:,}"]' in page
    assert '"mathml":""' in page
    assert "290,705" in page
    assert len(page) < 100_000


def test_pages_have_a_table_of_the_labels(exact):
    assert "97.00 % of 100 fresh points" in page_of(exact)
    page = study_report(exact)
    row = '<th scope="row">dry</th><td class="same">40</td><td class="off">2</td></tr>'
    assert page.count(row) == 1  # that of all outputs together
    assert '"confusion":[[40,2],' in page  # the chosen one's
    assert "Labels by all 2 outputs together" in page
    assert '"button">labels agree<' in page
    many = replace(exact, classes=tuple(f"class_{i}" for i in range(40)))
    assert "class_39" not in page_of(many)


def test_agreement_and_form_are_in_mlflow(exact):
    chosen = exact.chosen
    assert candidate_metrics(chosen)["accuracy/agreement"] == 0.97
    assert study_metrics(exact)["all_outputs/agreement"] == 0.97
    tags = candidate_tags(exact, chosen)
    assert tags["distill.form"] == "closed form"
    assert tags["distill.output"] == "wet_bulb"
    assert "the teacher's label at 97.00% of 100 points" in tags["mlflow.note.content"]
    assert run_name(exact, chosen) == "c04 network 2-30-2, tanh"
    assert exact.name.startswith("wet_bulb operon pic32 ")
    assert front_table(exact)["agreement"].count(0.97) == 1


def test_the_champion_of_a_closed_form_answers_and_is_fetched(exact, store, monkeypatch):
    import mlflow

    logged = log_study(exact, store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    mlflow.set_tracking_uri(store.uri)
    # Of a teacher of two outputs each has a model of its own.
    model = mlflow.pyfunc.load_model("models:/distill-wet_bulb-wet_bulb@champion")
    x = exact.domain.sample(50, seed=6)
    answers = model.predict(pd.DataFrame(x, columns=list(exact.domain.names)))
    np.testing.assert_array_equal(answers["wet_bulb"].to_numpy(), exact.chosen.formula(x))
    fetched = load_candidate_run(logged.run_ids[exact.chosen.id], store)
    assert fetched.candidate.formula == exact.chosen.formula
    assert Candidate.from_data(fetched.candidate.candidate_data).id == exact.chosen.id


def test_whole_numbers_are_drawn_as_areas(exact):
    yes = replace(exact, truth=(exact.truth > 20).astype(float))
    plots = CandidatePlots(yes)
    plots.draw(exact.candidates[0])  # one value, whatever the input
    sizes = plots._parity._areas.get_sizes()
    assert len(sizes) == 2
    assert len(plots._parity._dots.get_xdata()) == 0
    CandidatePlots(exact).draw(exact.candidates[3])
    plots.draw(exact.candidates[3])  # a network's answers are all different
    assert len(plots._parity._areas.get_sizes()) == 0


def test_sixty_four_inputs_are_cut_where_they_are_named(exact):
    domain = Domain.box(**{f"pixel_{i}": (0, 16) for i in range(64)})
    assert place(domain, [3.0] * 64).endswith("pixel_5 = 3, and 58 more inputs")
    assert box(domain).startswith("pixel_0 0 to 16; ")
    assert json.dumps(box(domain)).count("pixel") == 6
    assert place(exact.domain, (46.4, 74.17)) == "temperature = 46.4 degC, humidity = 74.17 percent"
