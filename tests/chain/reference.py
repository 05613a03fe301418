"""Every step as a plain loop over one point, each operation on scalars of one type."""

from math import erf, sqrt

import numpy as np

from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner


def reference(step, x, kind):
    """The outputs at one point x (d,) of the type ``kind``, as a list."""
    return _STEPS[type(step)](step, x, kind)


def _affine(step, x, kind):
    answers = []
    for row, bias in zip(step.weights, step.bias, strict=True):
        y = kind(bias)
        for w, value in zip(row, x, strict=True):
            y = y + kind(w) * value
        answers.append(y)
    return answers


def _sigmoid(x, kind):
    e = np.exp(-abs(x))
    return e / (kind(1) + e) if x < 0 else kind(1) / (kind(1) + e)


def _softplus(x, kind):
    return (kind(0) if x < 0 else x) + np.log1p(np.exp(-abs(x)))


def _between(x, low, high, kind):
    if x < low:
        return kind(low)
    return kind(high) if x > high else x


_SLOPE, _SCALE = 1.0507009873554805 * 1.6732632423543772, 1.0507009873554805

_FUNCTIONS = {
    "identity": lambda x, p, k: x,
    "tanh": lambda x, p, k: np.tanh(x),
    "sin": lambda x, p, k: np.sin(x),
    "cos": lambda x, p, k: np.cos(x),
    "exp": lambda x, p, k: np.exp(x),
    "log": lambda x, p, k: np.log(x),
    "sqrt": lambda x, p, k: np.sqrt(x),
    "abs": lambda x, p, k: abs(x),
    "square": lambda x, p, k: x * x,
    "inv": lambda x, p, k: k(1) / x,
    "expm1": lambda x, p, k: np.expm1(x),
    "log1p": lambda x, p, k: np.log1p(x),
    "erf": lambda x, p, k: k(erf(x)),
    "relu": lambda x, p, k: k(0) if x < 0 else x,
    "leaky_relu": lambda x, p, k: k(p) * x if x < 0 else x,
    "elu": lambda x, p, k: k(p) * np.expm1(x) if x < 0 else x,
    "selu": lambda x, p, k: k(_SLOPE) * np.expm1(x) if x < 0 else k(_SCALE) * x,
    "gelu": lambda x, p, k: (k(0.5) * x) * (k(1) + k(erf(x * k(sqrt(0.5))))),
    "sigmoid": lambda x, p, k: _sigmoid(x, k),
    "silu": lambda x, p, k: x * _sigmoid(x, k),
    "softplus": lambda x, p, k: _softplus(x, k),
    "mish": lambda x, p, k: x * np.tanh(_softplus(x, k)),
    "softsign": lambda x, p, k: x / (k(1) + abs(x)),
    "hardtanh": lambda x, p, k: _between(x, -1, 1, k),
    "relu6": lambda x, p, k: _between(x, 0, 6, k),
    "hardsigmoid": lambda x, p, k: _between(x + k(3), 0, 6, k) / k(6),
    "hardswish": lambda x, p, k: (x * _between(x + k(3), 0, 6, k)) / k(6),
    "sign": lambda x, p, k: k(int(x > 0) - int(x < 0)),
}


def _apply(step, x, kind):
    return [_FUNCTIONS[step.function](value, step.parameter, kind) for value in x]


def _scale(step, x, kind):
    return [(v - kind(s)) / kind(d) for v, s, d in zip(x, step.shift, step.divisor, strict=True)]


def _stretch(step, x, kind):
    return [v * kind(f) + kind(o) for v, f, o in zip(x, step.factor, step.offset, strict=True)]


def _above(step, x, kind):
    # The threshold as it is, in double: what is rounded must decide as it does.
    return [kind(float(v) > float(t)) for v, t in zip(x, step.threshold, strict=True)]


def _one_hot(step, x, kind):
    answers = []
    for value, categories in zip(x, step.categories, strict=True):
        equal = [bool(value == kind(c)) for c in categories]
        answers += [
            not any(equal) if np.isnan(c) else e for c, e in zip(categories, equal, strict=True)
        ]
    return [kind(a) for a in answers]


def _branches(step, x, kind):
    answers = []
    for chain in step.chains:
        y = x
        for inner in chain.steps:
            y = reference(inner, y, kind)
        answers += list(y)
    return answers


