"""Draws the point-mass world with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adversarl.builtin.point_mass_axes import Conditions

DOT_RADIUS_M = 0.12


def draw(
    dots: NDArray[np.float64], goals: NDArray[np.float64], conditions: Sequence[Conditions], size: int
) -> NDArray[np.uint8]:
    """Pictures of the arena from above, x to the right and y up, the dot over the goal.

    Edges are blended over one pixel by the signed distance to the disc, so that motion below a pixel shows.

    Args:
        dots: Positions of the dots, arena frame [m]. Shape (n, 2).
        goals: Positions of the goals, arena frame [m]. Shape (n, 2).
        conditions: Colours, sizes, light and camera, one for each picture.
        size: Height and width [px].

    Returns:
        uint8. Shape (n, size, size, 3).
    """
    shift = _column(conditions, "shift_m")
    radii = np.array([c.goal_radius_m for c in conditions], dtype=np.float32)
    picture = _column(conditions, "background")[:, None, None, :]
    goal = _coverage(goals + shift, radii, size)
    picture = picture + goal * (_column(conditions, "goal")[:, None, None, :] - picture)
    dot = _coverage(dots + shift, np.full_like(radii, DOT_RADIUS_M), size)
    picture = picture + dot * (_column(conditions, "dot")[:, None, None, :] - picture)
    brightness = np.array([c.brightness for c in conditions], dtype=np.float32)[:, None, None, None]
    pixels: NDArray[np.uint8] = np.rint(255.0 * np.clip(picture * brightness, 0.0, 1.0)).astype(np.uint8)
    return pixels


def _column(conditions: Sequence[Conditions], name: str) -> NDArray[np.float32]:
    return np.array([getattr(c, name) for c in conditions], dtype=np.float32)


def _coverage(centres: NDArray[np.float64], radii: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """How much of each pixel a disc covers, in [0, 1]. Shape (n, size, size, 1)."""
    pixel_m = 2.0 / size
    ticks = (np.arange(size, dtype=np.float32) + 0.5) * pixel_m - 1.0
    across = ticks[None, None, :] - centres[:, 0, None, None].astype(np.float32)
    up = -ticks[None, :, None] - centres[:, 1, None, None].astype(np.float32)
    inside = radii[:, None, None] - np.sqrt(across**2 + up**2)
    covered: NDArray[np.float32] = np.clip(inside / np.float32(pixel_m) + 0.5, 0.0, 1.0)[..., None]
    return covered
