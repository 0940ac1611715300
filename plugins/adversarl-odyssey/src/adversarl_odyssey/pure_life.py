"""What a world of words knows of one environment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.types import Perturbation


@dataclass(slots=True)
class Life:
    """What is known of one environment; all of it can be pickled.

    Attributes:
        rng: Draws the seeds of episodes that are given none.
        seed: Of the running episode.
        steps: Control steps of the running episode.
        running: Whether an episode has begun and not ended.
        lost: Whether the world of the episode is gone, so that its next step is its last.
        active: What is in force.
        told: The robot's last quantized action. Shape (a,).
        picture: What was shown last. Shape (size, size, 3).
    """

    rng: np.random.Generator
    told: NDArray[np.float32]
    picture: NDArray[np.uint8]
    seed: int = 0
    steps: int = 0
    running: bool = False
    lost: bool = False
    active: tuple[Perturbation, ...] = ()
