"""What an adversary sees before it proposes: how the protagonist has fared lately, under which conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.types import FailureReport

BANDS = 4
"""Bands of intensity, each a quarter wide, in which success is remembered."""

FORGETTING = 0.05
"""Weight of the newest outcome in a band: the last 20 or so count, since the protagonist changes."""

HORIZON = 1000
"""Episodes after which progress is 1/2."""


class Knowledge:
    """Recent success per name and band of intensity, with the newest failure report, as one vector.

    Args:
        names: What can be varied.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._successes = np.zeros((len(names), BANDS))
        self._weight = np.zeros((len(names), BANDS))

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self._successes.size + len(self._names) + 2

    def observe(self, what: int, percent: int, *, success: bool) -> None:
        """Takes note of an episode with one name varied at an intensity [percent]."""
        cell = what, _band(percent)
        self._successes[cell] += success - FORGETTING * self._successes[cell]
        self._weight[cell] += 1 - FORGETTING * self._weight[cell]

    def expected(self, what: int, percent: int) -> tuple[float, float]:
        """Mean of the success rate there, one success and one failure being added, and the episodes it rests on."""
        cell = what, _band(percent)
        weight = float(self._weight[cell])
        return (float(self._successes[cell]) + 1) / (weight + 2), weight

    def vector(self, report: FailureReport, episode: int) -> NDArray[np.float32]:
        """Success per name and band, effect blamed on each name, nominal success, progress; each in [-1, 1].

        Args:
            report: The latest failure report.
            episode: Running number of the episode about to start.
        """
        rates = 2 * (self._successes + 1) / (self._weight + 2) - 1
        effects = dict.fromkeys(self._names, 0.0)
        for mode in report.modes:
            if mode.axis in effects:
                effects[mode.axis] = max(mode.effect, effects[mode.axis])
        nominal = 2 * (report.nominal.successes + 1) / (report.nominal.n + 2) - 1
        progress = episode / (episode + HORIZON)
        return np.array([*rates.flat, *effects.values(), nominal, progress], dtype=np.float32)

    def state_dict(self) -> dict[str, Any]:
        """What was counted; JSON-ready."""
        return {"successes": self._successes.tolist(), "weight": self._weight.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._successes, self._weight = np.array(state["successes"]), np.array(state["weight"])


def _band(percent: int) -> int:
    return min(BANDS - 1, percent * BANDS // 101)
