"""Pictures of which many are drawn with the same axes: what they share is drawn once.

Labels and ticks take matplotlib ten times as long as thousands of points.
"""

from __future__ import annotations

import io
import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

DPI = 90
BLUE, GREY = "#1f6fb4", "#8a8f98"
_KEPT = 32
"""Backgrounds of one sheet that are kept; each takes half a megabyte."""


def blank(width: float, height: float) -> Figure:
    """A figure of that many inches on an Agg canvas of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


class Sheet:
    """A figure in which only ``moving`` artists differ from picture to picture.

    They are drawn in the order given, above all others.
    """

    def __init__(self, figure: Figure, moving: Sequence[Artist]) -> None:
        self._figure, self._moving = figure, tuple(moving)
        self._still: dict[Hashable, Any] = {}
        for artist in self._moving:
            artist.set_animated(True)

    def png(self, axes: Hashable = None) -> bytes:
        """The picture as it is now, as PNG; ``axes`` differs where the axes' limits do."""
        canvas: Any = self._figure.canvas
        if axes not in self._still:
            if len(self._still) >= _KEPT:
                self._still.clear()
            canvas.draw()
            self._still[axes] = canvas.copy_from_bbox(self._figure.bbox)
        canvas.restore_region(self._still[axes])
        for artist in self._moving:
            self._figure.draw_artist(artist)
        return _encoded(canvas)


def to_png(figure: Figure) -> bytes:
    """A figure of :func:`blank` as PNG."""
    canvas: Any = figure.canvas
    canvas.draw()
    return _encoded(canvas)


def nice(value: float) -> float:
    """The next larger of 1, 1.5, 2, 3, 5, 7 times a power of ten: few axes for many pictures.

    >>> nice(0.16), nice(71.0), nice(3.0)
    (0.2, 100.0, 3.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        (step * power for step in (1, 1.5, 2, 3, 5, 7) if step * power >= value), 10 * power
    )


def unit_of(name: str) -> str:
    """A unit as it stands behind the name of an axis."""
    return f" [{name}]" if name else ""


def _encoded(canvas: Any) -> bytes:
    """What is on an Agg canvas as PNG, without the alpha, which is 1 everywhere."""
    from PIL import Image

    pixels = canvas.buffer_rgba().tobytes()
    image = Image.frombytes("RGBA", canvas.get_width_height(), pixels).convert("RGB")
    buffer = io.BytesIO()
    # Fast compression: the default level takes longer than the drawing.
    image.save(buffer, format="png", compress_level=2)
    return buffer.getvalue()
