"""Logic and packed tables in C: bit operations on one word, or elements of bits."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.whole import widths
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_WHOLE = """\
static $word $function($real x, $real low, $word top)
{
    const $real off = x - low;
    if (!(off > $zero)) {
        return 0u;
    }
    return off < ($real)top ? ($word)(off + $half) : top;
}
"""

_WIDTH = 76

_BODY = "static void $function(const $real *x, $real *y)\n{\n$body\n}\n"


def print_logic(step: Logic, writer: Writer) -> Call:
    """A word of bits, one local for each cube used twice, one expression for each function."""
    word = _word_type(int(step.steps[0]) * (int(step.highs[0] - step.lows[0]) + 1))
    lines = _index(step, writer, word)
    uses = np.bincount(np.concatenate([*step.sums, [0]]).astype(int), minlength=len(step.masks))
    texts = {}
    all_bits = (1 << int(widths(step.lows, step.highs).sum())) - 1
    for i, (mask, value) in enumerate(zip(step.masks, step.values, strict=True)):
        texts[i] = _cube(int(mask), int(value), all_bits)
        if uses[i] > 1:
            lines.append(f"const unsigned c{i} = (unsigned){texts[i]};")
            texts[i] = f"c{i}"
    functions = [
        _function([texts[int(i)] for i in chosen], bool(flip))
        for chosen, flip in zip(step.sums, step.inverted, strict=True)
    ]
    at = 0
    for output, (levels, count) in enumerate(zip(step.levels, step.functions, strict=True)):
        bits, at = functions[at : at + count], at + count
        code = bits[0] if bits else "0u"
        for bit in bits[1:]:
            moved = "0u" if code == "0u" else f"({code} << 1)"
            # A bit that is never set needs no operation.
            code = bit if moved == "0u" else moved if bit == "0u" else f"({moved} | {bit})"
        lines += _level(output, code, levels, writer, bits=count)
    if not len(step.masks) or not any(map(len, step.sums)):
        lines = [*lines, "(void)word;"]
    return _call("logic", lines, writer)


def print_packed(step: Packed, writer: Writer) -> Call:
    """The number of a row, an element or a part of one, and the bits of each output in it."""
    lines = _index(step, writer, _word_type(len(step.codes)))
    used = False
    for outputs in element_groups(step):
        bits = {k: (len(step.levels[k]) - 1).bit_length() for k in outputs}
        row = np.zeros(len(step.codes), dtype=np.int64)
        for k in outputs:
            row = row << bits[k] | step.codes[:, k]
        width = sum(bits.values())
        if not width:
            for k in outputs:
                lines += _level(k, "0u", step.levels[k], writer, bits=0)
            continue
        used = True
        size = 1 << (width - 1).bit_length()  # one, two, four ... bits a row
        elements = _elements(row, size)
        each = max(1, 8 // size)
        note = f"{len(row)} rows of {width} bits, {each} to an element."
        array, kind = writer.whole("rows", elements, note)
        place = f"(word >> {each.bit_length() - 1})" if each > 1 else "word"
        read = writer.read(array, place)
        local = f"row{outputs[0]}"
        if each > 1:
            read = f"(unsigned){read} >> (word % {each}u * {size}u)"
        lines.append(f"const {'uint32_t' if kind == 'uint32_t' else 'unsigned'} {local} = {read};")
        left = width
        for k in outputs:
            left -= bits[k]
            code = f"{local} >> {left}" if left else local
            mask = (1 << bits[k]) - 1
            code = f"({code}) & {mask}u" if bits[k] else "0u"
            lines += _level(k, code, step.levels[k], writer, bits=bits[k])
    if not used:
        lines.append("(void)word;")
    return _call("packed", lines, writer)


def element_groups(step: Packed) -> list[list[int]]:
    """Outputs whose bits share an element: 32 bits at most together, in their order."""
    found: list[list[int]] = [[]]
    total = 0
    for k, levels in enumerate(step.levels):
        bits = (len(levels) - 1).bit_length()
        if total + bits > 32:
            found.append([])
            total = 0
        found[-1].append(k)
        total += bits
    return found


def _elements(rows: np.ndarray, size: int) -> np.ndarray:
    """Rows of ``size`` bits as elements: several to a byte, the first lowest, or one each."""
    each = max(1, 8 // size)
    padded = np.append(rows, np.zeros(-len(rows) % each, dtype=np.int64)).reshape(-1, each)
    packed: np.ndarray = np.left_shift(padded, np.arange(each) * size).sum(axis=1)
    return packed


def _word_type(values: int) -> str:
    """Two bytes where they do and the chip likes them."""
    return "uint_fast16_t" if values <= 1 << 16 else "uint_fast32_t"


def _index(step: Logic | Packed, writer: Writer, word: str) -> list[str]:
    """The statements that make the word of the inputs."""
    writer.headers.add("stdint.h")
    whole = writer.function(
        "whole", _WHOLE, word=word, zero=writer.number(0.0), half=writer.number(0.5)
    )
    lines = []
    for i, (low, high, size) in enumerate(zip(step.lows, step.highs, step.steps, strict=True)):
        call = f"{whole}(x[{i}], {writer.number(float(low))}, {high - low}u)"
        call = call if size == 1 else f"{call} * {size}u"
        lines.append(f"{word} word = {call};" if not i else f"word += {call};")
    if len(lines) == 1:
        lines[0] = f"const {lines[0]}"
    return lines


def _cube(mask: int, value: int, all_bits: int) -> str:
    """1u or 0u, as an expression that binds tightly."""
    if not mask:
        return "1u"
    if mask == value and mask & (mask - 1) == 0:
        shift = mask.bit_length() - 1
        bit = f"word >> {shift} & 1u" if shift else "word & 1u"
        return f"(unsigned)({bit})"
    bits = "word" if mask == all_bits else f"(word & {mask}u)"
    return f"({bits} == {value}u ? 1u : 0u)"


def _function(cubes: list[str], flip: bool) -> str:
    if not cubes:
        return "1u" if flip else "0u"
    text = cubes[0]
    width = len(text)
    for cube in cubes[1:]:
        width += len(cube) + 3
        text += f" |\n        {cube}" if width > _WIDTH else f" | {cube}"
        width = len(cube) if width > _WIDTH else width
    text = f"({text})" if len(cubes) > 1 else text
    return f"({text} ^ 1u)" if flip else text


def _level(output: int, code: str, levels: Array, writer: Writer, *, bits: int) -> list[str]:
    """The statement that sets an output to the level of a code."""
    if not bits or (levels == levels[0]).all():
        return [f"y[{output}] = {writer.number(float(levels[0]))};"]
    if (levels == np.arange(len(levels))).all():
        return [f"y[{output}] = ({writer.real}){_closed(code)};"]
    array = writer.numbers("levels", levels, "The values that an output takes.")
    return [f"y[{output}] = {writer.read(array, f'({code})')};"]


def _closed(code: str) -> str:
    """In parentheses, unless all of it stands in one pair already."""
    depth = 0
    for at, char in enumerate(code):
        depth += (char == "(") - (char == ")")
        if not depth and at < len(code) - 1:
            return f"({code})"
    return code


def _call(stem: str, lines: list[str], writer: Writer) -> Call:
    body = "\n".join(f"    {line}" for line in lines)
    return Call(writer.function(stem, _BODY, body=body), in_place=False)
