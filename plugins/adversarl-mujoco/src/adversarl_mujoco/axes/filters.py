"""What can happen to a finished picture: one small class per effect, made fast by tables kept per size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Filter, Shot
from adversarl_mujoco.compositing import Image, composite

CELLS = 16
"""Cells of a colour grid along each edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Recolor(Filter):
    """An affine map of every pixel's colour, rounded and clipped to [0, 255].

    Attributes:
        matrix: Linear part and offset in [0, 255], homogeneous. Shape (4, 4).
    """

    matrix: NDArray[np.float64]

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture in new colours."""
        del shot
        return np.asarray(cv2.transform(image, self.matrix[:3]), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class ColorGrid(Filter):
    """A grid of colours over the background.

    Attributes:
        seed: Seed of the colours.
        share: Opacity in [0, 1].
    """

    seed: int
    share: float
    needs_background: ClassVar[bool] = True

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture with the grid where the background was."""
        assert shot.background is not None
        return composite(image, shot.background, _grid(self.seed, *image.shape[:2]), self.share)


@lru_cache(maxsize=64)
def _grid(seed: int, height: int, width: int) -> Image:
    cells = np.random.default_rng(seed).integers(0, 256, (CELLS, CELLS, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Fog(Filter):
    """Light scattered towards the camera: by the Beer-Lambert law exp(-density * distance) of a colour is left.

    Attributes:
        density: Extinction coefficient [1/m].
        color: Colour of the fog, RGB in [0, 1].
    """

    density: float
    color: tuple[float, float, float]
    needs_depth: ClassVar[bool] = True

    def apply(self, image: Image, shot: Shot) -> Image:
        """Mixes every pixel with the colour of the fog by its distance."""
        assert shot.depth is not None
        clear = cv2.exp(np.multiply(shot.depth, -self.density))
        kept = cv2.cvtColor(cv2.convertScaleAbs(clear, alpha=255), cv2.COLOR_GRAY2BGR)
        seen = cv2.multiply(image, kept, scale=1 / 255)
        return np.asarray(cv2.add(seen, cv2.LUT(kept, _scattered(self.color))), dtype=np.uint8)


@lru_cache(maxsize=256)
def _scattered(color: tuple[float, float, float]) -> Image:
    """What fog adds to a pixel of which k / 255 is left, by k. Shape (1, 256, 3)."""
    lost = np.arange(255, -1, -1)[None, :, None]
    added: Image = np.rint(lost * np.array(color)).astype(np.uint8)
    return added


@dataclass(frozen=True, slots=True, eq=False)
class Rain(Filter):
    """Bright streaks that fall through the picture, and what they take from its contrast.

    Attributes:
        seed: Seed of where they are.
        slant: Their displacement to the right per displacement downwards.
        strength: In [0, 1].
    """

    seed: int
    slant: float
    strength: float

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture with the streaks of this step before it."""
        height, width = image.shape[:2]
        streaks = _streaks(self.seed, round(self.slant, 2), height, width)
        top = height - round(RAIN_SPEED * height * shot.step) % height
        falling = streaks[top : top + height]
        return np.asarray(cv2.addWeighted(image, 1 - 0.3 * self.strength, falling, self.strength, 0), dtype=np.uint8)


RAIN_SPEED = 0.37
"""Heights of the picture that rain falls in a control step."""
_DROPS = 130


@lru_cache(maxsize=32)
def _streaks(seed: int, slant: float, height: int, width: int) -> Image:
    """Streaks, twice one below the other so that every part as high as the picture is there. Shape (2 H, W, 3)."""
    rng = np.random.default_rng(seed)
    once = np.zeros((height, width), np.uint8)
    for x, y, near in rng.random((_DROPS, 3)):
        length = (0.06 + 0.12 * near) * height
        start = np.array([(1.2 * x - 0.1) * width, y * height])
        end = start + np.array([slant * length, length])
        for shift in (0, -height):  # what leaves the picture below comes in above
            first, last = (np.rint(16 * (point + np.array([0, shift]))).astype(int).tolist() for point in (start, end))
            thickness = max(1, round(height * near / 160))
            cv2.line(once, first, last, 50 + 90 * float(near), thickness, cv2.LINE_AA, 4)
    return np.repeat(np.tile(once, (2, 1))[..., None], 3, axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class Glare(Filter):
    """A lamp that shines into the lens: a veil, a bright spot with rays, and ghosts on the way to the centre.

    Attributes:
        x: Where the lamp is, in widths of the picture from its left edge.
        y: The same in heights from its upper edge.
        strength: In [0, 1].
    """

    x: float
    y: float
    strength: float

    def apply(self, image: Image, shot: Shot) -> Image:
        """Adds the light."""
        del shot
        light = _flare(round(self.x, 3), round(self.y, 3), *image.shape[:2])
        return np.asarray(cv2.addWeighted(image, 1.0, light, self.strength, 0), dtype=np.uint8)


_GHOSTS = (
    (0.55, 0.05, (30, 60, 25)),
    (1.3, 0.08, (50, 30, 55)),
    (1.75, 0.035, (20, 45, 60)),
    (2.2, 0.11, (40, 40, 15)),
)
"""Place on the line from the lamp (0) through the centre (1), radius [picture heights], RGB."""


@lru_cache(maxsize=32)
def _flare(x: float, y: float, height: int, width: int) -> Image:
    rows, columns = np.mgrid[0:height, 0:width]
    dx, dy = (columns + 0.5 - x * width) / height, (rows + 0.5 - y * height) / height
    r, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    rays = 0.5 + 0.5 * np.cos(6 * angle + 0.7) ** 8
    white = 300 * np.exp(-((r / 0.09) ** 2)) + 120 * np.exp(-r / 0.28) + 90 * rays * np.exp(-r / 0.2)
    light = white[..., None] * np.array([1.0, 0.95, 0.82])
    for place, radius, color in _GHOSTS:
        middle = place * np.array([0.5 - x, 0.5 - y]) * (width / height, 1)
        edge = np.clip((radius - np.hypot(dx - middle[0], dy - middle[1])) * height / 2 + 0.5, 0, 1)
        light += edge[..., None] * np.array(color)
    flare: Image = np.clip(light, 0, 255).astype(np.uint8)
    return flare


@dataclass(frozen=True, slots=True, eq=False)
class Defocus(Filter):
    """A lens out of focus.

    Attributes:
        sigma: Standard deviation of the point's image [picture heights].
    """

    sigma: float

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture convolved with a Gaussian."""
        del shot
        kernel = _gaussian(round(self.sigma * image.shape[0], 3))
        # Four times as fast as cv2.GaussianBlur, which computes bytes exactly.
        return np.asarray(cv2.sepFilter2D(image, -1, kernel, kernel), dtype=np.uint8)


@lru_cache(maxsize=256)
def _gaussian(sigma: float) -> NDArray[np.float32]:
    return cv2.getGaussianKernel(2 * math.ceil(2.5 * sigma) + 1, max(sigma, 1e-3)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class MotionBlur(Filter):
    """A camera that moved while its shutter was open.

    Attributes:
        length: How far [picture heights].
        angle: In which direction, from the picture's right to its lower edge [rad].
    """

    length: float
    angle: float

    def apply(self, image: Image, shot: Shot) -> Image:
        """The mean of the picture along a line."""
        del shot
        kernel = _line(round(self.length * image.shape[0], 2), round(self.angle, 2))
        return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


@lru_cache(maxsize=256)
def _line(length: float, angle: float) -> NDArray[np.float32]:
    """A line of some pixels as a kernel that sums to 1; points between pixels count for their neighbours."""
    half = math.floor(length / 2) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    steps = np.linspace(-length / 2, length / 2, 8 * half + 1)
    for x, y in zip(half + steps * math.cos(angle), half + steps * math.sin(angle), strict=True):
        column, row = min(math.floor(x), 2 * half - 1), min(math.floor(y), 2 * half - 1)
        fx, fy = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer((1 - fy, fy), (1 - fx, fx))
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)
