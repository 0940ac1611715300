"""Finished episodes as numbers: which conditions each had, and whether it succeeded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis, Episode, Perturbation

Condition = tuple[str, str | None]
"""An axis and its target; None is the axis' default target."""


@dataclass(frozen=True, slots=True)
class Table:
    """A window of episodes.

    Attributes:
        conditions: The conditions met, sorted.
        intensities: Highest intensity of each condition in each episode, 0 where it was absent. Shape (n, conditions).
        others: Mean intensity of all other axes met. Shape (n, conditions).
        success: Whether each episode succeeded, bool. Shape (n,).
        usable: Whether an episode may be compared: perturbed, or left nominal on purpose, bool. Shape (n,). One that
            was to change mid-episode and ended before is neither, and was chosen by its quick success.
    """

    conditions: tuple[Condition, ...]
    intensities: NDArray[np.float64]
    others: NDArray[np.float64]
    success: NDArray[np.bool_]
    usable: NDArray[np.bool_]


class History:
    """The most recent episodes, each as (success, clean, intensity of each condition)."""

    def __init__(self, axes: Iterable[Axis], window: int) -> None:
        self._defaults = {axis.name: axis.targets[0] if axis.targets else None for axis in axes}
        self._rows: deque[tuple[bool, bool, dict[Condition, float]]] = deque(maxlen=window)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, episode: Episode) -> None:
        """Takes note of an episode; of several perturbations of one condition the strongest counts."""
        met: dict[Condition, float] = {}
        for perturbation in episode.perturbations:
            if perturbation.intensity > 0:
                condition = self._condition(perturbation)
                met[condition] = max(perturbation.intensity, met.get(condition, 0.0))
        self._rows.append((episode.success, episode.clean, met))

    def _condition(self, perturbation: Perturbation) -> Condition:
        default = self._defaults.get(perturbation.axis)
        return perturbation.axis, None if perturbation.target == default else perturbation.target

    def outcomes(self) -> list[bool]:
        """Success of each episode, oldest first."""
        return [success for success, _, _ in self._rows]

    def table(self) -> Table:
        """The window as arrays."""
        conditions = sorted({c for _, _, met in self._rows for c in met}, key=lambda c: (c[0], c[1] or ""))
        column = {condition: index for index, condition in enumerate(conditions)}
        intensities = np.zeros((len(self._rows), len(conditions)))
        for row, (_, _, met) in enumerate(self._rows):
            for condition, intensity in met.items():
                intensities[row, column[condition]] = intensity
        success = np.array(self.outcomes(), dtype=bool)
        usable = np.array([clean or bool(met) for _, clean, met in self._rows], dtype=bool)
        return Table(tuple(conditions), intensities, self._others(conditions, intensities), success, usable)

    def _others(self, conditions: list[Condition], intensities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the other axes of each axis' strongest condition. Shape (n, conditions)."""
        axes = sorted({axis for axis, _ in conditions})
        of_axis = np.array([axes.index(axis) for axis, _ in conditions], dtype=np.intp)
        strongest = np.zeros((len(intensities), len(axes)))
        for index, axis in enumerate(of_axis):
            strongest[:, axis] = np.maximum(strongest[:, axis], intensities[:, index])
        rest = strongest.sum(axis=1, keepdims=True) - strongest[:, of_axis]
        result: NDArray[np.float64] = rest / max(1, len(axes) - 1)
        return result

    def state_dict(self) -> list[Any]:
        """JSON-ready."""
        return [[success, clean, [[*c, value] for c, value in met.items()]] for success, clean, met in self._rows]

    def load_state_dict(self, state: list[Any]) -> None:
        """Brings `state_dict` back."""
        self._rows.clear()
        for success, clean, met in state:
            self._rows.append((success, clean, {(axis, target): value for axis, target, value in met}))
