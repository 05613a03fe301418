"""How far proofs get: bounds of |formula - network| against the largest error that is found.

python benchmarks/bounds.py                             # all sections
python benchmarks/bounds.py --sections networks wet_bulb
python benchmarks/bounds.py --problems 20               # fewer random problems
python benchmarks/bounds.py --write docs/bounds-figures.md
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from publishing import conditions, record

from distill.arrays import Array
from distill.bounds.base import Difference
from distill.bounds.prove import Bound, Limits, prove
from distill.bounds.read import enclosable
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Function
from distill.domain import Domain
from distill.extremum import largest
from distill.formula import Formula

READ_ME = """\
# Figures of proven bounds

Written by `{command}`; not edited by hand.

A bound holds for every point of the domain; *found* is the largest error that points and a search
can show. Their ratio says how much of the bound is caution. Seconds are of one process: read them
as orders of magnitude. {conditions}
"""

FIGURES = (
    # inputs, width, ratio wanted, seconds allowed
    (2, 64, 1.05, 1.0),
    (3, 64, 1.1, 5.0),
    (4, 64, 1.2, 30.0),
    (5, 64, 1.5, 120.0),
    (6, 64, 1.5, 120.0),
    (8, 64, 2.0, 120.0),
)


def box(d: int) -> Domain:
    """[-1, 1]^d."""
    return Domain.box(**{f"x{i}": (-1.0, 1.0) for i in range(d)})


def target(domain: Domain) -> Formula:
    """``exp(-x0^2)*x1`` and half the products of neighbours: what networks are trained on."""
    text = "exp(-x0^2)*x1" + "".join(f" + 0.5*x{k}*x{k - 1}" for k in range(2, len(domain)))
    return Formula.parse(text, domain)


def trained(domain: Domain, activation: Function, width: int) -> ClosedForm:
    """A network of two hidden layers trained on :func:`target` by scikit-learn."""
    from sklearn.neural_network import MLPRegressor

    formula = target(domain)
    x = np.random.default_rng(0).uniform(-1, 1, (8000, len(domain)))
    net = MLPRegressor(
        hidden_layer_sizes=(width, width),
        activation=activation,
        max_iter=400,
        tol=1e-9,
        random_state=0,
    ).fit(x, formula(x))
    return layers(domain, net.coefs_, net.intercepts_, activation)


def layers(
    domain: Domain, weights: list[Array], biases: list[Array], activation: Function
) -> ClosedForm:
    """Matrices (k, m) and biases (m,) as a closed form."""
    steps: list[Step] = []
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        steps.append(Affine(np.array(w).T, np.array(b)))
        if i < len(weights) - 1:
            steps.append(Apply(activation, len(b)))
    return ClosedForm(Chain(len(domain), tuple(steps)), domain)


def triangle(formula: Formula, form: ClosedForm, domain: Domain) -> float:
    """What bounding both sides apart and adding gives."""
    limits = Limits(1.05, boxes=20_000)
    return sum(prove(enclosable(e), domain, limits).bound for e in (formula, form))


def networks() -> Iterator[str]:
    """Networks against the formula that they learned."""
    yield "| inputs | activation | wanted | bound | found | ratio | boxes | seconds | met |"
    yield "|---|---|---|---|---|---|---|---|---|"
    activations: tuple[Function, ...] = ("tanh", "relu")
    for activation in activations:
        for d, width, ratio, seconds in FIGURES:
            domain = box(d)
            formula, form = target(domain), trained(domain, activation, width)
            difference = Difference(enclosable(formula), enclosable(form))
            start = time.perf_counter()
            bound = prove(difference, domain, Limits(ratio, seconds=seconds, boxes=10**8))
            took = time.perf_counter() - start
            both = f"; apart {triangle(formula, form, domain):.3g}" if d > 5 else ""
            met = "yes" if bound.ratio <= ratio and took <= seconds * 1.1 else "NO"
            yield (
                f"| {d} | {activation} 2x{width} | {ratio} in {seconds:g} s | {bound.bound:.5g}"
                f"{both} | {bound.found:.5g} | {bound.ratio:.3f} | {bound.boxes:,} | {took:.2f} "
                f"| {met} |"
            )


LEAVES = ("x0", "x1", "0.7", "1.3", "(x0 + 0.4*x1)", "x0*x1")
SHAPES = (
    "sin({a}) + {b}",
    "exp(0.5*{a})*{b}",
    "{a}/(2.5 + {b}*{b})",
    "tanh({a})*{b} + {a}",
    "max({a}, {b})",
    "sqrt(1.5 + {a}*{a}) - {b}",
    "log(3.5 + {a} + {b})",
    "abs({a}) + cos(2*{b})",
)


def random_problem(seed: int) -> tuple[Formula, ClosedForm]:
    """A small formula and a small network, each drawn."""
    rng = np.random.default_rng(seed)
    domain = box(2)

    def part(depth: int) -> str:
        if depth == 0 or rng.random() < 0.3:
            return str(rng.choice(LEAVES))
        return "(" + str(rng.choice(SHAPES)).format(a=part(depth - 1), b=part(depth - 1)) + ")"

    width = int(rng.integers(2, 12))
    sizes = [2, *[width] * int(rng.integers(1, 4)), 1]
    pairs = list(itertools.pairwise(sizes))
    weights = [rng.normal(size=(k, m)) * rng.uniform(0.5, 2) / np.sqrt(k) for k, m in pairs]
    biases = [rng.normal(size=m) for _, m in pairs]
    kinds: tuple[Function, ...] = ("tanh", "relu", "sigmoid", "leaky_relu", "sin")
    form = layers(domain, weights, biases, kinds[rng.integers(len(kinds))])
    return Formula.parse(part(2), domain), form


def random_problems(count: int, many: int) -> Iterator[str]:
    """Never a bound below what can be found."""
    false, ratios, boxes = 0, [], 0
    start = time.perf_counter()
    for seed in range(count):
        formula, form = random_problem(seed)
        domain = formula.domain
        difference = Difference(enclosable(formula), enclosable(form))
        bound = prove(difference, domain, Limits(1.05, boxes=20_000))
        points = 10_000_000 if seed < many else 100_000
        found = found_by(difference, domain, points, seed)
        # Both sides are computed in float64: what is found may be off by so much.
        rounding = 1e-12 * (1 + found)
        false += found > bound.bound + rounding
        ratios.append(bound.bound / max(found, 1e-300))
        boxes += bound.boxes
    yield (
        f"{count:,} random pairs of a formula and a network of 1 to 3 hidden layers (tanh, relu, "
        f"leaky_relu, sigmoid, sin), {many} of them searched with 10 million points each and the "
        f"others with 100,000, all with a local search besides: **{false} bounds below what was "
        f"found**; ratio to it {np.median(ratios):.3f} in the median, {max(ratios):.3f} at most; "
        f"{boxes:,} boxes, {time.perf_counter() - start:.0f} s with the search."
    )


def found_by(difference: Difference, domain: Domain, points: int, seed: int) -> float:
    """The largest error at random points and of a local search."""
    rng = np.random.default_rng(seed)
    best = largest(difference, domain, points=4096, starts=16, seed=seed).value
    for start in range(0, points, 250_000):
        x = domain.from_unit(rng.random((min(250_000, points - start), len(domain))))
        best = max(best, float(np.abs(difference(x)).max()))
    return best


def wet_bulb() -> Iterator[str]:
    """The shipped teacher and a published formula."""
    from distill.teachers.base import chain_of
    from distill.teachers.load import load_teacher

    teacher = load_teacher("wet_bulb")
    chain, domain = chain_of(teacher), teacher.domain
    assert chain is not None
    assert domain is not None
    yield "| formula | bound | found | ratio | boxes | seconds |"
    yield "|---|---|---|---|---|---|"
    text = (
        "temperature*atan(0.151977*sqrt(humidity + 8.313659)) + atan(temperature + humidity) "
        "- atan(humidity - 1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
    )
    formula = Formula.parse(text, domain)
    difference = Difference(enclosable(formula), enclosable(ClosedForm(chain, domain)))
    for ratio in (1.1, 1.01, 1.001):
        start = time.perf_counter()
        bound = prove(difference, domain, Limits(ratio))
        yield row("Stull 2011", bound, time.perf_counter() - start)


def row(name: str, bound: Bound, took: float) -> str:
    """A row of a table."""
    return (
        f"| {name} | {bound.bound:.5f} | {bound.found:.5f} | {bound.ratio:.4f} | {bound.boxes:,} "
        f"| {took:.2f} |"
    )


def headlines(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Bounds over the largest error found, of networks and of the published formula."""
    rows = [record.cells(line) for line in lines]
    for inputs, kind, wanted, _, _, ratio, _, seconds, met in (r for r in rows if len(r) == 9):
        if inputs.isdigit():
            name = f"{kind} of {inputs} inputs, wanted {wanted}: bound over largest error found"
            yield name, f"{ratio} in {seconds} s" + ("" if met == "yes" else ", MISSED")
    for formula, *_, ratio, boxes, seconds in (r for r in rows if len(r) == 6):
        if "Stull" in formula:
            name = f"{formula} against the shipped teacher, {boxes} boxes"
            yield f"{name}: bound over largest error found", f"{ratio} in {seconds} s"


def main() -> int:
    """Print the sections asked for, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=["networks", "random", "wet_bulb"])
    parser.add_argument("--problems", type=int, default=1000, help="random problems")
    parser.add_argument("--many", type=int, default=20, help="of these with 10 million points")
    parser.add_argument("--write", type=Path, help="also write the page here")
    record.add_option(parser)
    args = parser.parse_args()
    measured_on = conditions.now()
    sections: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
        "networks": ("Networks against the formula that they learned", networks),
        "wet_bulb": ("A published formula against the shipped teacher", wet_bulb),
        "random": (
            "Random problems",
            lambda: random_problems(args.problems, min(args.many, args.problems)),
        ),
    }
    lines = []
    for name in args.sections or sections:
        title, run = sections[name]
        lines += ["", f"## {title}", ""]
        print("\n".join(lines[-3:]), flush=True)
        for line in run():
            print(line, flush=True)
            lines.append(line)
    if args.write:
        command = "python benchmarks/bounds.py --write docs/bounds-figures.md"
        head = READ_ME.format(command=command, conditions=measured_on.text())
        args.write.write_text(head + "\n".join(lines) + "\n")
    record.save(args.figures, measured_on, headlines(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
