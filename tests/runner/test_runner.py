"""Keys, folders, reuse, and what a kill or a full disk leaves behind."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.errors import StorageError
from distill.files import disk_errors, whole_folder, write_whole
from distill.interrupts import listening
from distill.journal import Journal
from distill.progress import Silent
from distill.runner import Runner, Stage, Work, key_of
from tests.heard import Heard


def _save(result: int, folder: Path) -> None:
    (folder / "number.txt").write_text(str(result))


def _load(folder: Path) -> int:
    return int((folder / "number.txt").read_text())


NUMBER = Stage("number", _save, _load, lambda n: f"{n}")


def test_a_result_is_computed_once_and_then_reused(tmp_path: Path) -> None:
    heard, calls = Heard(), []
    runner = Runner(tmp_path, heard)

    def produce(work: Work) -> int:
        calls.append(1)
        return 42

    first = runner.run(NUMBER, {"a": 1}, ["in"], "counting", produce)
    second = runner.run(NUMBER, {"a": 1}, ["in"], "counting", produce)
    assert (first.result, second.result, len(calls)) == (42, 42, 1)
    assert (first.reused, second.reused) == (False, True)
    assert heard.ends == [("number", "42", False), ("number", "42", True)]
    assert first.folder == second.folder


def test_the_record_says_what_a_result_was_made_from(tmp_path: Path) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {"a": 1}, ["in"], "", lambda work: 7)
    record = json.loads((done.folder / "stage.json").read_text())
    assert record["stage"] == "number"
    assert record["config"] == {"a": 1}
    assert record["inputs"] == ["in"]
    assert record["key"] == done.key


@pytest.mark.parametrize(
    ("stage", "config", "inputs"),
    [("other", {"a": 1}, ["in"]), ("number", {"a": 2}, ["in"]), ("number", {"a": 1}, ["else"])],
)
def test_a_key_changes_with_each_of_its_parts(
    stage: str, config: dict[str, object], inputs: list[str]
) -> None:
    assert key_of("number", {"a": 1}, ["in"]) != key_of(stage, config, inputs)


def test_the_order_of_config_keys_does_not_matter() -> None:
    assert key_of("s", {"a": 1, "b": 2}, []) == key_of("s", {"b": 2, "a": 1}, [])


def test_a_failing_stage_leaves_no_folder_and_can_be_repeated(tmp_path: Path) -> None:
    runner = Runner(tmp_path, Silent())

    def fail(work: Work) -> int:
        work.journal.append({"half": "done"})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(NUMBER, {}, [], "", fail)
    assert not list(tmp_path.glob("number/[0-9a-f]*"))

    def resume(work: Work) -> int:
        return len(work.journal.entries())

    done = runner.run(NUMBER, {}, [], "", resume)
    assert done.result == 1, "the journal of the interrupted run is there"
    assert not list(tmp_path.glob("number/.*.partial")), "and gone after success"


def test_a_result_in_which_an_interrupt_was_lost_is_not_kept(tmp_path: Path) -> None:
    """A library caught it, and went on with less."""
    runner = Runner(tmp_path, Silent())

    def less(work: Work) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            return 1
        return 2

    with listening(), pytest.raises(KeyboardInterrupt):
        runner.run(NUMBER, {}, [], "counting", less)
    assert not list(tmp_path.rglob("stage.json"))
    assert runner.run(NUMBER, {}, [], "counting", lambda work: 2).result == 2


def test_a_failing_save_leaves_no_half_written_folder(tmp_path: Path) -> None:
    def save(result: int, folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "half.txt"))

    stage = Stage("number", save, _load, str)
    with pytest.raises(StorageError, match="disk is full"):
        Runner(tmp_path, Silent()).run(stage, {}, [], "", lambda work: 1)
    left = [
        p for p in (tmp_path / "number").iterdir() if not p.name.endswith((".lock", ".partial"))
    ]
    assert left == []


def _slow(root: str, started: str) -> None:
    def produce(work: Work) -> int:
        work.journal.append({"round": 0})
        Path(started).touch()
        time.sleep(60)
        return 0

    Runner(Path(root), Silent()).run(NUMBER, {}, [], "", produce)


def test_a_killed_run_leaves_no_lock_and_its_journal(tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = multiprocessing.get_context("spawn").Process(
        target=_slow, args=(str(tmp_path / "root"), str(started))
    )
    process.start()
    while not started.exists():
        assert process.is_alive()
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    heard = Heard()
    done = Runner(tmp_path / "root", heard).run(
        NUMBER, {}, [], "", lambda work: 10 + len(work.journal.entries())
    )
    assert done.result == 11
    assert heard.warnings == []


def _wait_for(root: str, go: str, results: "multiprocessing.Queue[tuple[int, bool]]") -> None:
    def produce(work: Work) -> int:
        while not Path(go).exists():
            time.sleep(0.02)
        return os.getpid()

    done = Runner(Path(root), Silent()).run(NUMBER, {}, [], "", produce)
    results.put((done.result, done.reused))


def test_two_runs_of_the_same_study_compute_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[int, bool]] = context.Queue()
    arguments = (str(tmp_path / "root"), str(tmp_path / "go"), results)
    both = [context.Process(target=_wait_for, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    while not list(tmp_path.glob("root/number/.*.lock")):
        assert any(process.is_alive() for process in both)
        time.sleep(0.02)
    (tmp_path / "go").touch()
    (a, a_reused), (b, b_reused) = results.get(timeout=30), results.get(timeout=30)
    for process in both:
        process.join()
    assert a == b, "both have the result of one of them"
    assert {a_reused, b_reused} == {False, True}


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("harm", [_cut, _flipped, _a_folder, Path.unlink])
@pytest.mark.parametrize("name", ["number.txt", "stage.json", "files.json"])
def test_a_damaged_result_is_never_believed_but_made_again(
    tmp_path: Path, harm: Callable[[Path], None], name: str
) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 305)
    whole = {file.name: file.read_bytes() for file in done.folder.iterdir()}
    harm(done.folder / name)
    heard = Heard()
    again = Runner(tmp_path, heard).run(NUMBER, {}, [], "", lambda work: 305)
    assert (again.result, again.reused) == (305, False)
    (warning,) = heard.warnings
    assert "of the number stage was damaged" in warning
    assert name in warning
    assert {file.name: file.read_bytes() for file in done.folder.iterdir()} == whole
    assert Runner(tmp_path, heard).run(NUMBER, {}, [], "", lambda work: 0).reused


def test_a_file_where_a_result_should_be_is_replaced(tmp_path: Path) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 3)
    shutil.rmtree(done.folder)
    done.folder.write_text("no folder")
    heard = Heard()
    again = Runner(tmp_path, heard).run(NUMBER, {}, [], "", lambda work: 3)
    assert again.result == 3
    assert len(heard.warnings) == 1


def test_what_was_added_to_a_result_does_no_harm(tmp_path: Path) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 3)
    (done.folder / ".DS_Store").touch()
    assert Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 4).reused


def test_what_a_kill_left_beside_a_finished_result_goes(tmp_path: Path) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 3)
    for left in ("partial", "distill-abc"):
        (done.folder.parent / f".{done.folder.name}.{left}").mkdir()
    Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 4)
    assert sorted(p.name for p in done.folder.parent.iterdir()) == [
        f".{done.folder.name}.lock", done.folder.name
    ]  # fmt: skip


def test_a_result_that_no_longer_loads_names_the_folder(tmp_path: Path) -> None:
    done = Runner(tmp_path, Silent()).run(NUMBER, {}, [], "", lambda work: 3)
    picky = Stage("number", _save, lambda folder: int("x"), str)
    with pytest.raises(StorageError) as caught:
        Runner(tmp_path, Silent()).run(picky, {}, [], "", lambda work: 3)
    assert str(done.folder) in caught.value.where
    assert "delete that folder" in caught.value.hint


def test_a_read_only_root_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StorageError, match="cannot write") as caught:
        Runner(file / "root", Silent()).run(NUMBER, {}, [], "", lambda work: 1)
    assert "root=" in caught.value.hint


def test_other_errors_of_the_system_are_not_disguised(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), disk_errors(tmp_path):
        tmp_path.read_text()


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    final = tmp_path / "final"
    for text in ("one", "two"):
        with whole_folder(final) as folder:
            (folder / f"{text}.txt").write_text(text)
    assert [f.name for f in final.iterdir()] == ["two.txt"]
    assert [f.name for f in tmp_path.iterdir()] == ["final"]


def test_write_whole_keeps_the_old_text_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    write_whole(path, "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["file.txt"]


def test_a_journal_drops_a_line_cut_short(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"round": 0})
    journal.append({"round": 1})
    with journal.path.open("a") as file:
        file.write('{"round": 2, "cand')
    assert journal.entries() == [{"round": 0}, {"round": 1}]
    journal.append({"round": 2})
    assert journal.entries() == [{"round": 0}, {"round": 1}, {"round": 2}]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_journal_believes_no_damaged_line(tmp_path: Path, data: st.DataObject) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.path.unlink(missing_ok=True)
    entries = [{"round": i, "worst": 0.125 + i} for i in range(3)]
    for entry in entries:
        journal.append(entry)
    text = bytearray(journal.path.read_bytes())
    at = data.draw(st.integers(0, len(text) - 1))
    before = text[:at].count(b"\n")
    text[at] ^= data.draw(st.integers(1, 255))
    journal.path.write_bytes(text)
    assert journal.entries() == entries[:before]
