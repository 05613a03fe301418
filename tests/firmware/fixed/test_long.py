"""Long formulas: planned in a time that grows as they do."""

import numpy as np

from distill.domain import Domain
from distill.firmware.fixed import search
from distill.firmware.fixed.formats import hold
from distill.firmware.fixed.plan import plan_fixed
from distill.formula import Formula

DOMAIN = Domain.box(x=(0.1, 1), y=(0, 1))


def test_moves_of_precisions_do_not_grow_with_the_square(monkeypatch):
    monkeypatch.setattr(search, "_MOVES", 64)
    text = "+".join(f"({i}.25e-2 + {i}.5e-2*x*y*({i} - x))" for i in range(1, 7))
    formula = Formula.parse(text, DOMAIN)
    counts = []
    real = search.build

    def counted(frame, nodes, precisions):
        counts.append(len(nodes))
        return real(frame, nodes, precisions)

    monkeypatch.setattr(search, "build", counted)
    program = plan_fixed(formula, DOMAIN, 0.05)
    assert min(counts) > 16
    # Of eight groups each move is a build: two up, six down, three rounds; and to start and refine.
    assert len(counts) <= 8 * 8 * 3 + 120
    x = DOMAIN.sample(500)
    answers = program.output.reals(program.evaluate(hold(x, DOMAIN)))
    assert np.abs(answers - formula(x)).max() <= program.error_bound <= 0.05
