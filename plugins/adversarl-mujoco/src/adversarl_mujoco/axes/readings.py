"""Processes that stand between what is and what the policy reads of it."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.actuation import steps_of_delay
from adversarl_mujoco.effects import Effect, Picture, Row
from adversarl_mujoco.timing import CONTROL_FREQUENCY

FREEZE_S = 1.0
"""How long a freeze lasts [s]."""


class Frozen(Effect):
    """Keeps what was read last for `FREEZE_S`, now and then.

    Args:
        rate: How often it freezes [1/s].
    """

    def __init__(self, rate: float) -> None:
        self._chance = rate / CONTROL_FREQUENCY
        self._left = 0
        self._kept: NDArray[np.generic] | None = None

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing was read yet."""
        self._rng, self._left, self._kept = rng, 0, None

    def freeze(self, reading: NDArray[np.generic]) -> None:
        """Overwrites a reading with an old one while frozen."""
        if not self._left and self._kept is not None and self._rng.random() < self._chance:
            self._left = round(FREEZE_S * CONTROL_FREQUENCY)
        if self._left and self._kept is not None:
            self._left -= 1
            np.copyto(reading, self._kept)
        else:
            self._kept = reading.copy()


class FrozenPicture(Frozen):
    """Freezes the camera."""

    def image(self, picture: Picture) -> None:
        """Shows the last picture again while frozen."""
        self.freeze(picture)


class FrozenJoints(Frozen):
    """Freezes the robot's senses."""

    def proprio(self, row: Row) -> None:
        """Gives the last readings again while frozen."""
        self.freeze(row)


class Late(Effect):
    """Passes readings on some steps late.

    Args:
        mean: Mean delay [control steps]; the next lower or higher whole number is drawn once an episode.
    """

    def __init__(self, mean: float) -> None:
        self._mean = mean

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing is under way; until something arrives, the first reading is repeated."""
        (self._delay,) = steps_of_delay(rng, self._mean, 1)
        self._queue: list[NDArray[np.generic]] = []

    def delay(self, reading: NDArray[np.generic]) -> None:
        """Exchanges the newest reading for the oldest one."""
        self._queue.append(reading.copy())
        np.copyto(reading, self._queue[0])
        if len(self._queue) > self._delay:
            self._queue.pop(0)


class LatePicture(Late):
    """Delays the camera."""

    def image(self, picture: Picture) -> None:
        """Shows an old picture."""
        self.delay(picture)


class LateJoints(Late):
    """Delays the robot's senses."""

    def proprio(self, row: Row) -> None:
        """Gives old readings."""
        self.delay(row)


class Dropped(Effect):
    """Loses pictures.

    Args:
        share: Share of the pictures that are lost.
        black: Whether a black one stands in for them; else the last one is repeated.
    """

    def __init__(self, share: float, black: bool) -> None:
        self._share, self._black = share, black

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing was seen yet."""
        self._rng = rng
        self._seen: Picture | None = None

    def image(self, picture: Picture) -> None:
        """Replaces a lost picture."""
        lost = self._rng.random() < self._share
        if lost and self._black:
            picture.fill(0)
        elif lost and self._seen is not None:
            np.copyto(picture, self._seen)
        else:
            self._seen = picture.copy()


class NoisyJoints(Effect):
    """Adds noise to what the robot feels.

    Args:
        size: Standard deviation of the scaled readings [1].
        kept: Whether it is drawn once an episode; else every step.
    """

    def __init__(self, size: float, kept: bool) -> None:
        self._size, self._once = np.float32(size), kept
        self._offset: Row | None = None

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """The first reading tells how many numbers there are."""
        self._rng, self._offset = rng, None

    def proprio(self, row: Row) -> None:
        """Adds noise."""
        if self._offset is None or not self._once:
            self._offset = self._size * self._rng.standard_normal(len(row), dtype=np.float32)
        row += self._offset
