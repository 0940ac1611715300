"""Solid blocks that find themselves a place around the objects when an episode begins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np

from adversarl_mujoco.effects import Effect

REACH_X, REACH_Y = (-0.28, 0.28), (-0.36, 0.36)
"""Where blocks may stand, world frame [m]."""
ROOM = 0.075
"""Free circle about an object that the open gripper needs, about its middle [m]."""
NEAR = 0.14
"""How far beyond that circle a block may stand at first [m]; the range grows by 1 % with every vain try."""
TRIES = 400

Circle = tuple[float, float, float]


class Obstacles(Effect):
    """Puts static bodies onto the table, clear of all objects and of each other.

    Args:
        blocks: The bodies; their first geom is their box.
        keep: The bodies of the objects, the task's target first.
        height: Height of the table's top, world frame [m].
    """

    def __init__(self, blocks: Sequence[int], keep: Sequence[int], height: float) -> None:
        self._blocks, self._keep, self._height = tuple(blocks), tuple(keep), height
        self._poses: tuple[tuple[float, ...], ...] = ()

    def furnish(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Draws the places around where the objects are now."""
        mujoco.mj_kinematics(model, data)
        taken = [_circle(model, data, body) for body in self._keep]
        middle, poses = taken[0], []
        for body in self._blocks:
            half = model.geom_size[model.body_geomadr[body]]
            x, y = _free_place(rng, middle, math.hypot(half[0], half[1]), taken)
            taken.append((x, y, math.hypot(half[0], half[1])))
            yaw = rng.uniform(0, math.pi)
            poses.append((x, y, self._height + float(half[2]), math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)))
        self._poses = tuple(poses)
        self.install(model, data)

    def install(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Puts the blocks where they were."""
        for body, pose in zip(self._blocks, self._poses, strict=True):
            model.body_pos[body], model.body_quat[body] = pose[:3], pose[3:]


def _circle(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> Circle:
    """What an object and a gripper around it take [m]."""
    own = model.body_rootid[model.geom_bodyid] == body
    radius = float(model.geom_rbound[own].max(initial=0.0))
    x, y, _ = data.xpos[body].tolist()
    return x, y, max(ROOM, radius + 0.03)


def _free_place(
    rng: np.random.Generator, middle: Circle, radius: float, taken: Sequence[Circle]
) -> tuple[float, float]:
    """A place near `middle` clear of all that is taken [m]; a crowded table takes what is left."""
    x = y = 0.0
    for attempt in range(TRIES):
        distance = middle[2] + radius + rng.uniform(0, NEAR) * 1.01**attempt
        angle = rng.uniform(-math.pi, math.pi)
        x, y = middle[0] + distance * math.cos(angle), middle[1] + distance * math.sin(angle)
        inside = REACH_X[0] <= x <= REACH_X[1] and REACH_Y[0] <= y <= REACH_Y[1]
        if inside and all(math.hypot(x - cx, y - cy) >= radius + r for cx, cy, r in taken):
            return x, y
    return REACH_X[1], REACH_Y[1]
