"""A server that dies, is full, slow or mute: the study is on disk, and sync logs it later, once."""

import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from distill import cli
from distill.progress import Silent
from distill.tracking.record_folder import save_record
from distill.tracking.sync import LOGGED, sync
from tests.servers.content import content_of
from tests.tracking.conftest import make_study


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """One attempt a request, so that each fault is met once."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study on disk, with a choice and its C: the folder of its record."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "built").mkdir()
    (folder / "built" / "wet_bulb.c").write_text("/* the C */\n")
    study = replace(make_study((1,)), bundle=folder / "built")
    place = folder / "studies" / "wet_bulb" / "study" / study.key[:16]
    save_record(study, place)
    return place


@pytest.fixture(scope="module")
def undisturbed(study, template, tmp_path_factory):
    """What a store holds in which nothing went wrong."""
    store = tmp_path_factory.mktemp("store") / "mlflow.db"
    store.write_bytes(template.read_bytes())
    sync(study.parents[2], f"sqlite:///{store}", Silent())
    return content_of(f"sqlite:///{store}", "wet_bulb")


@pytest.fixture
def unlogged(study):
    """That study, logged nowhere yet."""
    (study / LOGGED).unlink(missing_ok=True)
    return study


class Nth:
    """Does something at the request with this number of those that are wanted."""

    def __init__(self, number, wanted, action):
        self.left, self.wanted, self.action = number, wanted, action
        self.lock = threading.Lock()

    def __call__(self, method, path):
        if not self.wanted(method, path):
            return None
        with self.lock:
            self.left -= 1
            now = self.left == 0
        return self.action() if now else None


class After:
    """Answers with a status from the request with this number on."""

    def __init__(self, number, wanted, status):
        self.left, self.wanted, self.status = number, wanted, status

    def __call__(self, method, path):
        if not self.wanted(method, path):
            return None
        self.left -= 1
        return self.status if self.left <= 0 else None


def to(end):
    """Requests that write to what the path ends with."""
    return lambda method, path: method == "POST" and path.partition("?")[0].endswith(end)


def put(method, path):
    """Artifacts on their way."""
    return method == "PUT"


def fails(capsys, folder, url, *says):
    """A call that cannot log everything says why and what next, and claims nothing."""
    assert cli.main(["sync", f"root={folder.parents[2]}", f"uri={url}"]) == 3
    out, error = capsys.readouterr()
    assert out == ""
    for text in (*says, url, "`distill sync` puts them into MLflow later"):
        assert text in error
    assert not (folder / LOGGED).exists()


def completes(capsys, folder, url, undisturbed):
    """The same call logs the study once, and it is as if nothing had happened."""
    arguments = ["sync", f"root={folder.parents[2]}", f"uri={url}"]
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == "1 study logged.\n"
    assert content_of(url, "wet_bulb") == undisturbed
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == "0 studies logged.\n"


# Requests of logging a study, in their order; at each of them all can end.
MOMENTS = {
    "study": (to("runs/create"), 1),
    "candidate": (to("runs/create"), 2),
    "artifact": (put, 3),
    "batch": (to("runs/log-batch"), 1),
    "model": (to("model-versions/create"), 1),
    "alias": (to("registered-models/alias"), 1),
    "view": (to("experiments/set-experiment-tag"), 2),
}


def moments(always: tuple[str, str]):
    """Before and after each of them; all but one are slow."""
    return pytest.mark.parametrize(("when", "wanted", "number"), [
        pytest.param(when, *MOMENTS[name], id=f"{when}_{name}",
                     marks=[] if (when, name) == always else pytest.mark.slow)
        for name in MOMENTS for when in ("before", "after")
    ])  # fmt: skip


@moments(("before", "alias"))
def test_postgresql_is_killed(cluster, gate, unlogged, undisturbed, capsys, when, wanted, number):
    setattr(gate, when, Nth(number, wanted, cluster.kill))
    try:
        fails(capsys, unlogged, gate.url, "MLflow could not do its part")
    finally:
        cluster.start()
    gate.open()
    completes(capsys, unlogged, gate.url, undisturbed)


@moments(("after", "candidate"))
def test_the_server_is_killed(far, gate, unlogged, undisturbed, capsys, when, wanted, number):
    setattr(gate, when, Nth(number, wanted, far.kill))
    try:
        fails(capsys, unlogged, gate.url, "MLflow could not do its part")
        fails(capsys, unlogged, gate.url, "MLflow")
    finally:
        far.start()
    gate.open()
    completes(capsys, unlogged, gate.url, undisturbed)


def test_the_server_cannot_write_files(far, gate, unlogged, undisturbed, capsys):
    """Nothing longer than a kilobyte can be written by its processes, as on a full disk."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in far.processes()}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, hard))
    try:
        fails(capsys, unlogged, gate.url, "500")
    finally:
        for pid, both in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, both)
    completes(capsys, unlogged, gate.url, undisturbed)


@pytest.mark.parametrize(
    ("wanted", "number", "status"),
    [
        (put, 2, 507),
        pytest.param(to("runs/log-batch"), 1, 500, marks=pytest.mark.slow),
        pytest.param(to("runs/update"), 2, 503, marks=pytest.mark.slow),
    ],
)
def test_the_server_answers_with_an_error(
    gate, unlogged, undisturbed, capsys, wanted, number, status
):
    gate.before = After(number, wanted, status)
    fails(capsys, unlogged, gate.url, str(status))
    gate.open()
    completes(capsys, unlogged, gate.url, undisturbed)


# What the server does although nobody waits for its answer; each makes something.
MADE = [
    "runs/create",
    "model-versions/create",
    pytest.param("registered-models/create", marks=pytest.mark.slow),
    pytest.param("experiments/create", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("retries", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_the_answer_comes_too_late(gate, unlogged, undisturbed, capsys, monkeypatch, made, retries):
    """The server has done it. Whether we give up or MLflow asks again, nothing is there twice."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", retries)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    over = threading.Event()
    gate.after = Nth(1, to(made), lambda: over.wait(120) and None)
    try:
        if retries == "0":
            fails(capsys, unlogged, gate.url, "imed out")
        else:
            completes(capsys, unlogged, gate.url, undisturbed)
            return
    finally:
        over.set()
    completes(capsys, unlogged, gate.url, undisturbed)


@pytest.mark.slow
def test_the_request_is_done_too_late(gate, unlogged, undisturbed, capsys, monkeypatch):
    """A server that makes a run when the study has long been logged by another call."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    over, done = threading.Event(), threading.Event()
    gate.before = Nth(2, to("runs/create"), lambda: over.wait(120) and None)
    try:
        fails(capsys, unlogged, gate.url, "imed out")
        completes(capsys, unlogged, gate.url, undisturbed)
        gate.after = Nth(1, to("runs/create"), done.set)
    finally:
        over.set()
    assert done.wait(60)
    assert content_of(gate.url, "wet_bulb") != undisturbed
    assert cli.main(["sync", f"root={unlogged.parents[2]}", f"uri={gate.url}"]) == 0
    assert content_of(gate.url, "wet_bulb") == undisturbed


def test_two_calls_at_once_log_it_once(far, unlogged, undisturbed):
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: sync(unlogged.parents[2], far.url, Silent()), range(2)))
    assert [folder for done in both for folder in done.places] == [unlogged]
    assert content_of(far.url, "wet_bulb") == undisturbed
