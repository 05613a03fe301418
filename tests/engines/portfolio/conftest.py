"""Portfolios of engines that do as a test says."""

from dataclasses import replace

import pytest

from distill.engines.base import Budget, Candidate
from distill.engines.portfolio.engine import Offer, Portfolio
from distill.engines.portfolio.options import PortfolioOptions
from distill.formula import Formula


class Scripted:
    """Runs ``script(problem)`` for every search, and keeps what it was asked."""

    def __init__(self, name, script):
        self.name, self.script = name, script
        self.problems = []
        self.options = None
        self.closed = 0

    def search(self, problem):
        self.problems.append(problem)
        yield from self.script(problem)

    def close(self):
        self.closed += 1


@pytest.fixture
def proposal(plane):
    def propose(text, engine):
        return Candidate(Formula.parse(text, plane), engine)

    return propose


@pytest.fixture
def make_portfolio():
    """A portfolio with a script for each engine; the engines stand in ``.fakes`` by name."""

    def make(scripts, *, lacking=None, named=True, slices=2, of=None):
        fakes = {name: Scripted(name, script) for name, script in scripts.items()}

        def offer(name):
            def build(options):
                fakes[name].options = options
                return fakes[name]

            why = (lacking or {}).get(name, "")
            return Offer(build, name == "structure", name != "operon", lambda: why)

        chosen = PortfolioOptions(tuple(scripts) if named else (), slices, of or {})
        portfolio = Portfolio(chosen, {name: offer(name) for name in scripts})
        return portfolio, fakes

    return make


@pytest.fixture
def warned():
    return []


@pytest.fixture
def asked(product, warned):
    """3*a*b + 2, with a million evaluations, by whoever needs no teacher."""
    return replace(product, budget=Budget(evaluations=1_200_000), warn=warned.append)


@pytest.fixture
def timed(asked):
    """The same with more seconds than a test will wait for."""
    return replace(asked, budget=Budget(seconds=3600.0))
