"""Procedural textures: seeded images that every scene preloads, so that a change of texture is a change of an index."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

POOL = 208
"""Textures that a scene preloads: 26 of each pattern. THE COLOSSEUM has 213."""
Image = NDArray[np.uint8]
Field = NDArray[np.float64]
"""Brightness in [0, 1]. Shape (size, size)."""
Pattern = Callable[[np.random.Generator, int], Field]


def _grid(size: int) -> tuple[Field, Field]:
    y, x = np.mgrid[0:size, 0:size] / size
    return x, y


def _smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Periodic value noise in [0, 1], interpolated from a `cells` x `cells` lattice. Shape (size, size)."""
    lattice = rng.random((cells, cells))
    position = np.arange(size) * cells / size
    low = position.astype(int)
    weight = (1 - np.cos(np.pi * (position - low))) / 2
    high = (low + 1) % cells
    rows = lattice[low] * (1 - weight)[:, None] + lattice[high] * weight[:, None]
    mixed: Field = rows[:, low] * (1 - weight) + rows[:, high] * weight
    return mixed


def _noise(rng: np.random.Generator, size: int) -> Field:
    octaves = [_smooth_noise(rng, size, 4 * 2**i) * 0.5**i for i in range(4)]
    field: Field = np.sum(octaves, axis=0)
    field -= field.min()
    field /= field.max()
    return field


def _grating(rng: np.random.Generator, size: int) -> Field:
    x, y = _grid(size)
    kx, ky = rng.integers(-6, 7), rng.integers(2, 7)
    return 0.5 + 0.5 * np.sin(2 * np.pi * (kx * x + ky * y) + rng.uniform(0, 2 * np.pi))


def _checker(rng: np.random.Generator, size: int) -> Field:
    x, y = _grid(size)
    cells = rng.integers(2, 8)
    return (np.floor(2 * cells * x) + np.floor(2 * cells * y)) % 2


def _stripes(rng: np.random.Generator, size: int) -> Field:
    edges = np.sort(rng.random(rng.integers(5, 14)))
    bands = rng.random(len(edges) + 1)[np.searchsorted(edges, np.arange(size) / size)]
    field = np.broadcast_to(bands, (size, size))
    return field.T if rng.random() < 0.5 else field


def _wood(rng: np.random.Generator, size: int) -> Field:
    x, y = _grid(size)
    bent = x * rng.uniform(4, 9) + 0.8 * _smooth_noise(rng, size, 3) + 0.2 * np.sin(2 * np.pi * y)
    rings: Field = 0.7 * (bent % 1.0) + 0.3 * _smooth_noise(rng, size, 16)
    return rings


def _marble(rng: np.random.Generator, size: int) -> Field:
    x, y = _grid(size)
    turbulence = _noise(rng, size)
    angle = rng.uniform(0, 2 * np.pi)
    veins: Field = np.abs(np.sin(np.pi * (3 * np.cos(angle) * x + 3 * np.sin(angle) * y + 4 * turbulence)))
    return veins


def _dots(rng: np.random.Generator, size: int) -> Field:
    x, y = _grid(size)
    cells, radius = rng.integers(3, 8), rng.uniform(0.2, 0.4)
    return (np.hypot((cells * x) % 1 - 0.5, (cells * y) % 1 - 0.5) < radius).astype(np.float64)


def _speckle(rng: np.random.Generator, size: int) -> Field:
    return rng.random((size // 4, size // 4)).repeat(4, axis=0).repeat(4, axis=1)


PATTERNS: dict[str, Pattern] = {
    "noise": _noise,
    "grating": _grating,
    "checker": _checker,
    "stripes": _stripes,
    "wood": _wood,
    "marble": _marble,
    "dots": _dots,
    "speckle": _speckle,
}


def pattern_of(index: int) -> str:
    """Name of the pattern of texture `index`; patterns take turns."""
    return list(PATTERNS)[index % len(PATTERNS)]


@lru_cache(maxsize=1024)
def texture(index: int, size: int = 64, seed: int = 0) -> Image:
    """Texture `index` of the pool with this seed: a two-colour ramp over one of `PATTERNS`.

    Args:
        index: Running number; with `seed` it fixes the image.
        size: Edge length [pixel], a multiple of 4.
        seed: Seed of the pool, so that training and evaluation can use disjoint pools.

    Returns:
        RGB image, read-only. Shape (size, size, 3).
    """
    rng = np.random.default_rng([seed, index])
    dark, bright = rng.uniform(0.05, 0.6, 3), rng.uniform(0.4, 1.0, 3)
    field = PATTERNS[pattern_of(index)](rng, size)[..., None]
    image = np.rint(255 * (dark + (bright - dark) * np.clip(field, 0, 1))).astype(np.uint8)
    image.setflags(write=False)
    return image
