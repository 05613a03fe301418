"""Whether a C file's statements are the integer steps that were checked, one by one.

Each step is written down again here, from what it means, and compared with the statement in the
file: its local, its operands, its constants and its shifts. Whatever differs is told.
"""

from __future__ import annotations

import re

from distill.checking.integers import WORD
from distill.checking.operations import IntegerProgram, IntegerStep

_HELPERS = {
    "floor": "static inline int32_t {0}_floor(int32_t x, unsigned n) "
    "{{ return x < 0 ? ~(~x >> n) : x >> n; }}",
    "floor64": "static inline int32_t {0}_floor64(int64_t x, unsigned n) "
    "{{ return (int32_t)(x < 0 ? ~(~x >> n) : x >> n); }}",
    "zeros": "static int32_t {0}_zeros(int32_t x) {{ int32_t n = 31; "
    "if (x >= INT32_C(0x10000)) {{ x >>= 16; n -= 16; }} "
    "if (x >= INT32_C(0x100)) {{ x >>= 8; n -= 8; }} "
    "if (x >= INT32_C(0x10)) {{ x >>= 4; n -= 4; }} "
    "if (x >= INT32_C(0x4)) {{ x >>= 2; n -= 2; }} "
    "if (x >= INT32_C(0x2)) {{ x >>= 1; n -= 1; }} return n - x; }}",
}  # fmt: skip

_LINE = re.compile(r"const int32_t (\w+) = ([^;]*);")


def difference_in(program: IntegerProgram, name: str, text: str) -> str:
    """The first statement of ``NAME_formula`` in a C text that is not the step; "" for none."""
    plain = " ".join(re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL).split())
    found = re.findall(
        rf"static int32_t {re.escape(name)}_formula\(([^)]*)\) \{{ ([^}}]*) \}}", plain
    )
    if len(found) != 1:
        return f"there is not one function {name}_formula"
    parameters = [part.strip().removeprefix("int32_t ") for part in found[0][0].split(",")]
    if len(parameters) != len(program.inputs):
        return f"{name}_formula has other inputs"
    statements = re.sub(r"\(void\)\w+; ", "", found[0][1]).split("; ")
    texts: list[str] = []
    lines = iter(f"{line.rstrip(';')};" for line in statements)
    helpers: set[str] = set()
    for at, step in enumerate(program.steps):
        if step.name == "input":
            texts.append(parameters[step.constant])
        elif step.name == "constant":
            texts.append(_literal(step.constant))
        else:
            line = next(lines, "")
            match = _LINE.fullmatch(line)
            meant = _text(step, [texts[a] for a in step.args], name, helpers)
            if match is None or match[2] != meant or match[1] in (*texts, *parameters):
                return f"`{line[:80]}` is not step {at}, `{meant[:80]}`"
            texts.append(match[1])
    if list(lines) != [f"return {texts[-1]};"]:
        return "the result is not that of the last step"
    for helper in sorted(helpers):
        if plain.count(_HELPERS[helper].format(name)) != 1:
            return f"{name}_{helper} is another function"
    return ""


def _text(step: IntegerStep, args: list[str], name: str, helpers: set[str]) -> str:
    """A step as C has it."""
    a, *others = args
    b = others[0] if others else ""
    match step.name:
        case "shift":
            return _right(_plus(a, step.constant), step, name, helpers)
        case "mac" if "wide" in step.flags:
            total = _plus(f"(int64_t){a} * {b}", step.constant, wide=True)
            if not step.shift:
                return f"(int32_t)({total})"
            helpers.add("floor64")
            return f"{name}_floor64({total}, {step.shift}u)"
        case "mac":
            short = "short" in step.flags
            product = f"(int32_t)(int16_t){a} * (int16_t){b}" if short else f"{a} * {b}"
            return _right(_plus(product, step.constant), step, name, helpers)
        case "zeros":
            helpers.add("zeros")
            return f"{name}_zeros({a})"
        case "mask":
            return f"(int32_t)((uint32_t){a} & 0x{step.constant:x}u)"
        case "scale":
            return f"{a} * {_literal(1 << step.shift)}"
        case "ifless":
            return f"{a} < {b} ? {others[1]} : {others[2]}"
        case _:
            return {
                "add": f"{a} + {b}", "sub": f"{a} - {b}", "neg": f"-{a}",
                "abs": f"{a} < 0 ? -{a} : {a}", "min": f"{a} < {b} ? {a} : {b}",
                "max": f"{a} > {b} ? {a} : {b}", "divide": f"{a} / {b}",
                "left": f"(int32_t)((uint32_t){a} << (unsigned){b})",
                "right": f"{a} >> (unsigned){b}",
            }[step.name]  # fmt: skip


def _right(total: str, step: IntegerStep, name: str, helpers: set[str]) -> str:
    if not step.shift:
        return total
    if "bare" in step.flags:
        return f"({total}) >> {step.shift}" if " " in total else f"{total} >> {step.shift}"
    helpers.add("floor")
    return f"{name}_floor({total}, {step.shift}u)"


def _plus(text: str, constant: int, wide: bool = False) -> str:
    if not constant:
        return text
    return f"{text} {'+' if constant > 0 else '-'} {_literal(abs(constant), wide)}"


def _literal(value: int, wide: bool = False) -> str:
    macro = "INT64_C" if wide and abs(value) >= 1 << WORD else "INT32_C"
    return f"{macro}({value})" if value >= 0 else f"(-{macro}({-value}))"
