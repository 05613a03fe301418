"""Names in the generated C: every parameter and local gets one that collides with nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from distill.errors import ExportError
from distill.identifiers import why_not_identifier


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MATH = _words(
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10"
    " exp2 expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb infnan isinf"
    " isnan j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan"
    " nearbyint nextafter nexttoward pow pow10 remainder remquo rint round scalb scalbln scalbn"
    " signbit significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn"
)

# Functions and macros of C, POSIX and the usual board headers that a plain word may hit.
_OTHERS = _words(
    "abort abs assert atof atoi atol atoll bcmp bcopy bzero calloc clock complex conj creal cimag"
    " carg cabs div errno exit free getenv imaginary index isfinite isgreater isgreaterequal isless"
    " islessequal islessgreater isnormal isunordered fpclassify labs ldiv linux llabs lldiv"
    " malloc max memchr memcmp memcpy memmove memset mips min offsetof printf puts qsort raise rand"
    " random read realloc rindex setjmp longjmp signal sprintf srand stderr stdin stdout strlen"
    " system time times unix va_arg va_end va_list va_start wait write"
    " bit bitClear bitRead bitSet bitWrite boolean byte constrain degrees delay F highByte I"
    " interrupts loop lowByte map noInterrupts radians setup sq word"
    " int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t size_t"
    " ptrdiff_t float_t double_t wchar_t fixed far near huge data code xdata idata sfr bank"
    " typeof inline_ thread_local_ true false bool DBL_EPSILON FLT_EPSILON EOF BUFSIZ PI EULER DEG"
)

RESERVED = _MATH | {f"{m}{s}" for m in _MATH for s in "fl"} | _OTHERS
"""Identifiers the generated C never defines. Upper-case words of three letters and more, which
headers define as macros, and names of the form ``B0101`` are avoided by their form."""

_MACRO = re.compile(r"[A-Z][A-Z0-9_]{2,}\Z|B[01]+\Z|_")


def check_function_name(name: str) -> None:
    """Refuse a name that the generated function cannot have.

    Raises
    ------
    ExportError : for a name that is no C identifier or already means something in C.
    """
    why = why_not_identifier(name)
    if why is None and len(name) > 40:
        why = "a name of at most 40 characters leaves room for the suffixes of the generated files"
    if why is None and (name in RESERVED or _MACRO.match(name)):
        why = "the C library or a common header may define it"
    if why is None and name.endswith("_"):
        why = "names that end with an underscore belong to its self-test"
    if why:
        raise ExportError(
            f"the generated function cannot be called `{name}`: {why}.",
            hint="give another name, such as `my_"
            + re.sub(r"\W", "_", name)[:30].lower().rstrip("_")
            + "`.",
        )


class Names:
    """Hands out C identifiers, each at most once."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._taken: set[str] = set()

    def parameter(self, wanted: str) -> str:
        """The identifier for a variable: its own, or with ``in_`` before it."""
        name = wanted
        while (
            name in self._taken
            or name in RESERVED
            or _MACRO.match(name)
            or f"{name}_".lower().startswith(f"{self._function}_".lower())
        ):
            # A prefix leaves the function's own family of names, a suffix would not.
            name = f"in_{name}"
        self._taken.add(name)
        return name

    def parameters(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """One identifier for each variable; those that need no change keep their names."""
        names = list(wanted)
        plain = [n for n in names if n == Names(self._function).parameter(n)]
        self._taken.update(plain)
        return tuple(n if n in plain else self.parameter(n) for n in names)

    def local(self, stem: str) -> str:
        """A new local variable: the stem with the first free number."""
        number = 0
        while f"{stem}{number}" in self._taken | RESERVED:
            number += 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"
