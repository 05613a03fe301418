"""The command line in a report composes the very config that was recorded."""

import shlex

import pytest
from hydra import compose, initialize_config_dir

from distill.config.folder import conf_directory
from distill.config.schema import plain, read_config
from distill.tracking.report.reproduce import command, overrides


def composed(words):
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        return plain(read_config(compose("config", overrides=list(words))))


@pytest.mark.parametrize("words", [
    [],
    ["tolerance=0.05", "engine=operon", "engine.seed=7", "sampling=lhs", "sampling.points=99"],
    ["target=avr", "export.arithmetic=fixed", "export.interface=integer", "select=knee"],
    ["engine.evaluations=null", "engine.seconds=1.5e-1", "score=quick", "target.flash_bytes=77"],
    ["engine.operators=[add,mul]", "+engine.constraints.monotone={x: increasing}"],
    ["teacher=sklearn", "teacher.source=my models/it's.skops", "teacher.output=all", "domain=box",
     "+domain.variables.speed={low: 0, high: 120, unit: 'km/h, or 50%'}",
     "+domain.variables.v={low: -1e-9, high: 1.0, unit: ''}"],
    ["teacher=function", "teacher.source=mymodel:predict", "select=by_id",
     "select.candidate='012345'", "experiment=wet_bulb"],
])  # fmt: skip
def test_the_words_give_the_config_again(words):
    quoted = [w if "it's" not in w else "teacher.source='my models/it\\'s.skops'" for w in words]
    wanted = composed(quoted)
    again = composed(shlex.split(command(wanted))[2:])
    for kept in ("root", "tracking", "sweep"):
        wanted.pop(kept), again.pop(kept)
    assert again == wanted


def test_it_is_as_short_as_a_person_would_write_it():
    words = ["engine=operon", "sampling.points=99", "target=avr", "tolerance=0.05"]
    assert sorted(overrides(composed(words))) == sorted(words)
