"""Frames with the teacher's answer: the data set that DAgger aggregates."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch as th
from numpy.typing import NDArray

from adversarl_sb3.checkpoint import Arrays

KEYS = ("image", "proprio", "teacher")


class LabelledFrames:
    """Fixed memory for labelled observations; once full, a new frame replaces a random old one.

    Random replacement keeps a sample of the whole past that thins out exponentially with age: conditions that the
    curriculum left behind are still rehearsed, where a first-in-first-out buffer would have forgotten them.
    """

    def __init__(self, capacity: int, rng: np.random.Generator, device: th.device) -> None:
        self.capacity = capacity
        self.rng = rng
        self.device = device
        self.size = 0
        self._frames: Arrays = {}

    def add(self, observation: dict[str, NDArray[Any]]) -> None:
        """Stores a batch: ``image`` uint8 (n, H, W, 3), ``proprio`` (n, p), ``teacher`` (n, a)."""
        count = min(len(observation["teacher"]), self.capacity)
        slots = np.arange(self.size, min(self.size + count, self.capacity))
        replaced = (
            self.rng.choice(self.capacity, count - len(slots), replace=False) if len(slots) < count else slots[:0]
        )
        slots = np.concatenate([slots, replaced])
        for key in KEYS:
            if key not in self._frames:
                shape = (self.capacity, *observation[key].shape[1:])
                self._frames[key] = np.empty(shape, observation[key].dtype)
            self._frames[key][slots] = observation[key][:count]
        self.size = min(self.size + count, self.capacity)

    def sample(self, batch_size: int) -> dict[str, th.Tensor]:
        """A batch drawn with replacement, on the device."""
        chosen = self.rng.integers(self.size, size=batch_size)
        return {key: th.as_tensor(self._frames[key][chosen], device=self.device) for key in KEYS}

    def state(self) -> Arrays:
        """The frames held, for a checkpoint."""
        return {key: frames[: self.size] for key, frames in self._frames.items()}

    def load_state(self, arrays: Arrays) -> None:
        """Brings `state` back."""
        self.size = len(arrays["teacher"]) if arrays else 0
        for key, stored in arrays.items():
            self._frames[key] = np.empty((self.capacity, *stored.shape[1:]), stored.dtype)
            self._frames[key][: self.size] = stored
