"""Signs: negations move outwards and disappear in additions and subtractions.

``a + -b`` is ``a - b``, ``a - -b`` is ``a + b``, ``-a * b`` is ``-(a*b)``, ``a + -2`` is ``a - 2``,
``a + -2*x`` is ``a - 2*x``, ``x * -1`` is ``-x``. Rounding to nearest is symmetric, so values stay
equal to the bit; only the sign of a zero may differ (``-(a - b)`` becomes ``b - a``). What is used
in two places is left alone, so that nothing is computed twice.
"""

from __future__ import annotations

from distill.firmware.graph import Builder, Graph, Rule, rewrite


def tidy_signs(graph: Graph) -> Graph:
    """The graph with as few negations as possible."""
    rules: dict[str, Rule] = {
        "neg": lambda builder, args: _negative(builder, args[0]),
        "add": _add,
        "sub": _sub,
        "mul": _factors("mul"),
        "div": _factors("div"),
        "abs": _even("abs"),
        "cos": _even("cos"),
        "cosh": _even("cosh"),
    }
    return rewrite(graph, rules, "signs")


def _flipped(builder: Builder, at: int) -> int | None:
    """The negative of ``at`` where it costs nothing, else None."""
    operation = builder[at]
    if operation.name == "neg":
        return operation.args[0]
    if operation.name == "sub" and builder.used_once(at):
        return builder.call("sub", *operation.args[::-1])
    return _flipped_factor(builder, at)


def _flipped_factor(builder: Builder, at: int) -> int | None:
    """A constant, or a product or quotient with one in it, with the other sign."""
    operation, value = builder[at], builder.value_of(at)
    if value is not None:
        return builder.constant(-value)
    if operation.name in ("mul", "div") and builder.used_once(at):
        for i, arg in enumerate(operation.args):
            if (flipped := _flipped_factor(builder, arg)) is not None:
                args = (*operation.args[:i], flipped, *operation.args[i + 1 :])
                return builder.call(operation.name, *args)
    return None


def _negative(builder: Builder, at: int) -> int:
    flipped = _flipped(builder, at)
    return builder.call("neg", at) if flipped is None else flipped


def _is_negative(builder: Builder, at: int) -> bool:
    """Whether ``at`` is written with a minus sign: ``-2``, ``-x`` or ``-2*x*y``."""
    operation, value = builder[at], builder.value_of(at)
    if value is not None:
        return value < 0
    if operation.name in ("mul", "div"):
        return any(_is_negative(builder, arg) for arg in operation.args)
    return operation.name == "neg"


def _add(builder: Builder, args: tuple[int, ...]) -> int | None:
    for a, b in (args, args[::-1]):
        if _is_negative(builder, b) and (positive := _flipped(builder, b)) is not None:
            return builder.call("sub", a, positive)
    return None


def _sub(builder: Builder, args: tuple[int, ...]) -> int | None:
    a, b = args
    if builder.value_of(a) == 0.0:
        return _negative(builder, b)
    if _is_negative(builder, b) and (positive := _flipped(builder, b)) is not None:
        return builder.call("add", a, positive)
    if builder[a].name == "neg":
        return builder.call("neg", builder.call("add", builder[a].args[0], b))
    return None


def _factors(operator: str) -> Rule:
    def rule(builder: Builder, args: tuple[int, ...]) -> int | None:
        for i in (1, 0) if operator == "mul" else (1,):
            if builder.value_of(args[i]) == -1.0:
                return _negative(builder, args[1 - i])
        negated = [builder[arg].name == "neg" for arg in args]
        if not any(negated):
            return None
        bare = [builder[a].args[0] if n else a for a, n in zip(args, negated, strict=True)]
        if all(negated):
            return builder.call(operator, *bare)
        other = negated.index(False)
        value = builder.value_of(args[other])
        if value is not None:
            bare[other] = builder.constant(-value)
            return builder.call(operator, *bare)
        return builder.call("neg", builder.call(operator, *bare))

    return rule


def _even(operator: str) -> Rule:
    def rule(builder: Builder, args: tuple[int, ...]) -> int | None:
        inner = builder[args[0]]
        return builder.call(operator, inner.args[0]) if inner.name == "neg" else None

    return rule
