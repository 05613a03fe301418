"""C for what stands around a formula: checking the inputs, the guard and the table."""

from __future__ import annotations

from distill.domain import Variable
from distill.firmware.emit import literal, real_type, signature
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.lookup import FRACTION, Table, bounds, rounding_offsets
from distill.firmware.names import Names
from distill.firmware.policy import Policy


def hold_input(
    variable: Variable, parameter: str, arithmetic: Arithmetic, policy: Policy
) -> list[str]:
    """Statements after which ``parameter`` is a number of the domain, or the function has returned.

    In range this takes two comparisons, one for a boolean; NaN is told apart only once a value
    has failed the first.
    """
    if not policy.checked:
        return []
    x = parameter
    low, high = (literal(b, arithmetic) for b in bounds(variable, arithmetic))
    whole = _round(variable, x, arithmetic)
    outside = f"return {nan(arithmetic)};" if policy.out_of_domain == "nan" else ""
    if variable.kind == "boolean" and not outside:
        half = literal(0.5, arithmetic)
        if policy.nan_input == "low":
            return whole
        one, zero = literal(1.0, arithmetic), literal(0.0, arithmetic)
        return [
            f"if ({x} >= {half}) {{",
            f"    {x} = {one};",
            f"}} else if ({x} < {half}) {{",
            f"    {x} = {zero};",
            "} else {",
            f"    return {x}; /* NaN */",
            "}",
        ]
    if outside and policy.nan_input == "propagate":
        return [f"if (!({x} >= {low} && {x} <= {high})) {{", f"    {outside}", "}", *whole]
    if policy.nan_input == "propagate":
        below = [f"    if ({x} != {x}) {{", f"        return {x}; /* NaN */", "    }"]
    elif outside:
        below = [f"    if ({x} < {low}) {{", f"        {outside}", "    }"]
    else:
        below = []
    return [
        f"if (!({x} >= {low})) {{",
        *below,
        f"    {x} = {low};",
        f"}} else if ({x} > {high}) {{",
        f"    {outside or f'{x} = {high};'}",
        "}",
        *whole,
    ]


def nan(arithmetic: Arithmetic) -> str:
    """NaN as the C writes it: the macro is a float, which a double says openly."""
    return "NAN" if arithmetic == "float32" else "(double)NAN"


def _round(variable: Variable, x: str, arithmetic: Arithmetic) -> list[str]:
    """Round a whole-number input that is in range to the nearest whole number."""
    if variable.kind == "boolean":
        half, one, zero = (literal(v, arithmetic) for v in (0.5, 1.0, 0.0))
        return [f"{x} = {x} >= {half} ? {one} : {zero};"]
    if variable.kind == "integer":
        offset, shift = rounding_offsets(bounds(variable, arithmetic)[0])
        back = f" - {int(shift)}" if shift else ""
        real = real_type(arithmetic)
        truncated = f"(int32_t)({x} + {literal(offset, arithmetic)}){back}"
        return [f"{x} = ({real}){f'({truncated})' if back else truncated};"]
    return []


def guard_function(guard: Guard, name: str) -> str:
    """``NAME_guarded``: 1 where the formula must not answer."""
    names = Names(name)
    parameters = names.parameters(guard.domain.names)
    lines: list[str] = []
    place: list[str] = []
    stride = 1
    for i in reversed(range(len(parameters))):
        count = guard.counts[i]
        if count == 1:
            lines.insert(0, f"(void){parameters[i]};")
            continue
        cell = names.local("cell")
        position = _scaled(
            guard.domain.variables[i], parameters[i], guard.step(i), guard.arithmetic
        )
        if guard.has_every_value(i):
            lines.append(f"const uint32_t {cell} = {_whole(position)};")
        else:
            lines += [
                f"uint32_t {cell} = {_whole(position)};",
                f"if ({cell} > {count - 1}u) {{",
                f"    {cell} = {count - 1}u;",
                "}",
            ]
        place.insert(0, cell if stride == 1 else f"{cell} * {stride}u")
        stride *= count
    at = names.local("at")
    lines += [
        f"const uint32_t {at} = {' + '.join(place) or '0u'};",
        f"return ((uint32_t){name.upper()}_READ8({name}_guard + ({at} >> 3)) >> ({at} & 7u)) & 1u;",
    ]
    return _function("uint32_t", f"{name}_guarded", parameters, guard.arithmetic, lines)


