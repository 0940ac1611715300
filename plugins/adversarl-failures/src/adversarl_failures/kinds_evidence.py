"""What a failed episode leaves to judge it by: its last picture and what the robot felt, as on a real robot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.trials import Trace

MOMENTS = 32
"""Moments at which proprioception is read, evenly spaced from the first step to the last."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of n failed episodes.

    Attributes:
        frames: Last pictures, uint8. Shape (n, H, W, 3).
        courses: Proprioception at `MOMENTS`. Shape (n, MOMENTS, p).
    """

    frames: NDArray[np.uint8]
    courses: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, indices: Sequence[int] | NDArray[np.intp]) -> Evidence:
        """Those of some episodes."""
        return Evidence(self.frames[indices], self.courses[indices])


@dataclass(frozen=True, slots=True)
class Examples:
    """Failed episodes to learn from, or to be tested on.

    Attributes:
        evidence: Of n episodes.
        labels: Numbers of their kinds. Shape (n,).
        states: Privileged states at their ends, which pictures are taught to tell. Shape (n, s).
    """

    evidence: Evidence
    labels: NDArray[np.intp]
    states: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)


def evidence_of(traces: Sequence[Trace]) -> Evidence:
    """What the traces of episodes leave; neither privileged states nor rewards, which know them."""
    frames = np.stack([trace.frame for trace in traces])
    return Evidence(frames, np.stack([resampled(trace.proprio) for trace in traces]))


def resampled(series: NDArray[np.float32]) -> NDArray[np.float32]:
    """A series at `MOMENTS`, linear in between; the first and the last value are kept.

    Args:
        series: Shape (T, p).

    Returns:
        Shape (MOMENTS, p).
    """
    at = np.linspace(0.0, len(series) - 1.0, MOMENTS)
    before = np.floor(at).astype(np.intp)
    after = np.minimum(before + 1, len(series) - 1)
    share = (at - before)[:, None].astype(np.float32)
    result: NDArray[np.float32] = (1 - share) * series[before] + share * series[after]
    return result
