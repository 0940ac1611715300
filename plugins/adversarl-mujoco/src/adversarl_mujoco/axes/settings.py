"""What perturbations ask of the renderer rather than of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class RenderSettings:
    """What must happen while a frame is drawn, or to the finished frame.

    Attributes:
        shadows: Whether shadow maps are needed; they are the dearest thing to draw.
        hidden_visible: Whether geoms of `adversarl_mujoco.scene.HIDDEN_GROUP` are in use and must be drawn.
        color_matrix: Affine map of the frame's RGB, linear part and offset in [0, 255], as
            `adversarl_mujoco.render.recolor` takes it; None is the identity. Shape (3, 4).
    """

    shadows: bool = False
    hidden_visible: bool = False
    color_matrix: NDArray[np.float32] | None = None
