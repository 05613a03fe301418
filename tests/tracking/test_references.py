"""What people write to mean a candidate, and what they have done in MLflow's own pages.

On a local store and over http, with PostgreSQL behind the server.
"""

import re
from dataclasses import replace

import pytest

from distill.errors import TrackingError
from distill.tracking.choose import champion_of_run, choose_candidate
from distill.tracking.fetch import load_candidate_run
from distill.tracking.log import log_study
from distill.tracking.store import open_store

MODEL = "distill-found"


@pytest.fixture(scope="module", params=["sqlite", "server"])
def store(request, tmp_path_factory):
    """An empty store of each kind."""
    root = tmp_path_factory.mktemp("references")
    if request.param == "server":
        server, empty = request.getfixturevalue("shared")
        empty()
        return open_store(root, server.url)
    (root / "mlflow").mkdir()
    (root / "mlflow" / "mlflow.db").write_bytes(request.getfixturevalue("template").read_bytes())
    return open_store(root)


@pytest.fixture(scope="module")
def found(make):
    return replace(make((1, 2, 4), key="7e" * 32), teacher_name="found")


@pytest.fixture(scope="module")
def logged(found, store):
    return log_study(found, store)


@pytest.fixture(scope="module")
def ids(found, logged):
    """The runs of the candidates, in their order; the third is the rule's choice."""
    return [logged.run_ids[c.id] for c in found.candidates]


@pytest.fixture
def client(store, ids):
    """A client of the store, whose tags and alias are put back afterwards."""
    client = store.client()
    kept = {run: dict(client.get_run(run).data.tags) for run in ids}
    yield client
    for run, tags in kept.items():
        for name in ("distill.chosen", "distill.chosen_by"):
            client.set_tag(run, name, tags[name])
    client.set_registered_model_alias(MODEL, "champion", "1")


