"""Engines by name."""

from dataclasses import fields, is_dataclass

import pytest

from distill.engines.registry import ENGINES, make_engine
from distill.errors import ConfigError


@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_is_described_and_built_from_its_defaults(name):
    entry = ENGINES[name]
    assert entry.name == name
    assert len(entry.description) > 20
    assert is_dataclass(entry.options)
    defaults = {f.name: f.default for f in fields(entry.options)}
    assert make_engine(name, defaults) == make_engine(name, {})
    assert make_engine(name, {}).name == name


def test_options_reach_the_engine():
    assert make_engine("operon", {"rows": 77}).options.rows == 77


@pytest.mark.parametrize(
    ("name", "options", "where", "hint"),
    [
        ("opern", {}, "engine.name", "`operon`"),
        ("zzz", {}, "engine.name", "operon, polynomial"),
        ("operon", {"populaton_size": 5}, "engine.options.populaton_size", "`population_size`"),
        ("operon", {"qqq": 5}, "engine.options.qqq", "max_length"),
        ("operon", {"rows": "many"}, "engine.options.rows", "256"),
        ("operon", {"rows": True}, "engine.options.rows", "256"),
        ("polynomial", {"max_degree": 0}, "engine.options.max_degree", "at least 1"),
    ],
)
def test_mistakes_are_named_with_their_key(name, options, where, hint):
    with pytest.raises(ConfigError) as caught:
        make_engine(name, options)
    assert where in caught.value.where
    assert hint in caught.value.hint
