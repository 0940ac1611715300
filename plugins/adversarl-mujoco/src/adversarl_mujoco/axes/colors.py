"""Colours: of black bodies, and at random."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

_XYZ_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # Rec. 709
GAMMA = 2.2
"""MuJoCo's classic renderer adds pixel values, not light; light scaled by f shows as f ** (1 / GAMMA) (sRGB)."""
Color = tuple[float, float, float]


@lru_cache(maxsize=1024)
def blackbody(kelvin: float) -> NDArray[np.float64]:
    """RGB of a black body relative to 6500 K, as pixels show it, at equal luma. Shape (3,).

    Chromaticity by the cubic splines of Kim et al., US patent 7024034 (1667 to 25000 K), encoded with `GAMMA`.
    """
    ratio: NDArray[np.float64] = (_planckian(kelvin) / _daylight()) ** (1 / GAMMA)
    encoded: NDArray[np.float64] = ratio / float(_LUMINANCE @ ratio)
    encoded.setflags(write=False)
    return encoded


def _planckian(kelvin: float) -> NDArray[np.float64]:
    t = 1000.0 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    linear: NDArray[np.float64] = np.maximum(_XYZ_TO_SRGB @ np.array([x / y, 1.0, (1 - x - y) / y]), 0.0)
    return linear


@cache
def _daylight() -> NDArray[np.float64]:
    return _planckian(6500.0)


def saturated_color(hue: float, saturation: float) -> Color:
    """The brightest colour of a hue [turns] and saturation [1]."""
    return colorsys.hsv_to_rgb(hue, saturation, 1.0)


def distant_color(u: Sequence[float], away_from: Iterable[Sequence[float]], distance: float) -> Color:
    """The first of the drawn colours, uniform in RGB, that lies at least `distance` from all others given.

    Without this a draw near the nominal colour would make intensity 1 easy; where no draw is far enough, the
    farthest counts.
    """
    others = [tuple(color) for color in away_from]
    best, farthest = (u[0], u[1], u[2]), -1.0
    for start in range(0, len(u) - 2, 3):
        color = (u[start], u[start + 1], u[start + 2])
        apart = min((math.dist(color, other) for other in others), default=math.inf)
        if apart >= distance:
            return color
        if apart > farthest:
            best, farthest = color, apart
    return best
