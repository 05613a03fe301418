"""Equivalent chains that are cheaper: what can be joined is joined.

:func:`folded` keeps every answer at float32 inputs as double computes it; :func:`merged` joins
products of matrices, which rounds differently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array, Flags
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.checks import Whole
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Apply, Scale, Stretch
from distill.chain.steps.trees import Trees

_Plain = Pick | Scale | Stretch
"""What trees can take in."""

_Pair = Callable[[Step, Step], tuple[Step, ...] | None]
"""What two steps in a row become; None where they stay as they are."""


def folded(chain: Chain) -> Chain:
    """The chain with scalers and chosen columns taken into the trees behind them.

    For every float32 input the answers are those of ``chain.evaluate(x, "double")``, in float32
    too as far as trees decide: a scaler's own rounding in float32 is gone. Identities are dropped,
    choices of columns joined and drawn before scalers.
    """
    return _reduced(chain, _fold)


def merged(chain: Chain) -> Chain:
    """The folded chain with matrix products joined where that needs fewer constants.

    Scalers beside them are taken in too. Answers differ by rounding.
    """
    return _reduced(chain, lambda first, second: _fold(first, second) or _merge(first, second))


def _reduced(chain: Chain, pair: _Pair, given: bool = True) -> Chain:
    """Rules for two steps in a row applied until none does; scalers taken into trees.

    ``given`` says that the chain takes the inputs themselves: what was computed from them is no
    float32, and scalers behind it stay.
    """
    steps: list[Step] = []
    waiting = list(reversed(chain.steps))
    while waiting:
        step = waiting.pop()
        if _is_identity(step):
            continue
        if isinstance(step, Branches):
            if len(step.chains) == 1:
                waiting.extend(reversed(step.chains[0].steps))
                continue
            own = given and all(isinstance(s, Pick) for s in steps)
            step = Branches(tuple(_reduced(inner, pair, own) for inner in step.chains))
        if isinstance(step, Trees):
            before = _foldable(steps, given)
            if before:
                del steps[-len(before) :]
                step = behind(before, step)
        together = pair(steps[-1], step) if steps else None
        if together is None:
            steps.append(step)
        else:
            steps.pop()
            waiting.extend(reversed(together))
    return Chain(chain.inputs, tuple(steps))


def _foldable(steps: Sequence[Step], given: bool) -> list[_Plain]:
    """The last steps that trees can take in: choices alone where they do not begin at inputs."""
    found: list[_Plain] = []
    for step in reversed(steps):
        # Infinity times 0 is no number: such a factor has no order to keep.
        plain = isinstance(step, Pick | Scale) or (isinstance(step, Stretch) and step.factor.all())
        if not plain:
            break
        assert isinstance(step, Pick | Scale | Stretch)
        found.insert(0, step)
    if given and len(found) == len(steps):
        return found
    last = [at for at, step in enumerate(found) if not isinstance(step, Pick)]
    return found[last[-1] + 1 :] if last else found


def _is_identity(step: Step) -> bool:
    if isinstance(step, Pick):
        return np.array_equal(step.columns, np.arange(step.inputs))
    if isinstance(step, Scale):
        return not step.shift.any() and bool((step.divisor == 1).all())
    if isinstance(step, Stretch):
        return not step.offset.any() and bool((step.factor == 1).all())
    return isinstance(step, Apply) and step.function == "identity"


def _fold(first: Step, second: Step) -> tuple[Step, ...] | None:
    """What keeps every answer."""
    if isinstance(second, Pick):
        if isinstance(first, Pick):
            return (Pick(first.inputs, first.columns[second.columns]),)
        if isinstance(first, Scale | Stretch) and second.outputs <= first.inputs:
            return second, _picked(first, second.columns)
    return None


def _picked(scaler: Scale | Stretch, columns: Whole) -> Step:
    if isinstance(scaler, Scale):
        return Scale(scaler.shift[columns], scaler.divisor[columns])
    return Stretch(scaler.factor[columns], scaler.offset[columns])


def _merge(first: Step, second: Step) -> tuple[Step, ...] | None:
    """What keeps answers up to rounding."""
    a, b = _affine(first), _affine(second)
    if isinstance(first, Scale | Stretch) and isinstance(second, Affine):
        slope, offset = _line(first)
        return (Affine(second.weights * slope, second.bias + second.weights @ offset),)
    if isinstance(first, Affine) and isinstance(second, Scale | Stretch):
        slope, offset = _line(second)
        return (Affine(first.weights * slope[:, None], first.bias * slope + offset),)
    if isinstance(first, Pick) and isinstance(second, Affine) and first.inputs <= first.outputs:
        weights = np.zeros((second.outputs, first.inputs))
        np.add.at(weights.T, first.columns, second.weights.T)
        return (Affine(weights, second.bias),)
    if isinstance(first, Affine) and isinstance(second, Pick) and second.outputs <= first.outputs:
        return (Affine(first.weights[second.columns], first.bias[second.columns]),)
    if a is not None and b is not None and b.outputs * (a.inputs + 1) <= a.stored + b.stored:
        return (Affine(b.weights @ a.weights, b.weights @ a.bias + b.bias),)
    return None


def _affine(step: Step) -> Affine | None:
    return step if isinstance(step, Affine) else None


def _line(scaler: Scale | Stretch) -> tuple[Array, Array]:
    """Slope and offset of each input."""
    if isinstance(scaler, Stretch):
        return scaler.factor, scaler.offset
    return 1 / scaler.divisor, -scaler.shift / scaler.divisor


def behind(before: Sequence[_Plain], trees: Trees) -> Trees:
    """Trees over the inputs of these steps that decide every float32 as all of them together do.

    A scaler, computed in double, never changes the order of two numbers, or always turns it
    around; nor do several in a row. So at each split the inputs that go left are all float32 up to
    one of them (from one on, where they turn it around): found by bisection, and a threshold that
    means just that. They are taken in together: what the first of them gives is no float32.
    """
    split = trees.splits
    asked = np.where(trees.left < 0, 0, trees.feature)
    scalers: list[tuple[Scale | Stretch, Whole]] = []
    for step in reversed(before):
        if isinstance(step, Pick):
            asked = step.columns[asked]
        else:
            scalers.insert(0, (step, asked[split]))
    moved = replace(trees, inputs=before[0].inputs, feature=asked)
    if not scalers:
        return moved
    limits = trees.cuts("double")[split]

    def goes_left(x: Array) -> Flags:
        with np.errstate(all="ignore"):
            for scaler, features in scalers:
                x = _scaled(scaler, features, x)
            return np.asarray(x <= limits, dtype=bool)

    lowest = goes_left(np.full(len(split), -np.inf))
    highest = goes_left(np.full(len(split), np.inf))
    # Where both ends go the same way, so does everything between.
    turned = ~lowest & highest
    last = _last_alike(lambda x: goes_left(x) == lowest, len(split))
    threshold = trees.threshold.copy()
    threshold[split] = np.where(lowest == highest, np.inf, last)
    swap = np.zeros(len(trees.left), dtype=bool)
    swap[split] = turned | (~lowest & ~highest)
    return replace(
        moved,
        threshold=threshold,
        left=np.where(swap, trees.right, trees.left),
        right=np.where(swap, trees.left, trees.right),
        missing=np.where(swap, ~trees.missing, trees.missing),
        goes="float32_at_most",
    )


def _scaled(scaler: Scale | Stretch, feature: Whole, x: Array) -> Array:
    """The scaler's values of these inputs at x, as double computes them."""
    if isinstance(scaler, Scale):
        return (x - scaler.shift[feature]) / scaler.divisor[feature]
    return x * scaler.factor[feature] + scaler.offset[feature]


def _last_alike(alike: Callable[[Array], Flags], count: int) -> Array:
    """The largest of the float32 that are alike with minus infinity, ``count`` times at once."""
    infinite = int(np.float32(np.inf).view(np.int32))  # the number of infinity, see _ranked
    low, high = np.full(count, -infinite), np.full(count, infinite)
    while (low < high).any():
        middle = (low + high + 1) // 2
        same = alike(_ranked(middle))
        low, high = np.where(same, middle, low), np.where(same, high, middle - 1)
    return _ranked(low)


def _ranked(ranks: Whole) -> Array:
    """The float32 with these numbers in their order, 0 for zero, as float64."""
    bits = np.where(ranks < 0, (-ranks) | 0x80000000, ranks).astype(np.uint32)
    return bits.view(np.float32).astype(np.float64)