def _normalise(step, x, kind):
    s = kind(0)
    for v in x:
        if step.norm == "max":
            s = abs(v) if abs(v) > s or v != v else s
        else:
            s = s + (abs(v) if step.norm == "l1" else v * v)
    s = np.sqrt(s) if step.norm == "l2" else s
    return [v if s == 0 else v / s for v in x]


def _each(step, x, kind):
    return [kind(3) * v - abs(v) for v in x]  # the formula of the example


def _gaussians(step, x, kind):
    answers = []
    for centre, factors, constant in zip(step.centres, step.factors, step.constants, strict=True):
        s = kind(0)
        if step.diagonal:
            for v, f, c in zip(x, factors, centre, strict=True):
                z = kind(f) * (v - kind(c))
                s = s + z * z
        else:
            for row in factors:
                z = kind(0)
                for v, f, c in zip(x, row, centre, strict=True):
                    z = z + kind(f) * (v - kind(c))
                s = s + z * z
        answers.append(kind(constant) - kind(0.5) * s)
    return answers


def _convolution(step, x, kind):
    _, height, width = step.shape
    image = np.asarray(x).reshape(step.shape)
    out, depth, high, wide = step.weights.shape
    top, left, bottom, right = step.padding
    rows = (height + top + bottom - step.dilation[0] * (high - 1) - 1) // step.stride[0] + 1
    columns = (width + left + right - step.dilation[1] * (wide - 1) - 1) // step.stride[1] + 1
    answers = []
    for o in range(out):
        group = o // (out // step.groups)
        for r in range(rows):
            for c in range(columns):
                y = kind(step.bias[o])
                for d in range(depth):
                    for i in range(high):
                        for j in range(wide):
                            v = r * step.stride[0] - top + i * step.dilation[0]
                            u = c * step.stride[1] - left + j * step.dilation[1]
                            if 0 <= v < height and 0 <= u < width:
                                w = kind(step.weights[o, d, i, j])
                                y = y + w * image[group * depth + d, v, u]
                answers.append(y)
    return answers


