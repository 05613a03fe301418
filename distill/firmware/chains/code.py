"""A chain as C: const arrays, a static function for each kind of step, and one that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.columns import Branches
from distill.firmware.chains.buffers import place
from distill.firmware.chains.calls import Call
from distill.firmware.chains.dispatch import printer_of
from distill.firmware.chains.integers import integer_trees
from distill.firmware.chains.writer import Form, Writer
from distill.firmware.fixed.formats import QFormat
from distill.firmware.graph import Arithmetic
from distill.firmware.names import check_function_name
from distill.firmware.table_code import CArray


@dataclass(frozen=True)
class ChainCode:
    """The C of a chain.

    Attributes
    ----------
    name : the public function's name; what is called is ``NAME_chain``.
    real : the C type of its numbers.
    arrays : what stands before the functions, to be declared with the macros of :class:`CArray`.
    functions : the text of the static functions, ``NAME_chain`` the last of them.
    exact : whether it answers with the very bits of ``Chain.evaluate`` on every target.
    headers : of the C library, that it needs.
    stack_bytes : of all its arrays on the stack at the deepest, where ``double`` has eight bytes.
    output : the format of its answers in fixed point.
    """

    name: str
    real: str
    arrays: tuple[CArray, ...]
    functions: str
    exact: bool
    headers: tuple[str, ...]
    stack_bytes: int
    output: QFormat | None = None

    @property
    def function(self) -> str:
        """The name of ``static void NAME_chain(const real *x, real *y)``; y must not be x."""
        return f"{self.name}_chain"

    @property
    def stored_bytes(self) -> int:
        """Bytes of the const arrays."""
        return sum(array.bytes for array in self.arrays)

    @property
    def needs_math(self) -> bool:
        """Whether ``<math.h>`` must be included, and its library linked."""
        return "math.h" in self.headers

    @property
    def reads(self) -> tuple[str, ...]:
        """The macros ``NAME_...`` that read its arrays, such as ``READ16``."""
        return tuple(sorted({array.read for array in self.arrays}))


def chain_code(
    chain: Chain,
    name: str,
    arithmetic: Arithmetic,
    *,
    formats: Sequence[QFormat] | None = None,
    soft_float: bool = False,
    form: Form = "auto",
) -> ChainCode:
    """The C99 of ``static void NAME_chain(const real *x, real *y)`` and of what it calls.

    It takes ``chain.inputs`` numbers and gives ``chain.outputs``; no other memory is used than
    the stack and const arrays. Compiled without fused operations it answers as
    ``Chain.evaluate(x, arithmetic)``, to the bit where it is ``exact``. Equal chains give equal
    bytes.

    Parameters
    ----------
    name : a C identifier; everything that is defined starts with it.
    arithmetic : float32, double, or fixed: then x and y are ``int32_t``, and the chain may have
        trees, choices of inputs before them and a winner after them.
    formats : of each input, in fixed point.
    soft_float : whether floats are compared by a library on the target: trees in float32 then
        compare integers in the order of the floats.
    form : how trees are written.

    Raises
    ------
    ExportError : for a step without C, in this arithmetic; a constant that the arithmetic cannot
        hold; a name that C cannot have.
    """
    check_function_name(name)
    writer = Writer(name, arithmetic, soft_float, form)
    output = None
    if arithmetic == "fixed":
        chain, output = integer_trees(chain, formats or ())
    call = print_chain(chain, writer, "chain")
    return ChainCode(
        name,
        writer.real,
        tuple(writer.arrays),
        "\n".join(writer.functions.values()),
        not writer.library,
        tuple(sorted(writer.headers)),
        call.stack,
        output,
    )


def print_chain(chain: Chain, writer: Writer, stem: str) -> Call:
    """Write the function of a whole chain."""
    if not chain.steps:
        return _copy(chain.inputs, writer, stem)
    calls = [_step(step, writer) for step in chain.steps]
    sizes = [(c.in_place, s.outputs) for c, s in zip(calls, chain.steps, strict=True)]
    places, buffers = place(sizes)
    lines = [f"{writer.real} {buffer}[{count}];" for buffer, count in buffers.items()]
    sources = ["x", *places]
    lines += [call.text(sources[i], places[i]) for i, call in enumerate(calls)]
    own = sum(buffers.values()) * writer.bytes_per_number
    return Call(_function(stem, lines, writer), stack=own + max(call.stack for call in calls))


def _step(step: Step, writer: Writer) -> Call:
    if isinstance(step, Branches):
        return _branches(step, writer)
    return printer_of(step)(step, writer)


def _branches(step: Branches, writer: Writer) -> Call:
    """The functions of the branches, called one after another."""
    calls = [print_chain(chain, writer, "branch") for chain in step.chains]
    starts = [0, *accumulate(chain.outputs for chain in step.chains[:-1])]
    lines = [
        call.text("x", f"y + {at}" if at else "y") for call, at in zip(calls, starts, strict=True)
    ]
    return Call(_function("branches", lines, writer), stack=max(call.stack for call in calls))


def _copy(count: int, writer: Writer, stem: str) -> Call:
    lines = [f"for (unsigned i = 0u; i < {count}u; i++) {{", "    y[i] = x[i];", "}"]
    return Call(_function(stem, lines, writer), in_place=True)


def _function(stem: str, lines: Sequence[str], writer: Writer) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    template = "static void $function(const $real *x, $real *y)\n{\n$body\n}\n"
    return writer.function(stem, template, body=body)
