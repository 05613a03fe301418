"""``distill sync`` on a local store; tests/servers has what may happen on the way to a server."""

from dataclasses import replace

import pytest

from distill import cli
from distill.errors import StorageError, TrackingError
from distill.progress import Silent
from distill.tracking.fetch import load_candidate_run
from distill.tracking.live import live
from distill.tracking.log import log_study
from distill.tracking.record_folder import save_record
from distill.tracking.store import open_store
from distill.tracking.sync import LOGGED, log_again, logged_place, sync, track
from distill.tracking.unfinished import Search


def record(make, root, key, name):
    """A study of two candidates on disk, none chosen: a model has many files. Gives its folder."""
    study = make((1,), key=key * 32)
    unchosen = tuple(replace(candidate, chosen=False) for candidate in study.candidates)
    study = replace(study, teacher_name=name, candidates=unchosen)
    folder = root / name / "study" / study.key[:16]
    save_record(study, folder)
    return folder


def runs_of(uri, name):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"distill/{name}")
    return [] if experiment is None else client.search_runs([experiment.experiment_id])


def whole(uri, *names):
    """Whether each study is there once: its own run, two candidates, all finished."""
    found = [run for name in names for run in runs_of(uri, name)]
    kinds = sorted(run.data.tags["distill.kind"] for run in found)
    return kinds == sorted(["study", "candidate", "candidate"] * len(names)) and {
        run.info.status for run in found
    } == {"FINISHED"}


def test_a_study_that_is_half_there_is_completed(make, own_store, tmp_path):
    root = own_store.artifacts.parents[1]
    study = replace(make((1,), key="c1" * 32), teacher_name="half")
    folder = root / "half" / "study" / study.key[:16]
    save_record(study, folder)
    with live([Search.of(study)], root, None, Silent()) as news:
        news.begin("fit", "searching")

    class Stop(Silent):
        def advance(self, fraction, text):
            if fraction:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(root, None, Stop())
    assert [run.info.status for run in runs_of(own_store.uri, "half")].count("RUNNING") >= 1
    assert list(sync(root, None, Silent()).places) == [folder]
    assert whole(own_store.uri, "half")
    assert logged_place(folder, root, None)["uri"] == own_store.uri


def test_the_store_is_asked_and_not_only_the_mark_on_disk(make, own_store, tmp_path):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c2", "asked")
    place = track(folder, root, None, Silent())
    assert track(folder, root, None, Silent()) == place
    assert sync(root, None, Silent()).places == {}
    (folder / LOGGED).unlink()  # killed between logging and writing it down
    assert sync(root, None, Silent()).places == {}
    # What a person deleted stays deleted.
    client = own_store.client()
    for run_id in [place["run"], *place["candidates"].values()]:
        client.delete_run(run_id)
    assert sync(root, None, Silent()).places == {}
    assert runs_of(own_store.uri, "asked") == []


def test_another_store_gets_it_too(make, own_store, template, tmp_path):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c3", "moved")
    assert len(sync(root, None, Silent()).places) == 1
    other = tmp_path / "other" / "mlflow.db"
    other.parent.mkdir()
    other.write_bytes(template.read_bytes())
    uri = f"sqlite:///{other}"
    assert logged_place(folder, root, uri) is None
    assert list(sync(root, uri, Silent()).places) == [folder]
    assert whole(uri, "moved")
    assert logged_place(folder, root, uri)["uri"] == uri
    other.unlink()
    assert logged_place(folder, root, uri) is None


def test_a_record_that_cannot_be_read_keeps_no_other_back(make, own_store, capsys):
    root = own_store.artifacts.parents[1]
    bad, good = record(make, root, "c4", "a_broken"), record(make, root, "c5", "b_good")
    (bad / "study.json").write_text("{")
    assert cli.main(["sync", f"root={root}"]) == StorageError.exit_code
    out, err = capsys.readouterr()
    assert "1 study logged." in out
    assert "1 of the recorded studies cannot be read" in err
    assert str(bad) in err
    assert (good / LOGGED).exists()
    assert whole(own_store.uri, "b_good")


def test_nothing_recorded_needs_no_store(tmp_path, capsys):
    assert cli.main(["sync", f"root={tmp_path}", "uri=http://127.0.0.1:9"]) == 0
    assert capsys.readouterr().out == "0 studies logged.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_logged_study_can_be_logged_by_hand_too(make, own_store):
    root = own_store.artifacts.parents[1]
    study = replace(make((1,), key="c6" * 32), teacher_name="by_hand")
    save_record(study, root / "by_hand" / "study" / study.key[:16])
    log_study(study, open_store(root))
    assert sync(root, None, Silent()).places == {}


def test_files_that_got_lost_are_logged_again(make, own_store, capsys):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c7", "lost")
    (place,) = sync(root, None, Silent()).places.values()
    run_id, *_ = place["candidates"].values()
    file = own_store.artifacts / "lost" / run_id / "artifacts" / "candidate.json"
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(
        TrackingError, match=r"`candidate.json` of the run cannot be read"
    ) as caught:
        load_candidate_run(run_id, own_store)
    assert f"`distill sync study={folder.name}`" in caught.value.hint
    assert cli.main(["sync", f"root={root}"]) == 0  # which looks at runs, not at files
    assert not file.exists()
    assert cli.main(["sync", f"root={root}", f"study={folder.name}"]) == 0
    assert capsys.readouterr().out == "0 studies logged.\n1 study logged.\n"
    assert file.read_bytes() == content
    assert whole(own_store.uri, "lost")
    assert cli.main(["sync", f"root={root}", "study=nothing"]) == 2
    assert "there is no study `nothing`" in capsys.readouterr().err


def test_what_a_person_deleted_comes_back_when_asked_for(make, own_store):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c8", "wanted")
    place = track(folder, root, None, Silent())
    for run_id in [place["run"], *place["candidates"].values()]:
        own_store.client().delete_run(run_id)
    assert list(log_again(folder.name[:8], root, None, Silent()).places) == [folder]
    assert whole(own_store.uri, "wanted")
