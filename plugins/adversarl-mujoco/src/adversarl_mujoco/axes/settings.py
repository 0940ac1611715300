"""What perturbations ask of the renderer and of the task rather than of the model."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.parts import SceneObject


class Filter(ABC):
    """Something that happens to the finished picture, such as rain or blur; depends on its arguments alone.

    Attributes:
        needs_depth: Whether `Shot.depth` must be there.
        needs_background: Whether `Shot.background` must be there.
    """

    needs_depth: ClassVar[bool] = False
    needs_background: ClassVar[bool] = False

    @abstractmethod
    def apply(self, image: NDArray[np.uint8], shot: Shot) -> NDArray[np.uint8]:
        """The changed picture; may write into the one given. Shape (H, W, 3), any H and W."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """Circumstances of one picture.

    Attributes:
        step: Control steps since the reset, for what moves with time.
        depth: Distance along the viewing direction [m]; what lies behind the far plane is there. Shape (H, W).
        background: 255 where nothing stands before the background, else 0. Shape (H, W).
    """

    step: int
    depth: NDArray[np.float32] | None = None
    background: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RenderSettings:
    """What must happen while a frame is drawn, or to the finished frame.

    Attributes:
        shadows: Whether shadow maps are needed; they are the dearest thing to draw.
        filters: What happens to the picture, in this order.
        needs_depth: Whether one of them needs the depth.
        needs_background: Whether one of them needs to know where the background is.
    """

    shadows: bool = False
    filters: tuple[Filter, ...] = ()
    needs_depth: bool = field(init=False)
    needs_background: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs_depth", any(effect.needs_depth for effect in self.filters))
        object.__setattr__(self, "needs_background", any(effect.needs_background for effect in self.filters))


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
        halves: Half extents of the objects that are not as large or not shaped as nominally, own frame [m].
    """

    spread: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    tip: float = 0.0
    joints: float = 0.0
    table: float = 0.0
    halves: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """Where an object starts that nominally starts at (x, y), world frame [m]."""
        return self.spread * x + self.shift[0], self.spread * y + self.shift[1]

    def half(self, about: SceneObject) -> tuple[float, float, float]:
        """Half extents of an object as it is now, own frame [m]."""
        return self.halves.get(about.name, about.half)

    def rest(self, about: SceneObject) -> float:
        """Height of an object's origin where it rests with the `attitude` of this layout, world frame [m]."""
        half = self.half(about)
        low = abs(math.cos(self.tip)) * half[2] + abs(math.sin(self.tip)) * half[1]
        return about.position[2] + self.table + (low - about.half[2])

    def attitude(self, yaw: float) -> tuple[float, float, float, float]:
        """Its first orientation (w, x, y, z): tipped, then turned."""
        half, tip = (yaw + self.turn) / 2, self.tip / 2
        c, s, ct, st = math.cos(half), math.sin(half), math.cos(tip), math.sin(tip)
        return c * ct, c * st, s * st, s * ct
