"""The task `reach`: bring the gripper to a point or to an object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import MAX_STEP, Arm
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.tasks.errors import object_of
from adversarl_mujoco.tasks.failures import REACH_KINDS, of_reach
from adversarl_mujoco.tasks.layout import AREA, Stand, bystanders
from adversarl_mujoco.tasks.markers import GOAL, add_goal, place_of
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.scenes import around
from adversarl_mujoco.tasks.tabletop import OneArm

HEIGHTS = (0.05, 0.25)
"""Range of the marked point's height above the table [m]."""
CLEARANCE = 0.012
"""From the top of an object to the grasp point of a gripper whose fingertips touch it [m]."""
HOVER = 0.06
"""Height above an object's top while not yet over it [m]."""
GAIN = 0.8
"""Share of the remaining way asked for per step [1]."""

STATE = {
    "grasp_point": (slice(0, 3), "relative to `tabletop.START` [0.2 m]"),
    "velocity": (slice(3, 6), "of the grasp point, world frame [m/s]"),
    "opening": (slice(6, 7), "of the gripper, 0 closed, 1 open [1]"),
    "offset": (slice(7, 10), "from grasp point to the point to be reached [0.1 m]"),
    "flags": (slice(10, 11), "solved [1]"),
}
"""Columns of the privileged state: slice and meaning."""


class ReachCriteria(Criteria):
    """Table ``success`` of `reach`."""

    grasp_stability: float = Field(0.0, ge=0, le=0, description="Nothing is grasped here: 0 [1].")
    position_tolerance: float = Field(0.02, gt=0, le=0.2, description="Distance of grasp point and goal [m].")
    time_limit: float = Field(2.5, gt=0, le=600, description="Time limit of an episode [s].")


class ReachWeights(Weights):
    """Table ``reward`` of `reach`."""

    reach: float = Field(2.0, ge=0, le=1000, description="Being near the goal.")


class ReachOptions(TaskOptions):
    """Bring the grasp point to a goal."""

    type: Literal["reach"] = "reach"
    target: str | None = Field(None, description="Object whose top is to be touched; a marked point if left out.")
    success: ReachCriteria = Field(ReachCriteria(), description="When the goal counts as reached.")
    reward: ReachWeights = Field(ReachWeights(), description="Weights of the reward's terms.")


class Reach(OneArm):
    """Bring the grasp point to a marked point in the air, or down onto an object.

    Reward per control step as in `ShapedTask`, with the potential ``Phi = reach (1 - tanh(5 d))``, d the distance
    from grasp point to goal [m]. The condition is d <= position_tolerance.
    """

    Options: ClassVar[type[TaskOptions]] = ReachOptions
    options: ReachOptions
    state_size = 11
    failure_kinds = REACH_KINDS

    def __init__(
        self, options: TaskOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        super().__init__(options, scene, model, data, arms)
        self._thing = object_of(scene, options.target or GOAL, "target", free=False)
        self._mark = place_of(model, data) if options.target is None else None
        self._stand = Stand(model, data, self._thing)
        self._others = bystanders(scene, model, data, (self._thing.name,))
        self.arrange(Layout())

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """The target alone, if it is one of the composer's objects."""
        return around(options.target)

    @classmethod
    def furnish(cls, options: TaskOptions, spec: mujoco.MjSpec) -> tuple[SceneObject, ...]:
        """The marked point, unless an object is to be touched."""
        if options.target is not None:
            return ()
        return (add_goal(spec, mujoco.mjtGeom.mjGEOM_SPHERE, (0.016,), (0.15, 0.75, 0.35)),)

    @property
    def text(self) -> str:
        """The task in English."""
        return "move the gripper to the goal" if self._mark is not None else f"touch the {self._thing.name}"

    @property
    def target(self) -> str:
        """The object to be touched, or the marked point."""
        return self._thing.name

    def arrange(self, layout: Layout) -> None:
        """Learns how high the object's top is now."""
        super().arrange(layout)
        self._above = 0.0 if self._mark is not None else layout.half(self._thing)[2] + CLEARANCE

    def place(self, rng: np.random.Generator, layout: Layout) -> None:
        """Draws the arm's first joints and where the goal is."""
        self._place_arm(rng, layout)
        taken = [other.put(rng, layout, area=False) for other in self._others]
        if self._mark is None:
            self._stand.put(rng, layout, taken)
        else:
            x, y = layout.spot(*(rng.uniform(-1, 1, 2) * AREA).tolist())
            self._mark[:] = x, y, TABLE_HEIGHT + layout.table + rng.uniform(*HEIGHTS)

    def _offset(self) -> tuple[float, float, float]:
        x, y, z = self._arm.point
        gx, gy, gz = self._stand.position.tolist()
        return gx - x, gy - y, gz + self._above - z

    def measure(self) -> float:
        """The potential; updates `met`."""
        distance = math.hypot(*self._offset())
        self.met = distance <= self.options.success.position_tolerance
        return self.options.reward.reach * (1.0 - math.tanh(5.0 * distance))

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (11,); see `STATE` for the columns and their units."""
        out[:7] = self._senses()
        out[7:10] = [10.0 * way for way in self._offset()]
        out[10] = self.solved

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert: straight to a point, down a funnel onto an object. Shape (n, 4)."""
        move = 0.1 * states[:, STATE["offset"][0]]
        if self._mark is None:
            aside = np.hypot(move[:, 0], move[:, 1])
            move[:, 2] += HOVER * np.clip((aside - 0.015) / 0.03, 0, 1)
        closed = np.ones((len(states), 1), np.float32)
        return np.hstack([np.clip(GAIN * move / MAX_STEP, -1, 1), closed]).astype(np.float32)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.REACH_KINDS`."""
        distance = 0.1 * np.linalg.norm(states[:, STATE["offset"][0]], axis=1)
        return of_reach(distance, self.options.success.position_tolerance)
