"""A few numbers that say where things are in a picture, for policies too small to learn that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation


def features(observation: Observation) -> NDArray[np.float64]:
    """Proprioception, then for each colour channel the centroid of what differs from the picture's median.

    A centroid is (across, up), each in [-1, 1], weighted by the absolute difference; (0, 0) for a plain picture.

    Returns:
        Shape (n, p + 6).
    """
    image = observation["image"].astype(np.float32) / 255.0
    rows, columns = image.shape[1:3]
    flat = image.reshape(len(image), rows * columns, 3)
    weight = np.abs(flat - np.median(flat, axis=1, keepdims=True)).reshape(len(image), rows, columns, 3)
    total = weight.sum(axis=(1, 2)) + 1e-6
    across = np.einsum("nrcd,c->nd", weight, np.linspace(-1, 1, columns, dtype=np.float32)) / total
    up = np.einsum("nrcd,r->nd", weight, np.linspace(1, -1, rows, dtype=np.float32)) / total
    return np.concatenate([observation["proprio"], across, up], axis=1, dtype=np.float64)


class RunningMoments:
    """Mean and standard deviation of features over all that was seen (Welford 1962, in batches).

    What `add` sees changes `normalise` only at `commit`, so that all candidates of an iteration are compared
    under one normalisation.

    Args:
        size: Number of features.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._count, self._mean, self._squares = np.zeros(()), np.zeros(size), np.zeros(size)
        self._shift, self._scale = np.zeros(size), np.ones(size)

    def add(self, batch: NDArray[np.float64]) -> None:
        """Counts a batch. Shape (n, size)."""
        n, mean = len(batch), batch.mean(axis=0)
        delta, total = mean - self._mean, self._count + n
        self._squares = self._squares + ((batch - mean) ** 2).sum(axis=0) + delta**2 * self._count * n / total
        self._mean = self._mean + delta * n / total
        self._count = total

    def commit(self) -> None:
        """Makes `normalise` use what was counted; features that never varied stay unscaled."""
        deviation = np.sqrt(self._squares / np.maximum(self._count, 1))
        self._shift, self._scale = self._mean, np.where(deviation > 1e-6, deviation, 1.0)

    def normalise(self, batch: NDArray[np.float64]) -> NDArray[np.float64]:
        """Zero mean and unit variance, as of the last `commit`. Shape (n, size)."""
        result: NDArray[np.float64] = (batch - self._shift) / self._scale
        return result

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """All of it, to be saved."""
        names = ("count", "mean", "squares", "shift", "scale")
        return {name: np.asarray(getattr(self, f"_{name}")) for name in names}

    def load(self, arrays: dict[str, NDArray[np.float64]]) -> None:
        """Brings `arrays` back."""
        for name, array in arrays.items():
            setattr(self, f"_{name}", array)
