"""Whether a video has changed: more than it changed by itself just before, compression and motion included.

Pictures are reduced to `GRID` block means, which averages most of what compression does away. How far two pictures
are apart is the mean absolute difference of their most different twentieth of blocks [grey levels, 0 to 255], so that
a small thing that moves counts as much as a lamp that goes out.

What a video does by itself is measured, not assumed: for each number of pictures between two (their lag), the
largest distance among the pictures just before is noted. A picture after the prompt counts as changed if it is farther
from the last picture before than `FACTOR` times that plus `FLOOR`, and the picture after it too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GRID = 40
"""Blocks along the longer edge."""
SHARE = 0.05
"""Share of blocks whose difference counts."""
FACTOR = 3.0
FLOOR = 1.5
"""Grey levels; a change that nobody sees is none."""
QUIET = 24
"""Pictures before the prompt that are compared with each other."""

Small = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A picture that came.

    Attributes:
        number: Its running number.
        time_s: When [s], by `time.monotonic`.
        small: Its block means. Shape (h, w, 3), longer edge `GRID`.
    """

    number: int
    time_s: float
    small: Small


def reduce(picture: NDArray[np.uint8]) -> Small:
    """Block means. Shape (h, w, 3)."""
    height, width = picture.shape[:2]
    scale = GRID / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def distance(a: Small, b: Small) -> float:
    """Mean absolute difference of the most different `SHARE` of blocks [grey levels]."""
    apart = np.abs(a - b).mean(axis=2).ravel()
    count = max(1, round(SHARE * apart.size))
    return float(np.partition(apart, apart.size - count)[-count:].mean())


def mean_difference(a: Small, b: Small) -> float:
    """Mean absolute difference of all blocks [grey levels]."""
    return float(np.abs(a - b).mean())


class Change:
    """Tells pictures that changed from those that vary as the ones before did.

    Args:
        before: The pictures just before the prompt, the last one last; at least two.
    """

    def __init__(self, before: Sequence[Arrived]) -> None:
        self._last = before[-1]
        self._own = [0.0] * len(before)
        for i, early in enumerate(before):
            for j in range(i + 1, len(before)):
                self._own[j - i] = max(self._own[j - i], distance(early.small, before[j].small))
        self._own = [float(most) for most in np.maximum.accumulate(self._own)]
        self.noise = self._own[-1]

    def seen_in(self, picture: Arrived) -> bool:
        """Whether it is clearly farther from the last picture before than pictures so far apart were."""
        lag = min(max(picture.number - self._last.number, 1), len(self._own) - 1)
        return distance(picture.small, self._last.small) > FACTOR * self._own[lag] + FLOOR

    def first(self, after: Sequence[Arrived]) -> Arrived | None:
        """The first picture that changed and whose successor did too; None as long as there is none."""
        seen = [self.seen_in(picture) for picture in after]
        return next((picture for k, picture in enumerate(after[:-1]) if seen[k] and seen[k + 1]), None)


class Frames:
    """The latest pictures of a stream; written by a callback, perhaps on another thread.

    Attributes:
        count: How many have come.
        size: Width and height of the last one [pixel].
    """

    def __init__(self, keep: int = 1200) -> None:
        self._kept: deque[Arrived] = deque(maxlen=keep)
        self._lock = threading.Lock()
        self.count, self.size = 0, (0, 0)

    def add(self, picture: NDArray[np.uint8], now: float) -> None:
        """Notes a picture. Shape (h, w, 3)."""
        small = reduce(picture)
        with self._lock:
            self._kept.append(Arrived(self.count, now, small))
            self.count, self.size = self.count + 1, (picture.shape[1], picture.shape[0])

    def last(self, most: int) -> list[Arrived]:
        """The latest pictures, oldest first."""
        with self._lock:
            return list(self._kept)[-most:]

    def since(self, time_s: float) -> list[Arrived]:
        """The pictures that came after a time, oldest first."""
        with self._lock:
            return [picture for picture in self._kept if picture.time_s > time_s]
