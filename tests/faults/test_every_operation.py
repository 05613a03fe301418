"""Whatever happens at whichever thing a study does to the disk: the next run has it as undisturbed.

The work is what a study does there: a stage, a search that keeps a journal, a bundle for the user
that replaces an older one. ``benchmarks/faults.py`` does the same to whole studies.
"""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.errors import StorageError
from distill.files import write_whole
from distill.firmware.bundle import write_files
from distill.journal import Journal
from distill.progress import Silent
from distill.runner import Runner, Stage, Work
from tests.faults.disk import apart, counted, folders, full, interrupted, killed, tree


def _save(result: list[int], folder: Path) -> None:
    write_whole(folder / "numbers.json", json.dumps(result))
    (folder / "inner").mkdir()
    (folder / "inner" / "half.bin").write_bytes(bytes(result))


def _load(folder: Path) -> list[int]:
    return list(json.loads((folder / "numbers.json").read_text()))


SAMPLE = Stage("sample", _save, _load, str)
FIT = Stage("fit", _save, _load, str)
ROUNDS = 3


def study(folder: Path) -> None:
    """A small one in ``folder``: two stages, one with a journal, and a bundle."""
    runner = Runner(folder / "studies", Silent())
    sampled = runner.run(SAMPLE, {}, [], "", lambda work: [1, 2, 3])

    def search(work: Work) -> list[int]:
        done = [int(str(entry["round"])) for entry in work.journal.entries()]
        assert done == list(range(len(done)))
        for number in range(len(done), ROUNDS):
            work.journal.append({"round": number})
        return [*sampled.result, *range(ROUNDS)]

    fitted = runner.run(FIT, {}, [sampled.key], "", search)
    source = f"int answer(void) {{ return {sum(fitted.result)}; }}\n"
    write_files({"a.c": source, "zephyr/module.yml": "name: a\n"}, folder / "build" / "pic32")


def older(folder: Path) -> Path:
    """A folder with the bundle of an older study in it."""
    write_files({"a.c": "int answer(void) { return 0; }\n"}, folder / "build" / "pic32")
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[dict[str, bytes], list[str], int]:
    """What an undisturbed study leaves, and how many things it does to the disk."""
    folder = older(tmp_path_factory.mktemp("whole"))
    with counted() as done:
        study(folder)
    assert len(done) > 60
    return tree(folder), folders(folder), len(done)


def _as_undisturbed(folder: Path, whole) -> None:
    study(folder)
    files, names, _ = whole
    assert tree(folder) == files
    assert folders(folder) == names


@pytest.mark.parametrize(
    "after", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["before", "after"]
)
def test_killed_at_any_of_them(tmp_path, whole, after):
    for at in range(whole[2]):
        folder = older(tmp_path / str(at))

        def work(folder=folder, at=at) -> None:
            with counted(at, killed, after=after):
                study(folder)

        assert apart(work) == -9, f"operation {at}"
        _as_undisturbed(folder, whole)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 120), min_size=2, max_size=6), st.booleans())
def test_killed_again_and_again(tmp_path_factory, whole, moments, after):
    folder = older(tmp_path_factory.mktemp("again"))
    for at in moments:

        def work(at=at) -> None:
            with counted(at, killed, after=after):
                study(folder)

        assert apart(work) in (-9, 0)  # a run that had little left to do gets done
    _as_undisturbed(folder, whole)


def test_stopped_at_any_of_them_leaves_nothing_half_written(tmp_path, whole):
    for at in range(whole[2]):
        folder = older(tmp_path / str(at))
        with pytest.raises(KeyboardInterrupt), counted(at, interrupted):
            study(folder)
        left = [name for name in tree(folder) if ".distill-" in name]
        # Tidying up itself may be what is interrupted; then the next run does it.
        if left:
            assert at > 0
        _as_undisturbed(folder, whole)


def test_a_disk_that_is_full_at_any_of_them_is_told(tmp_path, whole):
    told = 0
    for at in range(whole[2]):
        folder = older(tmp_path / str(at))
        with counted(at, full):
            error = _storage_error(folder)
        if error is None:  # no room was needed
            assert tree(folder) == whole[0]
        else:
            told += 1
            assert error.what == "cannot write: the disk is full."
            assert "free some space" in error.hint
        _as_undisturbed(folder, whole)
    assert told > whole[2] // 2


def _storage_error(folder: Path) -> StorageError | None:
    try:
        study(folder)
    except StorageError as error:
        return error
    return None


def test_the_user_never_sees_half_a_bundle(tmp_path, whole):
    """At any moment the folder is the old bundle, the new one, or not there."""
    old = tree(older(tmp_path / "old"))
    new = {name: data for name, data in whole[0].items() if name.startswith("build/")}
    for at in range(whole[2]):
        folder = older(tmp_path / str(at))

        def work(folder=folder, at=at) -> None:
            with counted(at, killed):
                study(folder)

        apart(work)
        bundle = folder / "build" / "pic32"
        seen = {f"build/pic32/{name}": data for name, data in tree(bundle).items()}
        assert seen in (old, new, {}), f"operation {at}"


def test_a_journal_is_not_lost_to_a_kill(tmp_path):
    journal = Journal(tmp_path / "partial" / "journal.jsonl")

    def work() -> None:
        journal.append({"round": 0})
        with counted(0, killed, after=True):
            journal.append({"round": 1})

    assert apart(work) == -9
    assert journal.entries() in ([{"round": 0}], [{"round": 0}, {"round": 1}])
