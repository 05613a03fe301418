"""Engines by name."""

from dataclasses import dataclass, is_dataclass, replace

import pytest

from distill.engines import registry
from distill.engines.options import defaults
from distill.engines.registry import ENGINES, make_engine
from distill.errors import ConfigError


@pytest.mark.parametrize("name", list(ENGINES))
def test_every_engine_is_described_and_built_from_its_defaults(name):
    entry = ENGINES[name]
    assert entry.name == name
    assert len(entry.description) > 20
    assert is_dataclass(entry.options)
    assert make_engine(name, defaults(entry.options)) == make_engine(name, {})
    assert make_engine(name, {}).name == name


def test_options_reach_the_engine():
    assert make_engine("operon", {"rows": 77}).options.rows == 77


@pytest.mark.parametrize(
    ("name", "data", "where", "hint"),
    [
        ("opern", {}, "engine.name", "`operon`"),
        ("zzz", {}, "engine.name", "allowed: structure, "),
        ("operon", {"populaton_size": 5}, "engine.options.populaton_size", "`population_size`"),
        ("operon", {"qqq": 5}, "engine.options.qqq", "max_length"),
        ("operon", {"rows": "many"}, "engine.options.rows", "256"),
        ("exact", {"rows": 5}, "engine.options.rows", "allowed: none"),
        ("operon", {"rows": True}, "engine.options.rows", "256"),
        ("polynomial", {"max_degree": 0}, "engine.options.max_degree", "at least 1"),
    ],
)
def test_mistakes_are_named_with_their_key(name, data, where, hint):
    with pytest.raises(ConfigError) as caught:
        make_engine(name, data)
    assert where in caught.value.where
    assert hint in caught.value.hint


def test_an_engine_may_read_its_options_itself(monkeypatch):
    @dataclass(frozen=True)
    class Fake:
        options: object

    entry = replace(ENGINES["operon"], factory=Fake, read=sorted)
    monkeypatch.setitem(registry.ENGINES, "operon", entry)
    assert make_engine("operon", {"whatever": 1, "it": 2}).options == ["it", "whatever"]
