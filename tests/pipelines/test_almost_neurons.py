"""The device, what stands in for it, and a chain of them that learns to read digits."""

from functools import cache
from pathlib import Path

import almost_neurons as story
import light_switches as switches
import numpy as np
import pytest
import torch

from distill.formula import Formula


@cache
def formulas() -> tuple[Formula, Formula]:
    """Two that the search has found; searching for the second again takes longer than a test."""
    return (
        Formula.parse("1.2/(inv(light) + 0.2)", switches.LIGHT),
        Formula.parse(
            "0.50029*tanh(0.34641*drive) - 0.033912*(drive*exp(-0.12603*square(drive))) + 0.5",
            switches.DRIVE,
        ),
    )


@cache
def trained(units: int = 32) -> story.ChainOfDevices:
    torch.set_num_threads(1)
    transmit, respond = formulas()
    device = switches.Curves(transmit.to_torch(), respond.to_torch())
    chain = story.ChainOfDevices(device, units)
    story.train(chain, story.digits()[0], steps=300)
    return chain


def test_the_device_comes_to_rest_where_its_equation_says() -> None:
    random = np.random.default_rng(0)
    x, a = random.uniform(0, 1, (20, 3)), random.normal(0, 3, (5, 3))
    y = switches.simulate(x, a)
    current = (x / (1 + switches.EPS * x)) @ a.T
    rest = 1 / (1 + np.exp(-(current - switches.KAPPA * (y - 0.5))))
    np.testing.assert_allclose(y, rest, atol=1e-7)


def test_for_small_eps_the_current_is_of_second_order() -> None:
    first, half = switches.small_eps(0.1), switches.small_eps(0.05)
    assert first < 5e-3
    assert 3.5 < first / half < 4.5


@pytest.mark.filterwarnings("ignore::RuntimeWarning:scipy")
def test_a_device_that_breaks_off_says_so() -> None:
    with pytest.raises(ValueError, match="broke off"):
        switches.simulate(np.array([[np.inf]]), np.ones((1, 1)))


def test_the_gradient_of_the_simulator_is_that_of_its_answers() -> None:
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.uniform(0, 1, (2, 3))).requires_grad_()
    a = torch.from_numpy(random.normal(0, 2, (4, 3))).requires_grad_()
    weights = torch.from_numpy(random.normal(0, 1, (2, 4)))
    (switches.Simulated.apply(x, a) * weights).sum().backward()
    step = 1e-4
    for tensor in (x, a):
        for at in np.ndindex(*tensor.shape):
            values = []
            for sign in (step, -step):
                moved = tensor.detach().numpy().copy()
                moved[at] += sign
                pair = (moved, a.detach().numpy()) if tensor is x else (x.detach().numpy(), moved)
                values.append((switches.simulate(*pair) * weights.numpy()).sum())
            slope = (values[0] - values[1]) / (2 * step)
            assert float(tensor.grad[at]) == pytest.approx(slope, abs=1e-5)


def test_formulas_agree_with_the_simulator_on_the_whole_domain() -> None:
    for formula, experiment in zip(
        formulas(), (switches.transmission, switches.response), strict=True
    ):
        domain = formula.domain
        points = np.linspace(domain.low, domain.high, 2001)
        assert np.abs(formula(points) - experiment(points)[:, 0]).max() <= story.TOLERANCE


def test_the_search_finds_what_a_channel_passes_on() -> None:
    found = story.find_formula(switches.transmission, switches.LIGHT, seconds=3)
    light = np.linspace(0, 1, 101)[:, None]
    np.testing.assert_allclose(
        found(light), (1 + switches.EPS) * light[:, 0] / (1 + switches.EPS * light[:, 0]), atol=1e-6
    )


def test_devices_of_many_channels_answer_as_the_formulas_put_together() -> None:
    transmit, respond = formulas()
    device = switches.Curves(transmit.to_torch(), respond.to_torch())
    assert switches.apart(device) <= 2 * story.TOLERANCE


def test_the_surrogate_is_frozen_and_near() -> None:
    surrogate = switches.fit_surrogate(samples=32, steps=300)
    assert switches.apart(surrogate) < 0.01
    assert not any(p.requires_grad for p in surrogate.respond.parameters())


def test_the_chain_learns_to_read_digits() -> None:
    judge = story.digits()[1]
    assert len(judge.labels) == 360
    chain = trained()
    assert chain.accuracy(judge) >= 0.95
    assert [name for name, _ in chain.named_parameters()] == ["first", "second"]


def test_what_was_learned_with_the_formula_holds_on_the_simulator() -> None:
    judge = story.digits()[1].part(slice(0, 120))
    chain = trained()
    a, b = (p.detach().numpy() for p in chain.parameters())
    between = switches.simulate(judge.light.numpy(), a, accuracy=1e-6)
    y = switches.simulate(np.hstack([np.ones((120, 1)), between]), b, accuracy=1e-6)
    with torch.no_grad():
        found = chain(judge.light).numpy()
    # The second layer's currents carry the first one's differences.
    assert np.abs(found - y).max() < story.TOLERANCE * (1 + np.abs(b).sum(1).max() / 4)
    assert (y.argmax(1) == judge.labels.numpy()).mean() >= 0.92


def test_the_simulator_takes_part_in_backpropagation() -> None:
    transmit, respond = formulas()
    learn = story.digits()[0].part(slice(0, 50))
    slopes = []
    for device in (
        switches.Simulated.apply,
        switches.Curves(transmit.to_torch(), respond.to_torch()),
    ):
        chain = story.ChainOfDevices(device, 8)
        torch.nn.functional.cross_entropy(10 * chain(learn.light), learn.labels).backward()
        slopes.append([p.grad.numpy() for p in chain.parameters()])
    for simulated, found in zip(*slopes, strict=True):
        # A formula within 1e-3 of a curve may be off its slope by more.
        assert np.abs(simulated - found).max() < 0.02 * np.abs(simulated).max()
    before = story.ChainOfDevices(switches.Simulated.apply, 8)
    after = story.ChainOfDevices(switches.Simulated.apply, 8)
    story.train(after, story.digits()[0], steps=40)
    assert after.accuracy(learn) > before.accuracy(learn) + 0.2


def test_its_c_reads_the_same_digits(tmp_path: Path) -> None:
    judge = story.digits()[1]
    chain = story.as_chain(trained(), *formulas())
    light = judge.light[:, 1:].numpy()
    with torch.no_grad():
        expected = trained()(judge.light).numpy()
    np.testing.assert_allclose(chain.evaluate(light), expected, atol=1e-12)
    answers = story.export(chain, tmp_path / "c", light)
    np.testing.assert_allclose(answers[:, :10], expected, atol=2e-6)
    assert answers[:, 10].tolist() == expected.argmax(1).tolist()
