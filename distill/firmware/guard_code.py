"""C for a guard: whether an input lies in a cell in which the formula must not answer."""

from __future__ import annotations

from distill.firmware.axes import Axis
from distill.firmware.cell_code import distance, scaled, shifted, whole
from distill.firmware.guard import Guard
from distill.firmware.names import Names
from distill.firmware.table_code import CArray, c_array, function


def guard_arrays(guard: Guard, name: str) -> tuple[CArray, ...]:
    """What a guard stores; nothing when one answer holds everywhere."""
    if not guard.read:
        return ()
    cells = " x ".join(map(str, guard.counts))
    note = (
        f"Of {cells} cells, the boxes where the formula must not answer: first and last cell."
        if guard.as_boxes
        else f"One bit a cell of {cells}: 1 where the formula must not answer."
    )
    return (c_array(f"{name}_guard", guard.packed, note),)


def guard_function(guard: Guard, name: str) -> str:
    """``NAME_guarded``: 1 where the formula must not answer."""
    names = Names(name)
    parameters = names.parameters(guard.domain.names)
    lines: list[str] = []
    cells: dict[int, str] = {}
    for i, parameter in enumerate(parameters):
        if i not in guard.read:
            lines.append(f"(void){parameter};")
            continue
        cells[i] = names.local("cell")
        lines += _cell(guard, i, parameter, cells[i])
    if not guard.read:
        lines.append(f"return {int(guard.flags.all())}u;")
    elif guard.as_boxes:
        lines += _in_boxes(guard, name, names, cells)
    else:
        lines += _bit(guard, name, names, cells)
    return function("uint32_t", f"{name}_guarded", parameters, guard.arithmetic, lines)


def _cell(guard: Guard, axis: int, parameter: str, cell: str) -> list[str]:
    layout = Axis(guard.domain.variables[axis], guard.arithmetic)
    if guard.arithmetic == "fixed":
        place = whole(distance(int(layout.low), parameter))
        text = shifted(place, guard.shift(axis))
        return [f"const uint32_t {cell} = {text};"]
    place = whole(scaled(layout.low, parameter, guard.step(axis), guard.arithmetic))
    if guard.has_every_value(axis):
        return [f"const uint32_t {cell} = {place};"]
    last = guard.counts[axis] - 1
    return [
        f"uint32_t {cell} = {place};",
        f"if ({cell} > {last}u) {{",
        f"    {cell} = {last}u;",
        "}",
    ]


def _bit(guard: Guard, name: str, names: Names, cells: dict[int, str]) -> list[str]:
    place: list[str] = []
    stride = 1
    for i in reversed(range(len(guard.counts))):
        if i in cells:
            place.insert(0, cells[i] if stride == 1 else f"{cells[i]} * {stride}u")
        stride *= guard.counts[i]
    at = names.local("at")
    return [
        f"const uint32_t {at} = {' + '.join(place)};",
        f"return ((uint32_t){name.upper()}_READ8(&{name}_guard[{at} >> 3]) >> ({at} & 7u)) & 1u;",
    ]


def _in_boxes(guard: Guard, name: str, names: Names, cells: dict[int, str]) -> list[str]:
    read = f"{name.upper()}_READ{8 * guard.boxes.itemsize}"
    at = names.local("at")
    tests = []
    for k, cell in enumerate(cells.values()):
        for far, sign in ((2 * k, ">="), (2 * k + 1, "<=")):
            place = f"&{name}_guard[{at}" + (f" + {far}u]" if far else "]")
            tests.append(f"{cell} {sign} {read}({place})")
    return [
        f"for (uint32_t {at} = 0u; {at} < {len(guard.boxes)}u; {at} += {2 * len(cells)}u) {{",
        f"    if ({tests[0]}",
        *(f"        && {test}" for test in tests[1:-1]),
        f"        && {tests[-1]}) {{",
        "        return 1u;",
        "    }",
        "}",
        "return 0u;",
    ]
