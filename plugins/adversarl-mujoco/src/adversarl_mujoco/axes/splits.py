"""Training and test draw from disjoint parts of every continuum: colours, directions, places.

The range of the draws that make one thing, such as the three of a colour, is a chessboard of `CELLS` fields a side:
black fields belong to training, white ones to tests. Both are spread over the whole range, so that neither is harder,
and nothing that one draws can the other draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

Split = Literal["all", "train", "test"]
Group = tuple[int, ...]
"""Indices of the draws that make one thing."""
CELLS = 4


def is_test(u: Iterable[float]) -> bool:
    """Whether draws in [0, 1] lie on a white field; 1 belongs to the last field."""
    return sum(min(CELLS - 1, int(CELLS * one)) for one in u) % 2 == 1


def in_split(u: Sequence[float], groups: Iterable[Group], split: Split) -> Sequence[float]:
    """The draws of a split: each group that lies on a field of the other one moves to the next field.

    The map keeps uniform draws uniform on the fields of the split.
    """
    if split == "all":
        return u
    moved = list(u)
    for group in groups:
        if is_test(moved[index] for index in group) != (split == "test"):
            moved[group[0]] = _next_field(moved[group[0]])
    return tuple(moved)


def _next_field(u: float) -> float:
    moved = (u + 1 / CELLS) % 1.0
    # The largest number below 1 is rounded up to the second field.
    return min(moved, math.nextafter(1 / CELLS, 0)) if u >= 1 - 1 / CELLS else moved


def sphere_draws(direction: Sequence[float]) -> tuple[float, float]:
    """The draws of which `on_sphere` makes a direction."""
    length = math.sqrt(sum(part * part for part in direction))
    x, y, z = (part / length for part in direction)
    return (z + 1) / 2, math.atan2(y, x) / (2 * math.pi) % 1.0
