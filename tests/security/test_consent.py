"""A config that was logged or recorded runs no code that its user did not name again."""

import copy

import pytest

from distill.commands import choosing
from distill.config.consent import check_consent, code_named
from distill.config.folder import options_of, read_option
from distill.config.schema import StudyConfig, plain
from distill.errors import ConfigError
from distill.tracking.fetch import CandidateRun
from tests.tracking.conftest import make_study


def logged(**changes):
    """A candidate's run whose study has this config; keys are dotted, with `__`."""
    config = copy.deepcopy(plain(StudyConfig()))
    config["target"] = read_option("target", "host")
    config["teacher"]["source"] = "wet_bulb"
    config["engine"]["seconds"] = 1.0
    for key, value in changes.items():
        *path, last = key.split("__")
        place = config
        for part in path:
            place = place[part]
        place[last] = value
    (candidate, *_) = make_study((1,)).candidates
    return CandidateRun("1", "run", "2", "5a" * 32, candidate, config, {})


NATIVE = read_option("target", "pic32")["native"]
RUNS = {
    "a function": ({"teacher__source": "os:system"}, "teacher.source=os:system"),
    "a function by kind": (
        {"teacher__kind": "function", "teacher__source": "os"},
        "teacher.source=os",
    ),
    "a simulator": ({"teacher__kind": "simulator", "teacher__source": "a:b"}, "teacher.source=a:b"),
    "a function behind a word that is resolved": (
        {"tolerance": 1, "teacher__source": "${teacher.output}", "teacher__output": "os:system"},
        "teacher.source=os:system",
    ),
    "a pickle": ({"teacher__options": {"trust_pickle": True}}, "a pickle"),
    "types": ({"teacher__options": {"trusted": ["os.system"]}}, "Python types"),
    "TorchScript": ({"teacher__options": {"trust_torchscript": True}}, "a TorchScript program"),
    "a module": ({"teacher__options": {"module": "evil:Net"}}, "module=evil:Net"),
    "a compiler": ({"target__native": {**NATIVE, "compiler": "/tmp/sh"}}, "/tmp/sh"),
    "flags of a compiler": ({"target__wheels": {"flags": ["-B/tmp"]}}, "-B/tmp"),
    "a target of another name": ({"target__name": "mine"}, "target.wheels"),
}


@pytest.mark.parametrize("what", RUNS)
def test_code_that_was_logged_does_not_run_unasked(what):
    changes, said = RUNS[what]
    run = logged(**changes)
    with pytest.raises(ConfigError) as caught:
        choosing._config_of(run, (), trust=False)
    assert said in caught.value.what
    assert "trust=true" in caught.value.hint
    choosing._config_of(run, (), trust=True)


def test_what_the_user_says_again_is_the_users():
    run = logged(teacher__source="os:system", target__native={**NATIVE, "compiler": "/tmp/sh"})
    words = ("teacher.source=mine:predict", "target=pic32")
    assert choosing._config_of(run, words, trust=False).teacher.source == "mine:predict"
    with pytest.raises(ConfigError, match=r"os:system"):
        choosing._config_of(run, ("target=pic32",), trust=False)
    with pytest.raises(ConfigError, match=r"/tmp/sh"):
        choosing._config_of(run, ("teacher.source=mine:predict",), trust=False)


@pytest.mark.parametrize("target", options_of("target"))
def test_what_is_shipped_needs_no_word(target):
    run = logged(target=read_option("target", target), teacher__source="their/model.onnx")
    assert choosing._config_of(run, (), trust=False).teacher.source == "their/model.onnx"


def test_searching_again_runs_more():
    """Text of PySR's options is Julia, and the reference is a function."""
    config = plain(StudyConfig())
    config["teacher"]["reference"] = "os:system"
    config["engine"] = {"name": "pysr", "options": {"rows": 10, "elementwise_loss": "run(`sh`)"}}
    portfolio = {"name": "portfolio", "options": {"pysr": {"elementwise_loss": "run(`sh`)"}}}
    keys = [key for key, *_ in code_named(config, search=True)]
    assert keys[-2:] == ["teacher.reference", "engine.options.elementwise_loss"]
    keys = [key for key, *_ in code_named({**config, "engine": portfolio}, search=True)]
    assert keys[-1] == "engine.options.pysr.elementwise_loss"
    with pytest.raises(ConfigError, match="elementwise_loss"):
        check_consent(config, (), trust=False, search=True)


def test_a_config_of_another_shape_is_no_crash():
    for config in ({}, {"teacher": 3, "target": [], "engine": None}, {"teacher": {"options": 1}}):
        assert list(code_named(config, search=True)) == []