def _pool(step, x, kind):
    channels, height, width = step.shape
    image = np.asarray(x).reshape(step.shape)
    top, left, bottom, right = step.padding
    answers = []
    for c in range(channels):
        for r in range((height + top + bottom - step.size[0]) // step.stride[0] + 1):
            for s in range((width + left + right - step.size[1]) // step.stride[1] + 1):
                seen = [
                    image[c, v, u]
                    for v in range(
                        r * step.stride[0] - top, r * step.stride[0] - top + step.size[0]
                    )
                    for u in range(
                        s * step.stride[1] - left, s * step.stride[1] - left + step.size[1]
                    )
                    if 0 <= v < height and 0 <= u < width
                ]
                y = seen[0] if step.kind == "max" else kind(0)
                for value in seen if step.kind == "mean" else seen[1:]:
                    if step.kind == "mean":
                        y = y + value
                    elif value > y or value != value:
                        y = value
                answers.append(y if step.kind == "max" else y / kind(len(seen)))
    return answers


def _kernel(step, x, kind):
    gamma, constant = kind(step.gamma), kind(step.constant)
    answers = []
    for vector in step.vectors:
        s = kind(0)
        for v, w in zip(x, vector, strict=True):
            z = v - kind(w)
            s = s + (z * z if step.kind == "rbf" else kind(w) * v)
        z = gamma * s + constant
        if step.kind == "rbf":
            answers.append(np.exp(-(gamma * s)))
        elif step.kind == "sigmoid":
            answers.append(np.tanh(z))
        else:
            p = z if step.degree else kind(1)
            for _ in range(step.degree - 1):
                p = p * z
            answers.append(p)
    return answers


def _one_vs_one(step, x, kind):
    votes = [kind(0)] * step.classes
    sums = [kind(0)] * step.classes
    at = 0
    for i in range(step.classes):
        for j in range(i + 1, step.classes):
            first = x[at] > 0 if step.ties == "first" else not x[at] < 0
            votes[i if first else j] += kind(1)
            sums[i] = sums[i] + x[at]
            sums[j] = sums[j] - x[at]
            at += 1
    if step.ties == "first":
        return votes
    return [v + s / (kind(3) * (abs(s) + kind(1))) for v, s in zip(votes, sums, strict=True)]


def _monomials(step, x, kind):
    answers = []
    for exponents in step.exponents:
        p = kind(1)
        for v, e in zip(x, exponents, strict=True):
            for _ in range(e):
                p = p * v
        answers.append(p)
    return answers


def _distances(step, x, kind):
    answers = []
    for prototype in step.prototypes:
        s = kind(0)
        for v, p in zip(x, prototype, strict=True):
            z = v - kind(p)
            if step.metric == "chebyshev":
                s = abs(z) if abs(z) > s or z != z else s
            else:
                s = s + (abs(z) if step.metric == "manhattan" else z * z)
        answers.append(np.sqrt(s) if step.metric == "euclidean" else s)
    return answers


def _nearest(step, x, kind):
    found = _distances(step, x, kind)
    best = []
    for i, d in enumerate(found):
        at = len(best)
        while at and d < found[best[at - 1]]:
            at -= 1
        best.insert(at, i)
        del best[step.count :]
    weights = [kind(1) / found[i] for i in best]
    if any(found[i] == 0 for i in best):
        weights = [kind(found[i] == 0) for i in best]
    answers = []
    for column in step.values.T:
        s = t = kind(0)
        for i, w in zip(best, weights, strict=True):
            s = s + (w * kind(column[i]) if step.weights == "distance" else kind(column[i]))
            t = t + w
        answers.append(s / (t if step.weights == "distance" else kind(step.count)))
    return answers


def goes_left(goes, x, t):
    """The rule of the library, on float64 x and t."""
    with np.errstate(over="ignore"):
        if goes == "float32_at_most":
            return float(np.float32(x)) <= t
        if goes == "float32_below":
            return np.float32(x) < np.float32(t)
        return x <= t if goes == "at_most" else x < t


def _trees(step, x, kind):
    sums = [kind(0)] * step.outputs
    for root in step.roots:
        at = root
        while step.left[at] >= 0:
            value = float(x[step.feature[at]])
            if np.isnan(value):
                left = step.missing[at]
            else:
                left = goes_left(step.goes, value, step.threshold[at])
            at = step.left[at] if left else step.right[at]
        sums = [s + kind(v) for s, v in zip(sums, step.leaves[step.right[at]], strict=True)]
    return [
        (s / kind(f) if step.divide else s * kind(f)) + kind(b)
        for s, f, b in zip(sums, step.scale, step.bias, strict=True)
    ]


def _softmax(step, x, kind):
    m = x[0]
    for v in x:
        m = v if v > m else m
    e = [np.exp(v - m) for v in x]
    s = kind(0)
    for v in e:
        s = s + v
    return [v / s for v in e]


def _winner(step, x, kind):
    w = 0
    for i, v in enumerate(x):
        if v > x[w] if step.largest else v < x[w]:
            w = i
    return [kind(w)]


def _whole(step, x, kind):
    """Inputs rounded to whole numbers in their bounds, as distances from the lower ones."""
    found = []
    for value, low, high in zip(x, step.lows, step.highs, strict=True):
        off = value - kind(low)
        off = off if off > 0 else kind(0)
        off = off if off < high - low else kind(high - low)
        found.append(int(off + kind(0.5)))
    return found


def _packed(step, x, kind):
    row = 0
    for off, low, high in zip(_whole(step, x, kind), step.lows, step.highs, strict=True):
        row = row * (high - low + 1) + off
    return [kind(v[c]) for v, c in zip(step.levels, step.codes[row], strict=True)]


def _logic(step, x, kind):
    word = 0
    for off, low, high in zip(_whole(step, x, kind), step.lows, step.highs, strict=True):
        word = (word << int(high - low).bit_length()) | off
    bits = [
        any(word & int(step.masks[c]) == step.values[c] for c in cubes) != bool(flip)
        for cubes, flip in zip(step.sums, step.inverted, strict=True)
    ]
    answers = []
    for levels in step.levels:
        count = len(levels).bit_length() - 1
        code = 0
        for bit in bits[:count]:
            code = 2 * code + bit
        del bits[:count]
        answers.append(kind(levels[code]))
    return answers


_STEPS = {
    Affine: _affine,
    Apply: _apply,
    Scale: _scale,
    Stretch: _stretch,
    Above: _above,
    Pick: lambda step, x, kind: [x[i] for i in step.columns],
    OneHot: _one_hot,
    Branches: _branches,
    Normalise: _normalise,
    Each: _each,
    Gaussians: _gaussians,
    Convolution: _convolution,
    Pool: _pool,
    Kernel: _kernel,
    OneVsOne: _one_vs_one,
    Logic: _logic,
    Packed: _packed,
    Monomials: _monomials,
    Distances: _distances,
    Nearest: _nearest,
    Trees: _trees,
    Softmax: _softmax,
    Winner: _winner,
}
