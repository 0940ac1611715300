"""Where things stand when an episode begins."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.parts import Scene, SceneObject

AREA = (0.11, 0.14)
"""Half ranges of a thing's first position along x and y, about its place in the scene [m]."""
YAW = 0.4
"""Half range of its first yaw [rad]."""
GAP = 0.04
"""Least gap between the circles around things that a task moves about [m]."""
TRIES = 100
"""Draws after which a thing stands where it was drawn last, crowded or not."""

Circle = tuple[float, float, float]
"""Position along x and y and radius of what is taken [m]."""


class Stand:
    """One thing of a scene in one simulation, which an episode may put elsewhere."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, thing: SceneObject) -> None:
        self.thing = thing
        self.radius = max(thing.half[0], thing.half[1])
        body = model.body(thing.name)
        self.position: NDArray[np.float64] = data.xpos[body.id]
        """Where it is, world frame [m]. Shape (3,); a view."""
        self._pose: NDArray[np.float64] | None = None
        if thing.free:
            first = int(model.joint(f"{thing.name}_free").qposadr[0])
            self._pose = data.qpos[first : first + 7]

    def put(self, rng: np.random.Generator, layout: Layout, taken: Iterable[Circle] = (), area: bool = True) -> Circle:
        """Draws its pose clear of what is taken, as far as it can move; returns what it takes.

        Args:
            rng: The episode's generator.
            layout: How positions are spread and turned.
            taken: Circles to stay clear of.
            area: Whether it moves about `AREA` if its scene does not say how far; else it then stays.
        """
        thing = self.thing
        if self._pose is None:
            return (*thing.position[:2], self.radius)
        (x, y), _ = draw(rng, layout, thing.position, self._range(area), self.radius, taken)
        turn = thing.turn if thing.turn is not None else YAW * area
        yaw = thing.yaw + rng.uniform(-turn, turn)
        self._pose[:] = (x, y, layout.rest(thing), *layout.attitude(yaw))
        return x, y, self.radius

    def hold_at(self, x: float, y: float, z: float, attitude: tuple[float, float, float, float]) -> None:
        """Puts it at a position, world frame [m], with an orientation (w, x, y, z)."""
        if self._pose is not None:
            self._pose[:] = x, y, z, *attitude

    def _range(self, area: bool) -> tuple[float, float]:
        if self.thing.area is not None:
            return self.thing.area
        return AREA if area else (0.0, 0.0)


def draw(
    rng: np.random.Generator,
    layout: Layout,
    middle: tuple[float, ...],
    area: tuple[float, float],
    radius: float,
    taken: Iterable[Circle],
) -> tuple[tuple[float, float], bool]:
    """A position within `area` about `middle` whose circle keeps a gap to those taken, world frame [m].

    Returns:
        The position, and whether it keeps the gap; after `TRIES` draws it may not.
    """
    circles = list(taken)
    x = y = 0.0
    for _ in range(TRIES):
        u, v = rng.uniform(-1, 1, 2) * area
        x, y = layout.spot(float(u), float(v))
        x, y = middle[0] + x, middle[1] + y
        if all((x - cx) ** 2 + (y - cy) ** 2 >= (radius + r + GAP) ** 2 for cx, cy, r in circles):
            return (x, y), True
    return (x, y), False


def bystanders(
    scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, names: Iterable[str | None]
) -> tuple[Stand, ...]:
    """The things of a scene that a task does not name."""
    named = set(names)
    return tuple(Stand(model, data, thing) for name, thing in scene.objects.items() if name not in named)
