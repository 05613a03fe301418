"""Known formulas come out."""

import numpy as np
import pytest

from distill.formula import Formula

FEATURES = {f"x{i}": (-4.0, 4.0) for i in range(5)}
README = ("add", "sub", "mul", "div", "exp", "inv", "sin", "cos")


@pytest.mark.parametrize(
    "truth", ["2.5382*cos(x3) + x0*x0 - 0.5", "2*cos(x3) + x0*x0 - 2"], ids=["2.5382", "2"]
)
def test_the_example_of_pysrs_readme(search, problem, truth):
    found = search(problem(truth, FEATURES, README, seconds=120, tolerance=1e-4))
    # As the truth outside of the box, too: it is the same formula, not one that is near.
    domain = found.problem.sample.domain
    x = 3.0 * domain.sample(500, seed=5)
    off = np.abs(found.best.written(x) - Formula.parse(truth, domain)(x)).max()
    assert off < 1e-3, found.best.formula.text
    assert found.best.formula.complexity <= 16, found.best.formula.text


def test_every_figure_is_that_of_pysr(search, problem):
    """What was read back from its files has the errors that PySR says."""
    found = search(problem("exp(a)/(b + 1.5) - a", {"a": (-1, 2), "b": (0, 3)}, README))
    assert len(found.candidates) >= 5
    for candidate in found.candidates:
        metrics = dict(candidate.metrics)
        assert metrics.keys() == {"pysr_complexity", "pysr_loss", "pysr_score"}
        assert metrics["pysr_loss"] == pytest.approx(found.loss(candidate), rel=1e-6, abs=1e-20)
        assert candidate.engine == "pysr"
    in_the_end = {(row.complexity, row.loss) for row in found.rows}
    proposed = {(c["pysr_complexity"], c["pysr_loss"]) for c in map(dict, _metrics(found))}
    assert in_the_end <= proposed


def _metrics(found):
    return [candidate.metrics for candidate in found.candidates]
