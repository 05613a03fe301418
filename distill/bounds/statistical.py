"""What random points tell of a function that nothing can be proven about.

After n independent points none of which was off by more than a size, at most a part of the domain
is off by more, with a stated confidence: the exact binomial bound of Clopper and Pearson (1934).
Where the size is the largest error at these same points it is the tolerance limit of Wilks (1941),
the same number. It says nothing of *how far* the rest is off, and it is no proof: so it is never
called proven.

The points are independent and uniform over the domain: by the logarithm for variables of scale
log, over the whole numbers for discrete ones. Sobol points are not independent, and points that a
search has seen are not fresh; neither may be used here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.figures import upward


@dataclass(frozen=True, slots=True)
class Statement:
    """With ``confidence`` at most the part ``fraction`` of the domain is off by more than ``size``.

    Attributes
    ----------
    size : an absolute error, in the unit of the output.
    fraction : a part of the domain, 0 to 1, as random points fall into it.
    confidence : of this statement and all made beside it together, 0 to 1.
    points : how many random points it rests on.
    exceeding : at how many of them the error was larger than ``size``.
    beside : how many statements were made on the same points, this one counted; the chance to be
        wrong is shared out among them (Bonferroni), so that the best may be chosen of them.
    """

    size: float
    fraction: float
    confidence: float
    points: int
    exceeding: int = 0
    beside: int = 1

    def told(self, unit: str = "") -> str:
        """The statement as a sentence for people."""
        size = f"{upward(self.size)} {unit}".rstrip()
        off = "none" if not self.exceeding else f"{self.exceeding:,}"
        return (
            f"Not proven, but with {_percent(self.confidence)} confidence it is off by more than "
            f"{size} on at most {_percent(self.fraction)} of the domain: of {self.points:,} "
            f"random points {off} {'was' if self.exceeding <= 1 else 'were'}."
        )

    def to_data(self) -> dict[str, object]:
        """A plain form."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Statement:
        """Read what :meth:`to_data` gave."""
        return cls(
            float(data["size"]),
            float(data["fraction"]),
            float(data["confidence"]),
            int(data["points"]),
            int(data["exceeding"]),
            int(data["beside"]),
        )


def confident_fraction(points: int, confidence: float, exceeding: int = 0) -> float:
    """The part of a domain that may be off when ``exceeding`` of so many random points were.

    The upper end of the one-sided interval of Clopper and Pearson (1934); with no exceedance
    1 - (1 - confidence)^(1/points). 1 for no points.

    Parameters
    ----------
    points : how many independent points were looked at.
    confidence : how sure it shall be, above 0 and below 1.

    Raises
    ------
    ValueError : for a confidence out of range, and for counts that cannot be.

    >>> f"{confident_fraction(299, 0.95):.4f}"
    '0.0100'
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies above 0 and below 1, not at {confidence}")
    if not 0 <= exceeding <= points:
        raise ValueError(f"of {points} points {exceeding} cannot exceed")
    if exceeding == points:
        return 1.0
    if exceeding == 0:
        return -math.expm1(math.log1p(-confidence) / points)
    from scipy.stats import beta

    return float(beta.ppf(confidence, exceeding + 1, points - exceeding))


def random_points(domain: Domain, points: int, seed: int | list[int]) -> Array:
    """Independent points (n, d), uniform over the domain by each variable's scale and kind."""
    return domain.from_unit(np.random.default_rng(seed).random((points, len(domain))))


def state(
    errors: Array, confidence: float, *, size: float | None = None, beside: int = 1
) -> Statement:
    """The statement that absolute errors (n,) at random points allow; NaN counts as infinite.

    Parameters
    ----------
    errors : at points of :func:`random_points` that nothing has seen before.
    confidence : of all statements made on these points together.
    size : the error in question, chosen without looking at these errors; None takes the largest
        of them, for which the bound holds too (Wilks 1941).
    beside : how many statements are made on the same points.
    """
    known = np.where(np.isnan(errors), np.inf, errors)
    if size is None:
        size = float(np.max(known, initial=0.0))
    exceeding = int((known > size).sum())
    each = 1.0 - (1.0 - confidence) / beside
    fraction = confident_fraction(len(known), each, exceeding)
    return Statement(size, fraction, confidence, len(known), exceeding, beside)


def _percent(part: float) -> str:
    """A part of one in per cent, rounded up to two significant digits where it is small."""
    if part >= 0.9:
        return f"{100 * part:.6g} %"
    if part <= 0:
        return "0 %"
    digits = 1 - math.floor(math.log10(100 * part))
    return f"{math.ceil(100 * part * 10**digits) / 10**digits:.{max(0, digits)}f} %"
