"""What can happen to a finished picture: one small class per effect, made fast by tables kept per size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Filter, Shot

Image = NDArray[np.uint8]
Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Recolor(Filter):
    """An affine map of every pixel's colour, rounded and clipped to [0, 255].

    Attributes:
        matrix: Linear part and offset in [0, 255], homogeneous. Shape (4, 4).
    """

    matrix: NDArray[np.float64]

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture in new colours."""
        del shot
        return np.asarray(cv2.transform(image, self.matrix[:3]), dtype=np.uint8)
