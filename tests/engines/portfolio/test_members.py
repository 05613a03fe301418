"""Which engines run, and with which options."""

from dataclasses import replace

import pytest

from distill.engines.portfolio.options import read_options
from distill.engines.registry import make_engine
from distill.engines.rules import Rules
from distill.engines.skeleton import Skeleton
from distill.errors import ConfigError


def silent(problem):
    return iter(())


ALL = dict.fromkeys(("structure", "operon", "pysr"), silent)
NO_JULIA = {"pysr": "PySR is not installed: pip install it."}


def names(portfolio):
    return [member.name for member in portfolio.members]


def test_what_cannot_run_here_is_left_out_and_told_once(make_portfolio, asked, warned):
    portfolio, fakes = make_portfolio(ALL, lacking=NO_JULIA, named=False)
    assert names(portfolio) == ["structure", "operon"]
    for _ in range(2):
        list(portfolio.search(asked))
    assert warned == ["the portfolio runs without pysr: PySR is not installed: pip install it."]
    assert fakes["pysr"].problems == []


def test_what_is_named_runs_whatever_it_lacks(make_portfolio, asked, warned):
    portfolio, fakes = make_portfolio(ALL, lacking=NO_JULIA)
    list(portfolio.search(asked))
    assert names(portfolio) == ["structure", "operon", "pysr"]
    assert warned == []
    assert fakes["pysr"].problems


def test_engines_suit_each_other_unless_told_otherwise(make_portfolio):
    _, fakes = make_portfolio(ALL, of={"operon": {"rows": 64}})
    assert fakes["structure"].options == {"operon": False}
    assert fakes["operon"].options["rows"] == 64
    assert fakes["operon"].options["threads"] >= 1
    assert fakes["pysr"].options == {}
    _, fakes = make_portfolio(ALL, of={"structure": {"operon": True}, "operon": {"threads": 7}})
    assert fakes["structure"].options == {"operon": True}
    assert fakes["operon"].options == {"threads": 7}
    _, fakes = make_portfolio({"structure": silent})
    assert fakes["structure"].options == {}


def test_each_has_its_own_folder(make_portfolio, asked, tmp_path):
    portfolio, fakes = make_portfolio(ALL)
    list(portfolio.search(replace(asked, folder=tmp_path)))
    for name, fake in fakes.items():
        assert {problem.folder for problem in fake.problems} == {tmp_path / name}


def test_what_engines_kept_is_ended_with_the_portfolio(make_portfolio, asked):
    portfolio, fakes = make_portfolio(ALL)
    list(portfolio.search(asked))
    assert [fake.closed for fake in fakes.values()] == [0, 0, 0]
    portfolio.close()
    assert [fake.closed for fake in fakes.values()] == [1, 1, 1]


def form(problem):
    skeleton = Skeleton.parse("f(a)*b", problem.sample.domain)
    return replace(problem, rules=Rules(skeleton=skeleton))


def test_a_skeleton_is_for_those_who_fill_it_in(make_portfolio, asked):
    portfolio, fakes = make_portfolio(ALL)
    list(portfolio.search(form(asked)))
    asked_of = [name for name, fake in fakes.items() if fake.problems]
    assert asked_of == ["structure", "pysr"]


def test_a_skeleton_that_nobody_fills_in_is_a_mistake(make_portfolio, asked):
    portfolio, _ = make_portfolio({"operon": silent})
    with pytest.raises(ConfigError, match=r"no engine of this portfolio \(operon\)") as caught:
        list(portfolio.search(form(asked)))
    assert caught.value.where == "config key `engine.skeleton`"


@pytest.mark.parametrize(
    ("options", "where", "hint"),
    [
        ({"engines": ["structure", "opern"]}, "engine.options.engines`", "`operon`"),
        ({"engines": ["exact"]}, "engine.options.engines`", "structure, operon, pysr"),
        ({"engines": ["operon", "operon"]}, "engine.options.engines`", "once"),
        ({"engines": "operon"}, "engine.options.engines`", ""),
        ({"slices": 0}, "engine.options.slices`", "at least 1"),
        ({"slices": "few"}, "engine.options.slices`", "3"),
        ({"slcies": 2}, "engine.options.slcies`", "`slices`"),
        ({"zzz": 2}, "engine.options.zzz`", "pysr"),
        ({"operon": 3}, "engine.options.operon`", "conf/engine/operon.yaml"),
        ({"operon": {"rosw": 3}}, "engine.options.operon.rosw`", "`rows`"),
        ({"operon": {"rows": 0}}, "engine.options.operon.rows`", "at least 1"),
    ],
)
def test_mistakes_are_named_with_their_key(options, where, hint):
    with pytest.raises(ConfigError) as caught:
        make_engine("portfolio", options)
    assert where in caught.value.where
    assert hint in caught.value.hint


def test_options_are_read_from_a_config():
    read = read_options({"engines": ["operon"], "slices": 2, "operon": {"rows": 9}, "pysr": {}})
    assert read.engines == ("operon",)
    assert read.slices == 2
    assert read.of == {"operon": {"rows": 9}, "pysr": {}}
