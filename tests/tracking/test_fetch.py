import json
from dataclasses import replace

import pytest

from distill.engines.base import Candidate
from distill.errors import TrackingError
from distill.tracking.fetch import load_candidate_run
from distill.tracking.log import log_study


@pytest.fixture(scope="module")
def logged(study, store):
    return log_study(study, store)


def test_a_candidate_comes_back_exactly(study, store, logged):
    c = study.candidates[1]
    got = load_candidate_run(logged.run_ids[c.id], store)
    assert got.candidate == c
    assert got.config == study.config
    assert (got.run_id, got.study_key) == (logged.run_ids[c.id], study.key)
    assert Candidate.from_data(got.candidate.candidate_data).id == c.id


def test_the_start_of_an_id_is_enough(study, store, logged):
    run_id = logged.run_ids[study.candidates[0].id]
    assert load_candidate_run(f" {run_id[:9].upper()} ", store).run_id == run_id


def test_the_start_of_several_ids_lists_them(study, store, logged):
    firsts = [r[0] for r in (*logged.run_ids.values(), logged.parent_run_id)]
    shared = next((f for f in firsts if firsts.count(f) > 1), None)
    extra = 0
    while shared is None:
        # Ids are random: make studies until two of them start alike (17 runs do for certain).
        extra += 1
        more = log_study(replace(study, key=f"{extra:02d}" * 32), store)
        firsts += [r[0] for r in more.run_ids.values()]
        shared = next((f for f in firsts if firsts.count(f) > 1), None)
    with pytest.raises(TrackingError, match="several runs") as caught:
        load_candidate_run(shared, store)
    assert caught.value.what.count("\n") >= 2


def test_the_id_of_a_study_names_its_candidates(study, store, logged):
    with pytest.raises(TrackingError, match="is a study") as caught:
        load_candidate_run(logged.parent_run_id, store)
    for run_id in logged.run_ids.values():
        assert run_id in caught.value.what
    assert caught.value.what.index("c01 ") < caught.value.what.index("c04 ")


@pytest.mark.parametrize("wrong", ["0" * 32, "", "no id", "a' OR '1'='1", "%", "f" * 33])
def test_an_unknown_id_says_where_to_find_one(store, logged, wrong):
    with pytest.raises(TrackingError, match="no candidate") as caught:
        load_candidate_run(wrong, store)
    assert "distill ui" in caught.value.hint


def test_an_empty_store_has_no_candidate(own_store):
    with pytest.raises(TrackingError, match="no candidate"):
        load_candidate_run("abc", own_store)


def test_a_run_of_somebody_else_is_refused(store, logged):
    run = store.client().create_run(logged.experiment_id).info.run_id
    with pytest.raises(TrackingError, match="not logged by distill"):
        load_candidate_run(run, store)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"version": 9}', '{"version": 2}'])
def test_a_damaged_file_is_said(study, store, content):
    study = replace(study, key="dd" * 32, teacher_name="damaged")
    logged = log_study(study, store)
    run_id = logged.run_ids[study.candidates[0].id]
    client = store.client()
    path = store.artifacts / "damaged" / run_id / "artifacts" / "candidate.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    try:
        with pytest.raises(TrackingError) as caught:
            load_candidate_run(run_id, store)
        assert "`distill sync study=dddddddddddddddd`" in caught.value.hint
    finally:
        path.write_text(json.dumps(study.candidates[0].to_data()))
    assert client.get_run(run_id).info.run_id == load_candidate_run(run_id, store).run_id
