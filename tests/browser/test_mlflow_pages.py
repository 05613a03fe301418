"""MLflow's own pages over a small real study: the prepared comparison, and choosing there."""

from __future__ import annotations

import contextlib
import io
import json
import math
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from distill import cli
from distill.tracking.store import Store, open_store
from distill.tracking.ui import running
from distill.tracking.view import view_key, view_url

SMALL = [
    "engine=polynomial", "engine.options.max_terms=3", "engine.rounds=1", "engine.keep=5",
    "sampling.points=256", "score=quick", "score.points=500", "tolerance=3",
    "target=host", "export.verify=false",
]  # fmt: skip
PLOTS = "[...document.querySelectorAll('.js-plotly-plot')]"
# What MLflow remembers of a visitor who has closed its assistant, which covers a quarter else.
SEEN = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"


@dataclass
class Site:
    """A study in a store that MLflow serves."""

    folder: Path
    store: Store
    url: str
    experiment: str
    parent: str
    key: str
    chosen: str

    def runs(self) -> list[Any]:
        """The candidates' runs, simplest first."""
        found = self.store.client().search_runs(
            [self.experiment], "tags.`distill.kind`='candidate'"
        )
        return sorted(found, key=lambda run: run.data.metrics["complexity"])

    def link(self, mode: Any) -> str:
        return view_url(self.url, self.experiment, view_key(self.key), mode)


def result(*arguments: str) -> dict[str, Any]:
    """What a command of ours says with ``--json``."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = cli.main(list(arguments))
    assert code == 0, out.getvalue() + error.getvalue()
    return json.loads(out.getvalue().splitlines()[-1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("user")
    with contextlib.chdir(folder):
        (made,) = result("run", "--json", *SMALL)["studies"]
        store = open_store(folder / "studies")
        runs = made["mlflow"]["candidates"]
        chosen = runs[made["chosen"]["id"]]
        run = store.client().get_run(chosen)
        with running(store, free_port()) as server:
            parent, key = (run.data.tags[t] for t in ("mlflow.parentRunId", "distill.key"))
            yield Site(folder, store, server.url, run.info.experiment_id, parent, key, chosen)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(60_000)
    page.add_init_script(SEEN)
    yield page
    page.close()


def scatter(page: Any) -> Any:
    """The first scatter, when it shows its points."""
    plot = page.locator(".js-plotly-plot:has(.scatterlayer .point)").first
    plot.wait_for()
    return plot


def test_the_link_opens_accuracy_against_cost_with_the_front_marked(site, page):
    page.goto(site.link("CHART"))
    scatter(page)
    runs = site.runs()
    (shown, *_) = page.evaluate(
        f"{PLOTS}.flatMap(p => p.data).filter(d => d.type == 'scatter')"
        ".map(d => ({x: [...d.x], y: [...d.y], colour: [...d.marker.color]}))"
    )
    # The teacher's own closed form is a thousand times as long as the formulas: logarithms.
    metrics = [run.data.metrics for run in runs]
    wanted = [(math.log10(m["complexity"]), math.log10(m["accuracy/max_error"])) for m in metrics]
    points = sorted(zip(shown["x"], shown["y"], strict=True))
    assert points == [pytest.approx(at) for at in sorted(wanted)]
    colours = {run.info.run_id: run.data.tags["mlflow.runColor"] for run in runs}
    assert sorted(shown["colour"]) == sorted(colours.values())
    assert list(colours.values()).count(colours[site.chosen]) == 1
    assert page.get_by_text("Accuracy and cost").count() == 1


def test_all_figures_at_once_are_axes_side_by_side(site, page):
    page.goto(site.link("CHART"))
    scatter(page)
    page.get_by_text("All at once").scroll_into_view_if_needed()
    page.locator(".parcoords .dimension").first.wait_for(state="attached")
    assert page.locator(".parcoords .dimension .label").all_text_contents() == [
        "log10_complexity",
        "accuracy/log10_max_error",
        "accuracy/log10_certified_error",
        "cost/host/log10_instructions",
        "cost/host/flash_bytes",
    ]


def test_the_table_has_readable_formulas_and_sorts(site, page):
    page.goto(site.link("TABLE"))
    runs = site.runs()
    for run in runs[:3]:
        page.get_by_text(run.data.params["formula"], exact=True).wait_for()
    head = page.get_by_test_id("sort-header-accuracy/max_error")
    for reverse in (True, False):
        head.click()
        by_error = sorted(
            runs, key=lambda run: run.data.metrics["accuracy/max_error"], reverse=reverse
        )
        # The rows of the table are in any order in the page; their numbers say where they stand.
        for k, run in enumerate(by_error):
            page.locator(f"[row-index='{k}'] a[href*='{run.info.run_id}']").wait_for()


def test_a_click_on_a_point_leads_to_its_run(site, page):
    page.goto(site.link("CHART"))
    plot = scatter(page)
    # The closed form stands alone: no other point is near.
    run = max(site.runs(), key=lambda run: run.data.metrics["complexity"])
    boxes = [point.bounding_box() for point in plot.locator(".scatterlayer .point").all()]
    box = max(boxes, key=lambda box: box["x"])
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 30, y - 30)
    page.mouse.move(x, y, steps=5)
    page.get_by_text("Y (accuracy/log10_max_error):").wait_for()
    page.mouse.click(x, y)
    tip = page.locator("div:has(> a[href*='/runs/'])", has_text=run.info.run_name).last
    with page.context.expect_page() as opened:
        tip.locator("a").click()
    there = opened.value
    there.get_by_role("heading", name=run.info.run_name).wait_for()
    assert f"/runs/{run.info.run_id}" in there.url
    there.close()


def test_the_report_of_a_run_is_drawn_in_its_artifacts(site, page):
    run = site.runs()[0].info
    page.goto(
        f"{site.url}/#/experiments/{site.experiment}/runs/{run.run_id}/artifacts/report.html"
        "?workflowType=machine_learning"
    )
    report = page.frame_locator("iframe")
    report.locator("#details path.curve.formula").first.wait_for(state="attached")
    assert f"distill export run={run.run_id}" in report.locator("#take").inner_text()


@pytest.mark.slow  # without a browser: tests/cli/test_choose.py
def test_what_a_person_tags_is_exported_and_verified(site, page, monkeypatch):
    mine = site.runs()[1].info.run_id
    assert mine != site.chosen
    page.goto(f"{site.url}/#/experiments/{site.experiment}/runs/{mine}")
    page.get_by_role("button", name="Edit tags").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox").fill("distill.chosen")
    page.keyboard.press("Enter")
    form.get_by_label("Value").fill("true")
    form.get_by_role("button", name="Add tag").click()
    form.get_by_role("button", name="Save tags").click()
    form.wait_for(state="hidden")
    monkeypatch.chdir(site.folder)
    told = result(
        "export", "--json", f"run={site.key[:12]}", "export.directory=mine", "export.verify=true"
    )
    assert told["run"] == mine
    bundle = json.loads((site.folder / "mine" / "bundle.json").read_text())
    files = site.store.client().get_run(mine).info.artifact_uri.removeprefix("file://")
    candidate = json.loads(Path(files, "candidate.json").read_text())
    assert bundle["formula"] == candidate["candidate"]["formula"]["text"]
    assert bundle["verified"] is True
