"""What the header says of costs, measured again with the compiler that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from distill.config.folder import options_of, read_option
from distill.config.overrides import apply_overrides
from distill.delivery.scalar import cost_lines
from distill.errors import ConfigError
from distill.firmware.alternatives import Alternative
from distill.firmware.evidence import Check
from distill.firmware.target import Optimization, Target, ToolchainName, load_target
from distill.firmware.toolchains import ToolMissing, toolchain_for
from distill.firmware.weigh import weigh
from distill.progress import Progress
from distill.stages.measure import measured_points
from distill.verifying.again import Spec

NAME = "costs"
_MEASURED = "Measured with "


def target_of(spec: Spec, words: Sequence[str]) -> Target | None:
    """The target that the bundle names, as this distill knows it; None for one it does not know.

    A bundle's own words never say which program is run: compilers come from the config alone.

    Raises
    ------
    ConfigError : for ``words``, overrides of ``target``, that cannot be used.
    """
    named = next((word.removeprefix("target=") for word in words if word.startswith("target=")), "")
    name = named or spec.target
    if not named and name not in options_of("target"):
        return None
    data: Mapping[str, Any] = {"target": read_option("target", name)}
    changed = [word for word in words if not word.startswith("target=")]
    target = load_target(apply_overrides(data, changed)["target"])
    if spec.target and target.name != spec.target:
        raise ConfigError(
            f"the bundle is for the target `{spec.target}`, not for `{target.name}`.",
            where="command line, `target`",
            hint="leave it out.",
        )
    return target


def cost_check(spec: Spec, target: Target, progress: Progress) -> Check:
    """Instructions, flash, RAM and stack against the header's lines."""
    stated = next((line for line in spec.figures if line.startswith(_MEASURED)), None)
    if stated is None:
        why = "they were estimated" if spec.figures else "the header states none"
        return Check(NAME, None, f"{why}: there is nothing to measure again")
    missing = ""
    others: dict[str, Target] = {}
    for compiler, way in _ways(target):
        if isinstance(way, ToolMissing):
            missing = missing or way.what
            continue
        others.setdefault(compiler, way)
        if f"{_MEASURED}{compiler}, in an emulator." == stated:
            return _compared(spec, way, progress)
    recorded = stated.removeprefix(_MEASURED).removesuffix(", in an emulator.")
    if not others:
        return Check(NAME, None, f"measured with {recorded}, which is not here: {missing}")
    compiler, way = next(iter(others.items()))
    told = _lines(spec, way, progress)
    return Check(
        NAME,
        None,
        f"measured with {recorded}; here is {compiler}, with which it is\n" + "\n".join(told),
    )


def _ways(target: Target) -> Iterator[tuple[str, Target | ToolMissing]]:
    """Every compiler and level that figures may have been measured with, the target's own first."""
    kinds = sorted(get_args(ToolchainName), key=lambda kind: kind != target.toolchain)
    levels = sorted(get_args(Optimization), key=lambda level: level != target.optimization)
    for kind in kinds:
        if getattr(target, kind) is None:
            continue
        for level in levels:
            way = replace(target, toolchain=kind, optimization=level)
            try:
                yield toolchain_for(way).compiler, way
            except ToolMissing as error:
                yield "", error
                break


def _lines(spec: Spec, target: Target, progress: Progress) -> tuple[str, ...]:
    """The header's lines, of figures that are measured now."""
    progress.advance(None, f"measuring what a call costs on {target.name}")
    measured = weigh({NAME: spec}, measured_points(spec.domain), target)
    if failure := measured.failures.get(NAME):
        return (f"it does not run: {failure.what}",)
    cost = measured.costs.get(NAME)
    return cost_lines(Alternative("formula", spec.arithmetic, cost=cost))


def _compared(spec: Spec, target: Target, progress: Progress) -> Check:
    """The same compiler counts the same."""
    found = _lines(spec, target, progress)
    if found == spec.figures:
        return Check(NAME, True, "\n".join(found))
    pairs = zip(spec.figures, found, strict=False)
    told = [f"stated: {one}\nmeasured: {other}" for one, other in pairs if one != other]
    return Check(NAME, False, "\n".join(told) or "the header has other lines than are measured")
