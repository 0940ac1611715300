"""A bank of generated backgrounds: seeded stand-ins for photographs and videos, so that nothing need be downloaded.

They are no photographs; they have what matters of one to a policy: structure at all scales, colour, depth of field.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.compositing import Image
from adversarl_mujoco.textures import texture

SIZE = 192
"""Edge of what is generated [pixel]."""
FRAMES = 48
"""Frames of a video; played to and fro."""
Field = NDArray[np.float32]


def _colors(rng: np.random.Generator, count: int) -> Field:
    """Colours of one palette, RGB in [0, 255]. Shape (count, 3)."""
    base = rng.uniform(0, 255, 3)
    drawn = 0.35 * base + 0.65 * rng.uniform(0, 255, (count, 3))
    return drawn.astype(np.float32)


def _clouds(rng: np.random.Generator, octaves: int = 5) -> Field:
    """Fractal noise in [0, 1]. Shape (SIZE, SIZE)."""
    total = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        lattice = rng.random((3 * 2**octave, 3 * 2**octave), dtype=np.float32)
        total += cv2.resize(lattice, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    total -= total.min()
    return np.asarray(total / total.max(), dtype=np.float32)


def _ramp(field: Field, low: Field, high: Field) -> Field:
    """A field in [0, 1] as colours between two. Shape (SIZE, SIZE, 3)."""
    return low + field[..., None] * (high - low)


def _hills(rng: np.random.Generator) -> Field:
    """Ridges, darker the nearer they are, below a cloudy sky."""
    colors = _colors(rng, 4)
    sky = _ramp(_clouds(rng), np.maximum(colors[0], 110), np.full(3, 250, np.float32))
    rows = np.arange(SIZE)[:, None]
    for layer in range(4):
        ridge = np.interp(np.arange(SIZE), np.linspace(0, SIZE, 14), rng.normal(0, 12 - 2 * layer, 14))
        fine = np.interp(np.arange(SIZE), np.linspace(0, SIZE, 60), rng.normal(0, 2, 60))
        below = rows > SIZE * (0.3 + 0.17 * layer) + ridge + fine
        haze = 0.75 - 0.2 * layer
        tone = (
            haze * np.array([190, 200, 210])
            + (1 - haze) * colors[1 + layer % 3] * (0.6 + 0.4 * _clouds(rng))[..., None]
        )
        sky = np.where(below[..., None], tone, sky)
    return np.asarray(sky, dtype=np.float32)


def _lights(rng: np.random.Generator) -> Field:
    """Lamps out of focus before something dark."""
    canvas = _ramp(_clouds(rng, 3), np.full(3, 10, np.float32), 0.5 * _colors(rng, 1)[0])
    colors = _colors(rng, 5) * 0.6 + 80
    for x, y, r, which in rng.random((45, 4)):
        disc = np.zeros((SIZE, SIZE, 3), np.float32)
        color = colors[int(5 * which)] * (0.3 + 0.5 * r)
        cv2.circle(disc, (int(SIZE * x), int(SIZE * y)), int(4 + 14 * r * r), color.tolist(), -1, cv2.LINE_AA)
        canvas = canvas + disc
    return np.asarray(cv2.GaussianBlur(canvas, (5, 5), 1.2), dtype=np.float32)


def _shelves(rng: np.random.Generator) -> Field:
    """Rows of upright things of many colours."""
    canvas = np.full((SIZE, SIZE, 3), 0.4 * _colors(rng, 1)[0], np.float32)
    colors, bottom = _colors(rng, 9), 0
    while bottom < SIZE:
        height, x = int(rng.integers(28, 48)), 0
        while x < SIZE:
            width, top = int(rng.integers(4, 15)), int(rng.integers(2, 12))
            color = colors[rng.integers(9)] * rng.uniform(0.5, 1.1)
            canvas[bottom + top : bottom + height - 3, x : x + width - 1] = color
            x += width + int(10 * (rng.random() < 0.1))
        bottom += height
    shade = 0.65 + 0.5 * _clouds(rng, 3)
    return np.asarray(cv2.GaussianBlur(canvas * shade[..., None], (3, 3), 0.8), dtype=np.float32)


def _leaves(rng: np.random.Generator) -> Field:
    """Overlapping ellipses, the later the brighter."""
    colors = _colors(rng, 5)
    canvas = _ramp(_clouds(rng), 0.15 * colors[0], 0.5 * colors[1])
    for index, (x, y, turn, long, which) in enumerate(rng.random((260, 5))):
        axes = (int(6 + 12 * long), int(2 + 5 * long))
        color = colors[int(5 * which)] * (0.35 + 0.75 * index / 260)
        cv2.ellipse(canvas, (int(SIZE * x), int(SIZE * y)), axes, 360 * turn, 0, 360, color.tolist(), -1, cv2.LINE_AA)
    return np.asarray(canvas, dtype=np.float32)


def _room(rng: np.random.Generator) -> Field:
    """Two walls, a floor, pictures on the walls, light from a window."""
    colors = _colors(rng, 8)
    corner, ground = int(SIZE * rng.uniform(0.3, 0.7)), int(SIZE * rng.uniform(0.6, 0.75))
    canvas = np.empty((SIZE, SIZE, 3), np.float32)
    canvas[:, :corner], canvas[:, corner:] = colors[0] * 0.7 + 60, colors[0] * 0.9 + 90
    outline = np.array([(0, SIZE), (0, ground + 25), (corner, ground), (SIZE, ground + 30), (SIZE, SIZE)])
    cv2.fillPoly(canvas, [outline], (colors[1] * 0.6).tolist(), cv2.LINE_AA)
    for color in colors[2:]:
        x, y = int(rng.uniform(0, SIZE - 30)), int(rng.uniform(5, ground - 30))
        w, h = int(rng.integers(16, 46)), int(rng.integers(14, 40))
        cv2.rectangle(canvas, (x, y), (x + w, y + h), (0.4 * color).tolist(), -1)
        cv2.rectangle(canvas, (x + 2, y + 2), (x + w - 2, y + h - 2), color.tolist(), -1)
    return np.asarray(canvas * (0.7 + 0.45 * _clouds(rng, 2))[..., None], dtype=np.float32)


_STILLS: dict[str, Callable[[np.random.Generator], Field]] = {
    "hills": _hills,
    "lights": _lights,
    "shelves": _shelves,
    "leaves": _leaves,
    "room": _room,
}
STILLS = tuple(_STILLS)
"""Kinds of images."""


@lru_cache(maxsize=256)
def still(kind: str, seed: int, index: int) -> Image:
    """Image `index` of a kind. Shape (SIZE, SIZE, 3), read-only."""
    rng = np.random.default_rng([seed, STILLS.index(kind), index])
    image = np.clip(_STILLS[kind](rng), 0, 255).astype(np.uint8)
    image.setflags(write=False)
    return image


def _scroll(seed: int, index: int, step: int) -> Image:
    """A still that is panned and zoomed into."""
    rng = np.random.default_rng([seed, 100, index])
    image = still(STILLS[index % len(STILLS)], seed, 1000 + index)
    angle, edge = rng.uniform(0, 2 * np.pi), SIZE // 2
    reach = (SIZE - edge) / 2 * np.array([np.cos(angle), np.sin(angle)])
    x, y = np.rint((SIZE - edge) / 2 + reach * (2 * step / (FRAMES - 1) - 1)).astype(int)
    return image[y : y + edge, x : x + edge]


def _flow(seed: int, index: int, step: int) -> Image:
    """Coloured noise that changes into other noise and drifts."""
    palette, first, second = _flow_parts(seed, index)
    share = step / (FRAMES - 1)
    edge = SIZE - FRAMES
    one, other = first[:edge, step : step + edge], second[step : step + edge, :edge]
    mixed = cv2.addWeighted(one, 1 - share, other, share, 0)
    return np.asarray(cv2.LUT(cv2.cvtColor(mixed, cv2.COLOR_GRAY2BGR), palette), dtype=np.uint8)


@lru_cache(maxsize=64)
def _flow_parts(seed: int, index: int) -> tuple[Image, Image, Image]:
    rng = np.random.default_rng([seed, 101, index])
    knots = _colors(rng, 4)
    channels = [np.interp(np.arange(256), np.linspace(60, 195, 4), knots[:, c]) for c in range(3)]
    palette = np.stack(channels, axis=-1)[None].astype(np.uint8)
    first, second = ((255 * _clouds(rng, 4)).astype(np.uint8) for _ in range(2))
    return palette, first, second


def _grating(seed: int, index: int, step: int) -> Image:
    """A wandering grating of two colours."""
    palette, phase, speed = _grating_parts(seed, index)
    moved = np.add(phase, np.uint8(round(speed * step) % 256))
    return np.asarray(cv2.LUT(cv2.cvtColor(moved, cv2.COLOR_GRAY2BGR), palette), dtype=np.uint8)


@lru_cache(maxsize=64)
def _grating_parts(seed: int, index: int) -> tuple[Image, Image, float]:
    """Colours by phase, phases in 1/256 turns, and turns/256 per step."""
    rng = np.random.default_rng([seed, 102, index])
    dark = _colors(rng, 1)[0]
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(256) / 256)
    palette = _ramp(wave[None].astype(np.float32), dark, 255 - dark).astype(np.uint8)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    angle, waves, speed = rng.uniform(0, np.pi), rng.uniform(3, 12), rng.choice([-1, 1]) * rng.uniform(15, 60)
    phase = (256 * waves * (np.cos(angle) * x + np.sin(angle) * y)).astype(np.int64) % 256
    return palette, phase.astype(np.uint8), float(speed)


def _shapes(seed: int, index: int, step: int) -> Image:
    """Discs and boxes that drift over a texture."""
    rng = np.random.default_rng([seed, 103, index])
    canvas = np.array(cv2.resize(texture(index, seed=seed), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) // 2)
    colors = _colors(rng, 12).tolist()
    for color, (x, y, vx, vy, size, round_) in zip(colors, rng.random((12, 6)), strict=True):
        place = SIZE * (np.array([x, y]) + 0.03 * step * (np.array([vx, vy]) - 0.5))
        column, row = np.rint(place).astype(int).tolist()
        edge = int(8 + 22 * size)
        if round_ < 0.5:
            cv2.circle(canvas, (column, row), edge, color, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(canvas, (column - edge, row - edge // 2), (column + edge, row + edge // 2), color, -1)
    return np.asarray(canvas, dtype=np.uint8)


_CLIPS: dict[str, Callable[[int, int, int], Image]] = {
    "scroll": _scroll,
    "flow": _flow,
    "grating": _grating,
    "shapes": _shapes,
}
CLIPS = tuple(_CLIPS)
"""Kinds of videos."""


def clip(kind: str, seed: int, index: int, step: int) -> Image:
    """Frame `step` in [0, FRAMES) of video `index` of a kind. Any Shape (h, w, 3)."""
    return _CLIPS[kind](seed, index, step)
