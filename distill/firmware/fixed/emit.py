"""A fixed-point program as C99: int32_t locals, casts where an int has 16 bits, no shift of a
negative.

Shifts right of what may be negative go through a helper that says rounding down without leaving it
to the compiler; gcc and clang make one arithmetic shift of it.
"""

from __future__ import annotations

from distill.firmware.fixed.formats import QFormat
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.fixed.steps import WORD, Step
from distill.firmware.names import Names

_HELPERS = {
    "floor": """/* x / 2^n rounded down. */
static inline int32_t {name}_floor(int32_t x, unsigned n)
{{
    return x < 0 ? ~(~x >> n) : x >> n;
}}
""",
    "floor64": """/* x / 2^n rounded down; the quotient has 32 bits. */
static inline int32_t {name}_floor64(int64_t x, unsigned n)
{{
    return (int32_t)(x < 0 ? ~(~x >> n) : x >> n);
}}
""",
    "zeros": """/* Zero bits before the highest one of 31. */
static int32_t {name}_zeros(int32_t x)
{{
    int32_t n = 31;
    if (x >= INT32_C(0x10000)) {{ x >>= 16; n -= 16; }}
    if (x >= INT32_C(0x100)) {{ x >>= 8; n -= 8; }}
    if (x >= INT32_C(0x10)) {{ x >>= 4; n -= 4; }}
    if (x >= INT32_C(0x4)) {{ x >>= 2; n -= 2; }}
    if (x >= INT32_C(0x2)) {{ x >>= 1; n -= 1; }}
    return n - x;
}}
""",
}  # fmt: skip


def emit_fixed(program: FixedProgram, name: str, parameters: tuple[str, ...], names: Names) -> str:
    """C99 text of the helpers that are used and of ``static int32_t NAME_formula(...)``.

    It needs ``<stdint.h>``. ``parameters`` are the C names of the inputs, which arrive in
    ``program.inputs``; the result is in ``program.output``. Locals come from ``names``.
    """
    printer = _Printer(program, name, parameters, names)
    body = printer.print()
    used = {step.constant for step in program.steps if step.name == "input"}
    unused = [f"(void){p};" for i, p in enumerate(parameters) if i not in used]
    declared = [f"int32_t {p}" for p in parameters]
    line = f"static int32_t {name}_formula({', '.join(declared)})"
    if len(line) > 90:
        line = f"static int32_t {name}_formula(\n    " + ",\n    ".join(declared) + ")"
    formats = ", ".join(f"{p} {q}" for p, q in zip(parameters, program.inputs, strict=True))
    helpers = [text.format(name=name) for key, text in _HELPERS.items() if key in printer.helpers]
    return "\n".join(
        [
            *helpers,
            f"/* In: {formats}. Out: {program.output}. Qn counts in steps of 2^-n. */",
            line,
            "{",
            *(f"    {text}" for text in (*unused, *body)),
            "}\n",
        ]
    )


class _Printer:
    """Prints the steps of one program, one local each."""

    def __init__(
        self, program: FixedProgram, name: str, parameters: tuple[str, ...], names: Names
    ) -> None:
        self.program, self.name = program, name
        self.parameters, self.names = parameters, names
        self.helpers: set[str] = set()
        self.texts: list[str] = []

    def print(self) -> list[str]:
        """The statements."""
        lines = []
        for step, fraction in zip(self.program.steps, self.program.fractions, strict=True):
            if step.name == "input":
                self.texts.append(self.parameters[step.constant])
            elif step.name == "constant":
                self.texts.append(_literal(step.constant))
            else:
                text = self._text(step)
                local = self.names.local("t")
                lines.append(f"const int32_t {local} = {text}; /* {QFormat(fraction)} */")
                self.texts.append(local)
        return [*lines, f"return {self.texts[-1]};"]

    def _text(self, step: Step) -> str:
        args = [self.texts[a] for a in step.args]
        first = args[0]
        low = self._bounds(step.args[0])[0]
        match step.name:
            case "add" | "sub":
                return f"{first} {'+' if step.name == 'add' else '-'} {args[1]}"
            case "neg":
                return f"-{first}"
            case "abs":
                return f"{first} < 0 ? -{first} : {first}"
            case "min":
                return f"{first} < {args[1]} ? {first} : {args[1]}"
            case "max":
                return f"{first} > {args[1]} ? {first} : {args[1]}"
            case "scale":
                return f"{first} * {_literal(1 << step.shift)}"
            case "shift":
                total = _plus(first, step.constant)
                return self._right(total, step.shift, low + step.constant >= 0)
            case "mac":
                return self._mac(step, args)
            case "mask":
                return f"(int32_t)((uint32_t){first} & 0x{step.constant:x}u)"
            case "zeros":
                self.helpers.add("zeros")
                return f"{self.name}_zeros({first})"
            case "left":
                return f"(int32_t)((uint32_t){first} << (unsigned){args[1]})"
            case "right":
                return f"{first} >> (unsigned){args[1]}"
            case "divide":
                return f"{first} / {args[1]}"
            case "ifless":
                return f"{first} < {args[1]} ? {args[2]} : {args[3]}"
            case other:
                raise AssertionError(other)

    def _bounds(self, at: int) -> tuple[int, int]:
        return self.program.steps[at].low, self.program.steps[at].high

    def _mac(self, step: Step, args: list[str]) -> str:
        corners = [x * y for x in self._bounds(step.args[0]) for y in self._bounds(step.args[1])]
        positive = min(corners) + step.constant >= 0
        if not step.wide:
            product = f"{args[0]} * {args[1]}"
            if self.program.short_products and self._short(step):
                product = f"(int32_t)(int16_t){args[0]} * (int16_t){args[1]}"
            return self._right(_plus(product, step.constant), step.shift, positive)
        total = _plus(f"(int64_t){args[0]} * {args[1]}", step.constant, wide=True)
        if step.shift == 0:
            return f"(int32_t)({total})"
        self.helpers.add("floor64")
        return f"{self.name}_floor64({total}, {step.shift}u)"

    def _short(self, step: Step) -> bool:
        """Whether both operands have 16 bits."""
        return all(low >= -(2**15) and high < 2**15 for low, high in map(self._bounds, step.args))

    def _right(self, total: str, shift: int, positive: bool) -> str:
        if shift == 0:
            return total
        if positive:
            return f"({total}) >> {shift}" if " " in total else f"{total} >> {shift}"
        self.helpers.add("floor")
        return f"{self.name}_floor({total}, {shift}u)"


def _plus(text: str, constant: int, wide: bool = False) -> str:
    if constant == 0:
        return text
    return f"{text} {'+' if constant > 0 else '-'} {_literal(abs(constant), wide)}"


def _literal(value: int, wide: bool = False) -> str:
    """A typed literal; the smallest is held by its magnitude, which fits."""
    macro = "INT64_C" if wide and abs(value) >= 1 << WORD else "INT32_C"
    return f"{macro}({value})" if value >= 0 else f"(-{macro}({-value}))"
