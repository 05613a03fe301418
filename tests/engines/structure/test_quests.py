"""What a quest tells about its piece."""

import numpy as np

from distill.engines.structure.piece import Fit
from distill.engines.structure.quests import Quest, explained
from distill.formula.tree import Number, Symbol, mul


def test_errors_are_told_in_the_unit_of_the_teacher(make_piece, exact):
    piece = make_piece(lambda x: 300 * x, (1.0, 2.0))
    quest = Quest(piece, (0,), fits=[Fit(mul(Number(300.0), Symbol("v0")), 1e-14)])
    finding = explained(quest, exact, unit=450.0)
    assert finding.state == "solved"
    assert finding.formula == "300*x"
    np.testing.assert_allclose(finding.error, 4.5e-12)


def test_nothing_found_is_open(make_piece, exact):
    finding = explained(Quest(make_piece(np.sin, (0.0, 1.0)), (0,)), exact, unit=1.0)
    assert (finding.state, finding.error) == ("open", np.inf)
