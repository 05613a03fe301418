"""Hydra's sweep grammar as the space of an adaptive sweep."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from distill.errors import ConfigError
from distill.sweeping.adaptive.space import Space, holds_integers
from tests.sweeping.adaptive.jobs import WORDS, space


@pytest.mark.parametrize(
    ("word", "distribution"),
    [
        ("engine=operon,structure", CategoricalDistribution(("operon", "structure"))),
        ("sampling.points=choice(256,512,256)", CategoricalDistribution(("256", "512"))),
        (
            "engine.operators=choice([add,mul],[add,mul,exp])",
            CategoricalDistribution(("[add,mul]", "[add,mul,exp]")),
        ),
        ("engine.max_complexity=range(10,40)", IntDistribution(10, 39)),
        ("engine.max_complexity=range(10,40,7)", IntDistribution(10, 38, step=7)),
        ("engine.max_complexity=range(40,10,-7)", IntDistribution(12, 40, step=7)),
        ("engine.max_complexity=tag(log,range(1,65))", IntDistribution(1, 64, log=True)),
        ("score.proof_ratio=range(1.5,3,0.5)", FloatDistribution(1.5, 2.5, step=0.5)),
        ("tolerance=interval(0.1,2)", FloatDistribution(0.1, 2.0)),
        ("tolerance=tag(log,interval(0.1,2))", FloatDistribution(0.1, 2.0, log=True)),
        (
            "sampling.points=tag(log,interval(256,4096))",
            IntDistribution(256, 4096, log=True),
        ),
        ("sampling.points=interval(0.5,4.5)", IntDistribution(1, 4)),
        ("engine.options.efforts=int(interval(1,5))", IntDistribution(1, 5)),
    ],
)
def test_each_form_of_the_grammar(word: str, distribution: BaseDistribution) -> None:
    assert space(word).axes == {word.partition("=")[0]: distribution}


def test_free_options_are_whole_where_their_value_is() -> None:
    config = {"engine": {"options": {"efforts": 3, "rate": 0.5}}}
    assert holds_integers("engine.options.efforts", config)
    assert not holds_integers("engine.options.rate", config)
    assert not holds_integers("engine.options.unknown", config)
    assert holds_integers("+engine.evaluations", {})
    words = ("engine.options.efforts=interval(1,5)", "engine.options.rate=interval(1,5)")
    assert list(space(*words, config=config).axes.values()) == [
        IntDistribution(1, 5),
        FloatDistribution(1.0, 5.0),
    ]


def test_words_that_do_not_vary_have_no_part_in_it() -> None:
    assert list(space("engine.seed=3", "engine=a,b", "tolerance=0.1").axes) == ["engine"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["engine=operon"], "there is nothing to choose"),
        (["engine=a,b", "engine=c,d"], "its key has a space already"),
        (["tolerance=interval(2,1)"], "the interval is empty or not finite"),
        (["tolerance=interval(0,inf)"], "the interval is empty or not finite"),
        (["tolerance=tag(log,interval(0,1))"], "a logarithmic scale has no place for 0"),
        (["tolerance=tag(logarithmic,interval(1,2))"], "`logarithmic` is not a tag"),
        (["engine.seed=range(5,5)"], "the range is empty"),
        (["engine.seed=tag(log,range(1,9,2))"], "a logarithmic range has steps of 1"),
        (["sampling.points=interval(1.2,1.8)"], "there is no whole number in the interval"),
    ],
)
def test_what_cannot_be_searched_is_named(words: list[str], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        space(*words)
    assert what in caught.value.what
    assert len(words) > 1 or words[0] in caught.value.what or "nothing" in what


def test_the_size_counts_what_can_be_listed() -> None:
    assert space("engine=a,b", "engine.seed=range(0,10,3)").size == 8
    assert space("score.proof_ratio=range(1.5,3,0.5)").size == 3
    assert space("engine=a,b", "tolerance=interval(1,2)").size == math.inf


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)
PLAIN = st.one_of(st.booleans(), st.none(), st.integers(), TEXT,
                  st.floats(allow_nan=False, allow_infinity=False))  # fmt: skip
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3))


def _written(value: Any) -> str:
    """A value as a person writes it for Hydra, texts in quotes."""
    if isinstance(value, str):
        return QuotedString(value, Quote.double).with_quotes()
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return "null" if value is None else str(value)


def _read(text: str) -> Any:
    return OverridesParser.create().parse_override(text).value()


@settings(deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=4))
def test_values_of_a_choice_come_back_as_hydra_read_them(values: list[Any]) -> None:
    written = [_written(value) for value in values]
    choices = space(f"key={','.join(written)}").axes["key"]
    assert isinstance(choices, CategoricalDistribution)
    wanted = [_read(f"key={text}") for text in written]
    found = [_read(Space({"key": choices}).overrides({"key": c})[0]) for c in choices.choices]
    assert all(any(same(a, b) for b in found) for a in wanted)
    assert all(any(same(a, b) for b in wanted) for a in found)


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_drawn_values_are_read_back_as_they_were_drawn(seed: int) -> None:
    searched = space(*WORDS, "tolerance=tag(log,interval(1e-9,1e9))")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    values = study.ask(dict(searched.axes)).params
    words = searched.overrides(values)
    assert [word.partition("=")[0] for word in words] == list(searched.axes)
    assert {word.partition("=")[0]: _read(word) for word in words} == values
