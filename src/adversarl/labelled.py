"""Pictures with the simulator's truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelledFrames:
    """Pictures with the simulator's truth; what detectors are trained and measured on.

    Attributes:
        task: The task in English.
        frames: What the camera saw, uint8. Shape (n, H, W, 3).
        success: Whether the task was solved then. Shape (n,).
        progress: How far it had come, in [0, 1]; nan where the world cannot say. Shape (n,).
        episode: Which episode each is from; parts of a split share none. Shape (n,).
        axis: Name of the axis that was perturbed, several joined by ``+``, or ``nominal``. Shape (n,).
        intensity: How much, in [0, 1]; the highest of several. Shape (n,).
        kind: What the picture shows: ``solved``, ``near`` (about to be, or only just not) or ``apart``. Shape (n,).
    """

    task: str
    frames: NDArray[np.uint8]
    success: NDArray[np.bool_]
    progress: NDArray[np.float32]
    episode: NDArray[np.int64]
    axis: NDArray[np.str_]
    intensity: NDArray[np.float32]
    kind: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, chosen: NDArray[Any]) -> LabelledFrames:
        """Those of a mask or of indices."""
        fields = (self.frames, self.success, self.progress, self.episode, self.axis, self.intensity, self.kind)
        return LabelledFrames(self.task, *(field[chosen] for field in fields))
