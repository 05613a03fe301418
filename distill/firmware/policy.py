"""What the generated function does with inputs outside the domain and with NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from distill.errors import ExportError

OutOfDomain = Literal["clamp", "nan", "unchecked"]
NanInput = Literal["propagate", "low"]

_OUT_OF_DOMAIN: dict[str, str] = {
    "clamp": "an input outside its range is moved to the nearest bound",
    "nan": "an input outside its range gives NaN",
    "unchecked": "inputs are not checked: the caller promises that they are in range; anything "
    "else is undefined behaviour",
}
_NAN_INPUT: dict[str, str] = {
    "propagate": "NaN in any input gives NaN",
    "low": "a NaN input counts as the low bound of its range",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The stated behaviour for inputs the domain does not hold.

    Raises
    ------
    ExportError : for a value that is none of the allowed ones.
    """

    out_of_domain: OutOfDomain = "clamp"
    nan_input: NanInput = "propagate"

    def __post_init__(self) -> None:
        for key, allowed in (
            ("out_of_domain", get_args(OutOfDomain)),
            ("nan_input", get_args(NanInput)),
        ):
            if getattr(self, key) not in allowed:
                raise ExportError(
                    f"`{getattr(self, key)}` is no policy for {key}.",
                    where=f"export.{key}",
                    hint=f"allowed: {', '.join(allowed)}.",
                )

    @property
    def checked(self) -> bool:
        """Whether every input whatsoever has a defined answer."""
        return self.out_of_domain != "unchecked"

    def sentences(self, *, integers: bool = False) -> list[str]:
        """The policy in words, for the header and the README; integers are never NaN."""
        words = [_OUT_OF_DOMAIN[self.out_of_domain]]
        told = self.checked and not integers
        return [*words, _NAN_INPUT[self.nan_input]] if told else words