def refused(reference, store, says):
    with pytest.raises(TrackingError) as caught:
        load_candidate_run(reference, store)
    assert says in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "reference",
    [
        f"models:/{MODEL}@champion",
        f"models:/{MODEL}/1",
        "operon pic32 7e7e7e7e",
        "found/operon pic32 7e7e7e7e",
        "7e7e7e7e7e",
        "7E" * 32,
    ],
)
def test_the_chosen_one_has_many_names(reference, store, ids):
    assert load_candidate_run(f" {reference} ", store).run_id == ids[2]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("0" * 32, "no candidate `0{32}`: no run's id"),
        (f"models:/{MODEL}@best", "no version or alias `best`.*@champion"),
        (f"models:/{MODEL}/77", "no version or alias `77`.*go up to 1"),
        ("models:/distill-fuond/1", f"no registered model `distill-fuond`.*{MODEL}"),
        (f"models:/{MODEL}", "models:/NAME@champion"),
        ("models:/a'b/1", "no registered model"),
        ("operon pic32 7e7e7e7f", "similar name: `operon pic32 7e7e7e7e`"),
        ("'; DROP TABLE runs", "no candidate"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(reference, says, store, logged):
    with pytest.raises(TrackingError) as caught:
        load_candidate_run(reference, store)
    assert re.search(says, str(caught.value), re.DOTALL), str(caught.value)


def test_a_version_that_was_made_from_no_run(store, client):
    client.create_registered_model("alien")
    client.create_model_version("alien", "s3://elsewhere/model")
    refused("models:/alien/1", store, "was not made from a run")


def test_a_run_of_another_project(store, client):
    run = client.create_run(client.create_experiment("theirs")).info.run_id
    assert "theirs" in refused(run, store, "of another project").where
    refused(run[:12], store, "of another project")
    client.create_registered_model("theirs")
    client.create_model_version("theirs", f"runs:/{run}/model", run)
    refused("models:/theirs/1", store, "of another project")


def test_a_deleted_run_says_how_it_comes_back(store, client, ids):
    client.delete_run(ids[2])
    try:
        error = refused(ids[2], store, f"the run {ids[2]} was deleted")
        assert f"mlflow runs restore --run-id {ids[2]}" in error.hint
        assert store.uri in error.hint
        refused(f"models:/{MODEL}@champion", store, "was deleted")
        refused("operon pic32 7e7e7e7e", store, "no chosen candidate")
    finally:
        client.restore_run(ids[2])
    assert load_candidate_run(ids[2], store).run_id == ids[2]


def test_a_deleted_experiment_says_how_it_comes_back(store, client, ids, logged):
    client.delete_experiment(logged.experiment_id)
    try:
        error = refused(ids[0], store, "the experiment `distill/found`")
        assert f"restore --experiment-id {logged.experiment_id}" in error.hint
        refused(f"models:/{MODEL}/1", store, "the experiment `distill/found`")
        refused("operon pic32 7e7e7e7e", store, "no candidate")
    finally:
        client.restore_experiment(logged.experiment_id)
    assert load_candidate_run(ids[0], store).run_id == ids[0]


def test_a_tag_set_in_the_pages_counts_before_the_rule(store, client, ids):
    client.set_tag(ids[0], "distill.chosen", "true")
    assert load_candidate_run("operon pic32 7e7e7e7e", store).run_id == ids[0]


def test_a_choice_that_was_taken_back_is_none(store, client, ids):
    client.set_tag(ids[2], "distill.chosen", "false")
    client.delete_registered_model_alias(MODEL, "champion")
    error = refused("7e7e7e7e", store, "no chosen candidate")
    assert ids[0] in error.what


def test_a_choice_and_what_the_pages_make_of_it(store, client, ids):
    run = load_candidate_run(ids[1], store)
    chosen = choose_candidate(champion_of_run(run), run, store)
    assert (chosen.model, chosen.before) == (MODEL, "1")
    assert [name.split()[0] for name in chosen.unmarked] == ["c03"]
    tags = [client.get_run(i).data.tags for i in ids]
    assert [t["distill.chosen"] for t in tags] == ["false", "true", "false", "false"]
    assert tags[1]["distill.chosen_by"] == "person"
    assert tags[1]["mlflow.runColor"] != tags[2]["mlflow.runColor"]
    for reference in ("7e7e7e7e", f"models:/{MODEL}@champion"):
        assert load_candidate_run(reference, store).run_id == ids[1]
    # Again is nothing new.
    again = choose_candidate(champion_of_run(run), run, store)
    assert (again.version, again.before, again.unmarked) == (chosen.version, chosen.version, ())
    # The alias, moved in the pages back to the rule's version, counts before the older choice.
    client.set_registered_model_alias(MODEL, "champion", "1")
    assert load_candidate_run("7e7e7e7e", store).run_id == ids[2]
    # A tag and an alias that mean different candidates are not guessed at.
    client.set_tag(ids[0], "distill.chosen", "true")
    error = refused("7e7e7e7e", store, "several candidates of the study are chosen")
    assert ids[0] in error.what
    assert ids[2] in error.what
    run = load_candidate_run(ids[0], store)
    choose_candidate(champion_of_run(run), run, store)
    assert load_candidate_run("7e7e7e7e", store).run_id == ids[0]


def test_a_study_of_the_same_teacher_leaves_a_persons_choice(make, store, client, ids):
    run = load_candidate_run(ids[1], store)
    mine = choose_candidate(champion_of_run(run), run, store)
    other = log_study(replace(make((1, 2), key="8f" * 32), teacher_name="found"), store)
    alias = client.get_model_version_by_alias(MODEL, "champion")
    assert (str(alias.version), alias.run_id) == (mine.version, ids[1])
    assert int(other.model_version) > int(mine.version)
    # That study has its own choice.
    assert load_candidate_run("8f8f8f8f", store).run_id != ids[1]
    # On the newest version the alias follows the rule again.
    client.set_registered_model_alias(MODEL, "champion", other.model_version)
    newer = log_study(replace(make((1, 4), key="9f" * 32), teacher_name="found"), store)
    alias = client.get_model_version_by_alias(MODEL, "champion")
    assert str(alias.version) == newer.model_version


def test_deleted_versions_and_models(make, store, client):
    study = replace(make((1,), key="af" * 32), teacher_name="thrown_away")
    name, run_id = "distill-thrown_away", log_study(study, store).run_ids[study.chosen.id]
    client.delete_model_version(name, "1")
    refused(f"models:/{name}/1", store, f"`{name}` has no version or alias `1`")
    error = refused(f"models:/{name}@champion", store, "no version or alias `champion`")
    assert "go up to 0; its aliases: none" in error.hint
    # The study has its choice all the same, and can be chosen again.
    assert load_candidate_run("afafafaf", store).run_id == run_id
    client.delete_registered_model(name)
    refused(f"models:/{name}@champion", store, f"no registered model `{name}`")
    run = load_candidate_run("afafafaf", store)
    assert choose_candidate(champion_of_run(run), run, store).version == "1"
    assert load_candidate_run(f"models:/{name}@champion", store).run_id == run_id


def test_a_candidate_of_a_deleted_study_is_still_there(make, store, client):
    study = replace(make((1,), key="bf" * 32), teacher_name="orphaned")
    logged = log_study(study, store)
    client.delete_run(logged.parent_run_id)
    run_id = logged.run_ids[study.chosen.id]
    assert load_candidate_run(run_id, store).config == study.config
    refused("bfbfbfbf", store, "no candidate `bfbfbfbf`")


@pytest.mark.parametrize("where", ["choose", "pages"])
def test_logging_again_leaves_a_persons_choice(found, logged, store, client, ids, where):
    """Where what is logged has changed, as after an update of the package."""
    if where == "choose":
        run = load_candidate_run(ids[1], store)
        choose_candidate(champion_of_run(run), run, store)
    else:
        client.set_tag(ids[1], "distill.chosen", "true")
    before = [client.get_run(i).data.tags for i in ids]
    changed = replace(
        found, candidates=tuple(replace(c, origin=f"{c.origin}, {where}") for c in found.candidates)
    )
    assert log_study(changed, store).run_ids == logged.run_ids
    after = [client.get_run(i).data.tags for i in ids]
    kept = ("distill.chosen", "distill.chosen_by", "mlflow.runColor")
    assert [[t[k] for k in kept] for t in after] == [[t[k] for k in kept] for t in before]
    assert [t["distill.digest"] for t in after] != [t["distill.digest"] for t in before]
    assert load_candidate_run("7e7e7e7e", store).run_id == ids[1]
