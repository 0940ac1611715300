"""Labelled pictures as a detector judged them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import FrameOptions, Judgement, Patience
from adversarl.labelled import LabelledFrames

NOMINAL = "nominal"
"""The axis of pictures that nothing perturbs."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Truths and judgements of n pictures, without the pictures.

    Attributes:
        success: Whether the task was solved. Shape (n,).
        probability: That it was, as the detector sees it; nan where it abstains. Shape (n,).
        said: What that comes to at the detector's thresholds: 1 yes, 0 no, nan neither. Shape (n,).
        progress: True progress, in [0, 1]; nan where unknown. Shape (n,).
        seen: Progress as the detector sees it; nan where it cannot say. Shape (n,).
        episode: Which episode each is from. Shape (n,).
        axis: The axis that was perturbed, or ``nominal``. Shape (n,).
        intensity: How much, in [0, 1]. Shape (n,).
        kind: ``solved``, ``near`` or ``apart``. Shape (n,).
    """

    success: NDArray[np.bool_]
    probability: NDArray[np.float64]
    said: NDArray[np.float64]
    progress: NDArray[np.float64]
    seen: NDArray[np.float64]
    episode: NDArray[np.int64]
    axis: NDArray[np.str_]
    intensity: NDArray[np.float64]
    kind: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.success)

    def rows(self, chosen: NDArray[Any]) -> Judged:
        """Those of a mask or of indices."""
        return Judged(*(getattr(self, field.name)[chosen] for field in fields(self)))


def judged(truth: LabelledFrames, found: Judgement, options: FrameOptions) -> Judged:
    """Puts together what was so and what was seen; each picture by itself, without patience.

    Args:
        truth: Labels of n pictures.
        found: What the detector made of them.
        options: Its thresholds.
    """
    said = Patience(options, 0).says(found.probability)
    nominal = truth.intensity == 0
    return Judged(
        truth.success,
        found.probability,
        said,
        truth.progress.astype(np.float64),
        found.progress,
        truth.episode,
        np.where(nominal, NOMINAL, truth.axis),
        truth.intensity.astype(np.float64).round(6),
        truth.kind,
    )
