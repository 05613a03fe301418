"""What Hydra may import and call is a list, whatever an override or a config file says."""

import pickle
from pathlib import Path

import pytest

from distill import cli
from distill.cli.hydra_door import TARGETS
from distill.config.folder import options_of, read_option


@pytest.fixture(autouse=True)
def payload(tmp_path, monkeypatch, canary):
    """A module that harms the canary when it is imported, or anything of it is called."""
    folder = tmp_path / "modules"
    (folder / "payload").mkdir(parents=True)
    (folder / "payload/__init__.py").write_text(canary.code)
    monkeypatch.syspath_prepend(folder)


CALLED = [
    ("hydra.callbacks.x._target_", ["+hydra.callbacks.x={_target_: payload.C}"]),
    ("hydra.callbacks.x._target_", ["-m", "+hydra.callbacks.x={_target_: payload.C}"]),
    ("hydra.sweeper._target_", ["-m", "hydra.sweeper._target_=payload.C"]),
    ("hydra.launcher._target_", ["-m", "hydra.launcher._target_=payload.C"]),
    ("hydra.launcher.n._target_", ["-m", "+hydra.launcher.n={_target_: payload.C}"]),
    ("hydra.launcher.n.0._target_", ["-m", "+hydra.launcher.n=[{_target_: payload.C}]"]),
    ("teacher.options.x._target_", ["+teacher.options.x={_target_: payload.C}"]),
]


@pytest.mark.parametrize(("key", "words"), CALLED)
def test_nothing_is_instantiated_but_what_is_listed(refused, key, words):
    said = refused("run", *words)
    assert f"config key `{key}`" in said
    assert "payload." in said


@pytest.mark.parametrize("key", ["job_logging", "hydra_logging"])
def test_no_logging_handler_is_made(refused, key):
    handler = f"+hydra.{key}.handlers.x={{class: payload.C}}"
    assert f"config key `hydra.{key}`" in refused("run", f"hydra/{key}=default", handler)


@pytest.mark.parametrize("path", ["pkg://payload", "structured://payload", "other://payload"])
def test_no_package_is_imported_for_configs(refused, path):
    assert "hydra.searchpath" in refused("run", f"hydra.searchpath=[{path}]")
    assert "--config-path" in refused("run", "--config-path", path)


def test_a_config_file_is_held_to_the_same_list(refused, place):
    (place / "config.yaml").write_text("hydra: {searchpath: ['structured://payload']}")
    assert "hydra.searchpath" in refused("run", "--config-path", str(place))
    # Also where the words that are resolved are no `_target_` before.
    hidden = ("{x: {_target_: payload.C}}", """ "${oc.create:'{x: {_target_: payload.C}}'}" """)
    for callbacks in hidden:
        (place / "config.yaml").write_text(f"hydra: {{callbacks: {callbacks}}}")
        assert "hydra.callbacks.x._target_" in refused("run", "--config-path", str(place))


@pytest.mark.parametrize("flag", ["--experimental-rerun", "--exp"])
def test_no_pickle_is_opened_to_run_again(refused, place, canary, flag):
    (place / "config.pickle").write_bytes(pickle.dumps(canary))
    assert "unpickles" in refused("run", flag, "config.pickle")


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "PYTHONPATH"])
def test_programs_are_not_chosen_by_a_config(refused, name):
    assert f"`{name}`" in refused("run", f"+hydra.job.env_set.{name}=/tmp")


def test_distill_sample_is_held_to_the_same_list(refused):
    assert "hydra.callbacks" in refused("sample", "+hydra.callbacks.x={_target_: payload.C}")


def test_a_program_gets_the_refusal_as_its_result(place, capsys):
    assert cli.main(["run", "--json", "+hydra.callbacks.x={_target_: payload.C}"]) == 2
    assert '"exit_code": 2' in capsys.readouterr().out.splitlines()[-1]


def test_what_is_shipped_is_on_the_list():
    for group in ("sweeper", "launcher"):
        for name in options_of(f"hydra/{group}"):
            target = read_option(f"hydra/{group}", name)["_target_"]
            assert target in TARGETS[f"hydra.{group}._target_"]


@pytest.mark.parametrize("launcher", ["basic", "joblib", "slurm"])
def test_what_is_listed_passes(place, launcher, capsys):
    words = ["-m", f"hydra/launcher={launcher}", "+hydra.job.env_set.OMP_NUM_THREADS=1"]
    assert cli.main(["run", *words, "tolerance=-1"]) == 2
    assert "`tolerance` is -1.0" in capsys.readouterr().err
    assert not list(Path(place).iterdir())