def table_function(table: Table, name: str) -> str:
    """``NAME_table``: the table's answer for inputs in the domain."""
    names = Names(name)
    parameters = names.parameters(table.domain.names)
    real = real_type(table.arithmetic)
    lines: list[str] = []
    place: list[str] = []
    weights: dict[int, str] = {}
    for i, variable in enumerate(table.domain.variables):
        count, stride = table.counts[i], table.strides[i]
        if count == 1:
            lines.append(f"(void){parameters[i]};")
            continue
        far = "" if stride == 1 else f" * {stride}u"
        if i not in table.interpolated:
            cell = names.local("i")
            index = _scaled(variable, parameters[i], 1.0, table.arithmetic)
            lines.append(f"const uint32_t {cell} = {_whole(index)};")
            place.append(cell + far)
            continue
        position = _scaled(variable, parameters[i], table.step(i), table.arithmetic)
        placed, cell, weights[i] = _place(names, position, count, real, table.quantised)
        lines += placed
        if count > 2:
            place.append(cell + far)
    stored = "uint16_t" if table.quantised else "float"
    values = names.local("v")
    start = " + ".join([f"{name}_values", *place])
    lines.append(f"const {stored} *const {values} = {start};")
    read = f"{name.upper()}_READ{'16' if table.quantised else 'F'}"
    level = [f"{read}({values}{f' + {o}' if o else ''})" for o in table.corner_offsets()]
    mixed_type = "uint32_t" if table.quantised else real
    if mixed_type != stored:
        level = [f"({mixed_type}){text}" for text in level]
    for i in reversed(table.interpolated):
        following = []
        for a, b in zip(level[0::2], level[1::2], strict=True):
            mixed = names.local("m")
            mixing = f"{name}_mix({a}, {b}, {weights[i]});"
            line = f"const {mixed_type} {mixed} = {mixing}"
            lines += (
                [line] if len(line) <= 92 else [f"const {mixed_type} {mixed} =", f"    {mixing}"]
            )
            following.append(mixed)
        level = following
    if table.quantised:
        offset, scale = (literal(v, table.arithmetic) for v in (table.offset, table.scale))
        lines.append(f"return {offset} + {scale} * ({real}){level[0]};")
    else:
        lines.append(f"return {level[0]};")
    return _function(real, f"{name}_table", parameters, table.arithmetic, lines)


def _place(
    names: Names, position: str, count: int, real: str, quantised: bool
) -> tuple[list[str], str, str]:
    """Statements that find the cell and the weight of a position, and the two variables."""
    weight, last = names.local("w"), count - 2
    if not quantised:
        if count == 2:
            return [f"const {real} {weight} = {position};"], "", weight
        where = names.local("p")
        lines = [f"const {real} {where} = {position};"]
        cell = names.local("i")
        return (
            [
                *lines,
                f"uint32_t {cell} = {_whole(where)};",
                f"if ({cell} > {last}u) {{",
                f"    {cell} = {last}u;",
                "}",
                f"const {real} {weight} = {where} - ({real}){cell};",
            ],
            cell,
            weight,
        )
    lines = [f"uint32_t {weight} = {_whole(position)};"]
    if count == 2:
        at_end = [f"if ({weight} > {FRACTION}u) {{", f"    {weight} = {FRACTION}u;", "}"]
        return [*lines, *at_end], "", weight
    cell = names.local("i")
    return (
        [
            *lines,
            f"uint32_t {cell} = {weight} >> 16;",
            f"{weight} &= {FRACTION - 1}u;",
            f"if ({cell} > {last}u) {{",
            f"    {cell} = {last}u;",
            f"    {weight} = {FRACTION}u;",
            "}",
        ],
        cell,
        weight,
    )


def mix_function(table: Table, name: str) -> str:
    """``NAME_mix``: between two values by a weight; empty when nothing is interpolated."""
    if not table.interpolated:
        return ""
    if table.quantised:
        return (
            f"static uint32_t {name}_mix(uint32_t a, uint32_t b, uint32_t weight)\n{{\n"
            f"    return (a * ({FRACTION}u - weight) + b * weight + {FRACTION // 2}u) >> 16;\n}}\n"
        )
    real = real_type(table.arithmetic)
    return (
        f"static {real} {name}_mix({real} a, {real} b, {real} weight)\n{{\n"
        "    return a + weight * (b - a);\n}\n"
    )


def _scaled(variable: Variable, x: str, step: float, arithmetic: Arithmetic) -> str:
    """``(x - low) * step`` without what does nothing."""
    low = bounds(variable, arithmetic)[0]
    sign = "-" if low > 0 else "+"
    text = f"{x} {sign} {literal(abs(low), arithmetic)}" if low else x
    if step == 1:
        return text
    return f"{f'({text})' if low else text} * {literal(step, arithmetic)}"


def _whole(text: str) -> str:
    return f"(uint32_t){text if text.isidentifier() else f'({text})'}"


def _function(
    result: str, name: str, parameters: tuple[str, ...], arithmetic: Arithmetic, lines: list[str]
) -> str:
    real = real_type(arithmetic)
    head = signature(real, name, parameters).removeprefix(real)
    return "\n".join([f"static {result}{head}", "{", *(f"    {line}" for line in lines), "}\n"])


def array_rows(values: list[str], width: int = 92) -> list[str]:
    """The elements of an initialiser, as many on a line as fit."""
    rows, row = [], ""
    for value in values:
        if row and len(row) + len(value) + 2 > width:
            rows.append(row)
            row = ""
        row += (" " if row else "") + value + ","
    return [*rows, row] if row else rows
