"""Seven learning rules do what they are known for, and their C answers as NumPy does."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import bare_math
import learning_rules as rules
import numpy as np
import pytest

from distill.arrays import Array
from distill.errors import NotDifferentiable
from distill.teachers.load import load_teacher


def test_the_table_is_the_one_that_was_shown() -> None:
    table = dict(zip(rules.HEROES, rules.SCORES.tolist(), strict=True))
    assert len(table) == 16
    assert table["Iron Man"] == [6, 6, 5, 6, 6, 4]
    assert table["Mr Fantastic"] == [6, 2, 2, 5, 1, 3]
    assert table["Daredevil"] == [3, 3, 2, 2, 4, 5]
    assert rules.SCORES.min() == 1
    assert rules.SCORES.max() == 7


def test_gradient_descent_ends_at_least_squares() -> None:
    best = np.polyfit([240, 480, 26], [6370, 8697, 2200], 1)
    np.testing.assert_allclose(rules.line(), best, rtol=1e-10)


def test_backpropagation_is_the_derivative_of_the_loss() -> None:
    x, ink = rules.logo(8)
    x, ink = x[:5], ink[:5]
    start = rules.backpropagate(x, ink, (3,), epochs=0)
    (moved, bias), _ = rules.backpropagate(x, ink, (3,), epochs=1, batch=len(x))

    def loss(weights: Array) -> float:
        out = rules.forward([(weights, start[0][1]), start[1]], x)[-1][:, 0]
        return float(-np.log(np.where(ink > 0.5, out, 1 - out)).mean())

    weights, step = start[0][0], 1e-6
    for at in product(range(3), range(2)):
        nudge = np.zeros_like(weights)
        nudge[at] = step
        slope = (loss(weights + nudge) - loss(weights - nudge)) / (2 * step)
        assert weights[at] - moved[at] == pytest.approx(0.5 * slope, rel=1e-5)
    assert bias.shape == (3,)


def test_the_network_redraws_the_logo(tmp_path: Path) -> None:
    learned = bare_math.logo_network(size=16, epochs=1500)
    ink = rules.logo(16)[1]
    answers = learned.predict(learned.every)[:, 0]
    assert ((answers > 0.5) == (ink > 0.5)).mean() >= 0.98
    found = bare_math.compare(learned, tmp_path / "c")
    assert found.apart < 1e-5
    bare_math.show_logo({"logo": ink, "C": found.c[:, 0]}, tmp_path / "logo.png")
    assert (tmp_path / "logo.png").read_bytes()[:4] == b"\x89PNG"


def test_hebb_finds_the_first_component_and_grows_without_bound() -> None:
    centred = rules.SCORES - rules.SCORES.mean(0)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    shorter, longer = rules.hebb(centred, epochs=20), rules.hebb(centred, epochs=30)
    assert abs(longer @ first) / np.linalg.norm(longer) > 0.995
    assert np.linalg.norm(longer) > 20 * np.linalg.norm(shorter)


def test_generalised_hebb_finds_the_principal_components() -> None:
    centred = rules.SCORES - rules.SCORES.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    w = rules.generalised_hebb(centred)
    np.testing.assert_allclose(np.abs((w * axes).sum(1)), 1, atol=2e-3)
    np.testing.assert_allclose(w @ w.T, np.eye(2), atol=5e-3)


@pytest.mark.parametrize("rule", [rules.winner_takes_all, rules.winner_takes_most])
def test_four_prototypes_are_as_near_as_k_means(rule: rules.Neighbours) -> None:
    from sklearn.cluster import KMeans

    best = KMeans(4, n_init=20, random_state=0).fit(rules.SCORES).inertia_
    prototypes = rules.compete(rules.SCORES, rules.start(4), rule)
    assert rules.distances(rules.SCORES, prototypes).min(1).sum() < 1.02 * best


def test_winners_move_by_their_rank() -> None:
    distances = np.array([3.0, 1.0, 2.0])
    assert rules.winner_takes_all(distances, 0.0).tolist() == [0, 1, 0]
    np.testing.assert_allclose(
        rules.winner_takes_most(distances, 0.0), np.exp([-1.0, 0.0, -0.5]), rtol=1e-12
    )


def test_neighbours_on_the_map_are_alike() -> None:
    prototypes = rules.compete(rules.SCORES, rules.start(16), rules.kohonen)
    places = np.array(list(product(range(4), range(4))))
    apart = np.sqrt(rules.distances(prototypes, prototypes))
    steps = np.abs(places[:, None] - places).sum(2)
    assert apart[steps == 1].mean() < 0.6 * apart[steps >= 3].mean()


def _winner() -> bare_math.Learned:
    prototypes = rules.compete(rules.SCORES, rules.start(4), rules.winner_takes_most, epochs=50)
    return bare_math.nearest("winner", prototypes)


def _map() -> bare_math.Learned:
    prototypes = rules.compete(rules.SCORES, rules.start(16), rules.kohonen, epochs=50)
    return bare_math.nearest("kohonen_map", prototypes)


@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (bare_math.comic_costume, None),
        (lambda: bare_math.hebbian()[1], None),
        (_winner, 0),
        (_map, 0),
    ],
    ids=["line", "generalised_hebb", "winner", "kohonen_map"],
)
def test_c_answers_as_numpy_at_every_input(
    make: Callable[[], bare_math.Learned], labels: int | None, tmp_path: Path
) -> None:
    learned = make()
    found = bare_math.compare(learned, tmp_path / "c")
    assert found.apart < 3e-7
    assert found.labels == labels


def test_what_was_learned_is_a_transparent_teacher() -> None:
    learned = _winner()
    teacher = load_teacher(learned)
    assert teacher.chain is learned.chain
    assert teacher.classes == ("unit_0", "unit_1", "unit_2", "unit_3")
    np.testing.assert_allclose(
        teacher.chain.evaluate(rules.SCORES), teacher.predict(rules.SCORES), rtol=1e-12
    )
    with pytest.raises(NotDifferentiable, match="winner"):
        teacher.gradient(rules.SCORES)
    assert teacher.fingerprint == load_teacher(_winner()).fingerprint
    assert teacher.fingerprint != load_teacher(_map()).fingerprint
