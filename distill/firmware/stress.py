"""A C program that gives a generated function millions of inputs, for sanitizers to watch.

The inputs are made in C, because a sanitizer's run of ten million of them takes seconds and a file
of them would take hundreds of megabytes. First the self-test, which knows the last breakpoints;
then every special value alone with the rest in the middle; then mixtures: of every argument a
quarter are special values, a quarter any bits at all where the function must answer everywhere,
and the rest lie evenly between the bounds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.harness import Number
from distill.firmware.subject import Code
from distill.firmware.toolchains import HostCompiler, run_tool
from distill.firmware.toolchains.host import SANITIZER_SETTINGS

# The unsigned type as wide as a number, and how struct packs either.
_BITS: dict[Number, tuple[str, str, str]] = {
    "float32": ("uint32_t", "<f", "<I"),
    "double": ("uint64_t", "<d", "<Q"),
    "int32": ("uint32_t", "<i", "<I"),
}

_PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "{header}"

int {selftest}(void);

enum {{ INPUTS = {inputs}, OUTPUTS = {outputs}, MOST = {most}, ANYWHERE = {anywhere} }};

static const int stress_counts[INPUTS] = {{{counts}}};
static const {bits} stress_specials[INPUTS][MOST] = {{
{rows}
}};
static const {bits} stress_middle[INPUTS] = {{{middle}}};
static const double stress_low[INPUTS] = {{{low}}};
static const double stress_high[INPUTS] = {{{high}}};
static const int stress_whole[INPUTS] = {{{whole}}};

static uint64_t stress_state = 88172645463325252u;
static uint64_t stress_checksum = 14695981039346656037u;
static unsigned long stress_called, stress_not_numbers;

/* xorshift64, Marsaglia 2003. */
static uint64_t stress_next(void)
{{
    stress_state ^= stress_state << 13;
    stress_state ^= stress_state >> 7;
    stress_state ^= stress_state << 17;
    return stress_state;
}}

static {real} stress_number({bits} pattern)
{{
    {real} value;
    memcpy(&value, &pattern, sizeof value);
    return value;
}}

static {real} stress_between(int i)
{{
    const {real} low = ({real})stress_low[i], high = ({real})stress_high[i];
    const double part = (double)(stress_next() >> 11) / 9007199254740992.0;
    const double real = stress_low[i] + (stress_high[i] - stress_low[i]) * part;
    const {real} x = ({real})(stress_whole[i] ? (double)(int64_t)real : real);
    return x < low ? low : x > high ? high : x;
}}

static {real} stress_any(int i)
{{
    const uint64_t choice = stress_next() % 4u;
    if (choice == 0u) {{
        const uint64_t at = stress_next() % (uint64_t)stress_counts[i];
        return stress_number(stress_specials[i][at]);
    }}
    if (choice == 1u && ANYWHERE) return stress_number(({bits})(stress_next() >> {shift}));
    return stress_between(i);
}}

/* FNV-1a over the answers' bits; every NaN counts as the same. */
static void stress_call(const {real} *x)
{{
    {real} y[OUTPUTS];
    int missing = 0;
    {call}
    stress_called++;
    for (int i = 0; i < OUTPUTS; i++) {{
        {bits} pattern = 0;
        if (y[i] == y[i]) {{
            memcpy(&pattern, &y[i], sizeof y[i]);
        }} else {{
            missing = 1;
        }}
        stress_checksum = (stress_checksum ^ pattern) * 1099511628211u;
    }}
    stress_not_numbers += (unsigned long)missing;
}}

int main(int count, char **arguments)
{{
    const unsigned long wanted = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    {real} x[INPUTS];
    (void){selftest}();
    for (int i = 0; i < INPUTS; i++) {{
        for (int k = 0; k < stress_counts[i]; k++) {{
            for (int j = 0; j < INPUTS; j++) x[j] = stress_number(stress_middle[j]);
            x[i] = stress_number(stress_specials[i][k]);
            stress_call(x);
        }}
    }}
    while (stress_called < wanted) {{
        for (int i = 0; i < INPUTS; i++) x[i] = stress_any(i);
        stress_call(x);
    }}
    printf("%lu %lu ", stress_called, stress_not_numbers);
    printf("%016llx\\n", (unsigned long long)stress_checksum);
    return 0;
}}
"""


@dataclass(frozen=True, slots=True)
class Stressed:
    """What a run tells: calls, how many answered NaN, and a checksum of every answer's bits."""

    calls: int
    not_numbers: int
    checksum: str

    @classmethod
    def from_output(cls, text: str) -> Stressed:
        """Read what the program printed."""
        calls, not_numbers, checksum = text.split()
        return cls(int(calls), int(not_numbers), checksum)


def run_stressed(code: Code, compiler: HostCompiler, folder: Path, inputs: int) -> Stressed:
    """The C under the compiler's sanitizers at ``inputs`` random and edge inputs.

    Raises
    ------
    ToolchainError : when it does not compile, a sanitizer objects, or it does not end in time.
    """
    source, program = folder / "stress.c", folder / f"stress_{compiler.family}"
    source.write_text(stress_program(code))
    flags = ("-std=c99", "-O1", "-g", "-ffp-contract=off", *compiler.sanitizers)
    files = [str(source), str(code.source), str(code.selftest), "-lm", "-o", str(program)]
    built = compiler.run([*flags, f"-I{code.directory}", *files], folder)
    if built.status != 0:
        raise ToolchainError(f"it cannot be built: {built.complaint}")
    ended = run_tool(
        [str(program), str(inputs)],
        seconds=code.seconds,
        folder=folder,
        environment=SANITIZER_SETTINGS,
    )
    if ended.status != 0:
        raise ToolchainError(f"the C ended with status {ended.status}: {ended.complaint}")
    return Stressed.from_output(ended.output)


def stress_program(code: Code) -> str:
    """The program; its argument is how many calls to make, and it prints a :class:`Stressed`."""
    interface, signature = code.interface, code.signature
    bits, number, pattern_of = _BITS[signature.number]

    def pattern(value: float) -> str:
        exact = int(value) if signature.number == "int32" else value
        return f"{struct.unpack(pattern_of, struct.pack(number, exact))[0]:#x}u"

    def patterns(values: list[float]) -> str:
        return ", ".join(map(pattern, values))

    columns = [column.tolist() for column in code.specials()]
    return _PROGRAM.format(
        header=code.header.name,
        selftest=f"{code.name}_selftest",
        inputs=signature.inputs,
        outputs=signature.columns,
        most=max(map(len, columns)),
        anywhere=int(code.answers_everywhere),
        counts=", ".join(str(len(column)) for column in columns),
        bits=bits,
        real=signature.real,
        rows="\n".join(f"    {{{patterns(column)}}}," for column in columns),
        middle=patterns(code.middle().tolist()),
        low=", ".join(map(repr, interface.low.tolist())),
        high=", ".join(map(repr, interface.high.tolist())),
        whole=", ".join(str(int(variable.discrete)) for variable in interface.domain.variables),
        shift=64 - 8 * signature.dtype.itemsize,
        call=signature.call(code.name),
    )
