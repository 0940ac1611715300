"""From scene light to pixels: units of Filament's lights, and the curve of our camera.

Filament's own post-processing dithers with noise that differs from frame to frame; the same state would not give the
same picture. So it hands out linear light, drawn twice as fine as asked for, and the last step is ours.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SUPERSAMPLING = 2
"""Edge of the block of drawn pixels that make one pixel of the picture."""
EXPOSURE = 1 / (1.2 * 16**2 * 125)
"""Of Filament's default camera, f/16, 1/125 s, ISO 100 [m²/cd]; Lagarde and de Rousiers, Moving Frostbite to PBR."""
LUMINANCE = 1 / EXPOSURE
"""Luminance of the environment that, alone, shows a white surface white [cd/m²]."""
ILLUMINANCE = np.pi / EXPOSURE
"""Illuminance under which a white Lambertian surface is shown white [lx]."""
WHITE = 1.4
"""Linear light at which a pixel is saturated; highlights above 1 are compressed, not cut."""
_KNEE = 0.7


def linear(color: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Decodes sRGB in [0, 1] (IEC 61966-2-1)."""
    c = np.asarray(color, np.float64)
    return np.asarray(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4))


def display(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encodes linear light in [0, 1] as sRGB (IEC 61966-2-1)."""
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def tone(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Identity up to the knee, above it the cubic that goes on smoothly and reaches 1, level, at `WHITE`."""
    t = np.clip((light - _KNEE) / (WHITE - _KNEE), 0, 1)
    shoulder = (1 + 2 * t) * (1 - t) ** 2 * _KNEE + t * (1 - t) ** 2 * (WHITE - _KNEE) + t**2 * (3 - 2 * t)
    return np.where(light < _KNEE, light, shoulder)


@cache
def _table(gain: float) -> NDArray[np.uint8]:
    """Picture value by the sum of one block of 8-bit linear values. Shape (255 * SUPERSAMPLING**2 + 1,)."""
    steps = 255 * SUPERSAMPLING**2
    light = np.arange(steps + 1) / steps * WHITE / gain
    return np.rint(255 * display(tone(light))).astype(np.uint8)


def expose(drawn: NDArray[np.uint8], gain: float, out: NDArray[np.uint8]) -> None:
    """Turns linear light into a picture.

    Args:
        drawn: Linear light in units of `WHITE` / 255 / `gain`. Shape (S * H, S * W, 3) with S = `SUPERSAMPLING`.
        gain: By how much the lights were brightened, so that dark scenes use all 8 bits.
        out: Receives the sRGB picture. Shape (H, W, 3).
    """
    s, (height, width) = SUPERSAMPLING, out.shape[:2]
    total = drawn.reshape(height, s, width, s, 3).sum(axis=(1, 3), dtype=np.uint16)
    np.take(_table(gain), total, out=out)
