"""What perturbations ask of the renderer and of the task rather than of the model."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


class Filter(ABC):
    """Something that happens to the finished picture, such as rain or blur; depends on its arguments alone.

    Attributes:
        needs_depth: Whether `Shot.depth` must be there.
    """

    needs_depth: ClassVar[bool] = False

    @abstractmethod
    def apply(self, image: NDArray[np.uint8], shot: Shot) -> NDArray[np.uint8]:
        """The changed picture; may write into the one given. Shape (H, W, 3), any H and W."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """Circumstances of one picture.

    Attributes:
        step: Control steps since the reset, for what moves with time.
        depth: Distance along the viewing direction [m]; inf where nothing but the background is. Shape (H, W).
    """

    step: int
    depth: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RenderSettings:
    """What must happen while a frame is drawn, or to the finished frame.

    Attributes:
        shadows: Whether shadow maps are needed; they are the dearest thing to draw.
        hidden_visible: Whether geoms of `adversarl_mujoco.scene.HIDDEN_GROUP` are in use and must be drawn.
        color_matrix: Affine map of the frame's RGB, linear part and offset in [0, 255], as
            `adversarl_mujoco.render.recolor` takes it; None is the identity. Shape (3, 4).
        filters: What happens to the picture after that, in this order.
    """

    shadows: bool = False
    hidden_visible: bool = False
    color_matrix: NDArray[np.float32] | None = None
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How an episode begins otherwise than nominally; a task reads it when it places its things.

    Attributes:
        spread: Factor of the range of the objects' first positions.
        shift: Displacement of that range along x and y, world frame [m].
        turn: Yaw added to the objects' own [rad].
        tip: Angle by which they lie tipped over about their x axis [rad].
        joints: Half range of the arm's first joints beyond the task's own [rad].
        table: Height of the table's top above its nominal one [m].
    """

    spread: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    tip: float = 0.0
    joints: float = 0.0
    table: float = 0.0

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """Where an object starts that nominally starts at (x, y), world frame [m]."""
        return self.spread * x + self.shift[0], self.spread * y + self.shift[1]

    def attitude(self, yaw: float) -> tuple[float, float, float, float]:
        """Its first orientation (w, x, y, z): tipped, then turned."""
        half, tip = (yaw + self.turn) / 2, self.tip / 2
        c, s, ct, st = math.cos(half), math.sin(half), math.cos(tip), math.sin(tip)
        return c * ct, c * st, s * st, s * ct
