"""Pictures of which many are drawn with the same axes: what they share is drawn once.

Labels and ticks take matplotlib ten times as long as thousands of points, so text that differs is
drawn by Pillow, which takes a tenth of the time.
"""

from __future__ import annotations

import functools
import math
import struct
import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from PIL import Image

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


@dataclass
class Caption:
    """A text that differs from picture to picture.

    ``x`` and ``y`` are shares of the figure from its lower left corner, ``size`` is in points,
    ``anchor`` is Pillow's: which part of the text stands there.
    """

    x: float
    y: float
    size: float = 10
    anchor: str = "md"
    text: str = ""


class Sheet:
    """A figure in which only ``moving`` artists and captions differ from picture to picture.

    They are drawn in the order given, above all others.
    """

    def __init__(
        self, figure: Figure, moving: Sequence[Artist], captions: Sequence[Caption] = ()
    ) -> None:
        self._figure, self._moving = figure, tuple(moving)
        self._captions = tuple(captions)
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
        return _encoded(_captioned(_picture(canvas), self._captions))


def to_png(figure: Figure) -> bytes:
    """A figure of :func:`blank` as PNG."""
    canvas: Any = figure.canvas
    canvas.draw()
    return _encoded(_picture(canvas))


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


def _picture(canvas: Any) -> Image.Image:
    """What is on an Agg canvas, without its alpha, which is 1 everywhere."""
    from PIL import Image

    pixels = canvas.buffer_rgba().tobytes()
    return Image.frombytes("RGBA", canvas.get_width_height(), pixels).convert("RGB")


def _captioned(picture: Image.Image, captions: Sequence[Caption]) -> Image.Image:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    for each in captions:
        at = (each.x * picture.width, (1 - each.y) * picture.height)
        draw.text(at, each.text, "black", _font(each.size), each.anchor, align="center")
    return picture


@functools.cache
def _font(size: float) -> Any:
    """The font of the other texts, in so many points."""
    from matplotlib.font_manager import findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont("DejaVu Sans"), size * DPI / 72)


def _encoded(picture: Image.Image) -> bytes:
    """As PNG, its rows as they are: to look for a filter of each takes longer than the drawing."""
    width, height = picture.size
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # a row begins with its filter: 0 is none
    rows[:, 1:] = np.frombuffer(picture.tobytes(), np.uint8).reshape(height, 3 * width)
    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)  # eight bits of red, green and blue
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(rows.tobytes(), 3), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
