"""The task `pick`: lift an object."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl_mujoco.tasks.failures import PICK_KINDS, of_pick
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.pick_teacher import teach
from adversarl_mujoco.tasks.tabletop import Tabletop


class PickCriteria(Criteria):
    """Table ``success`` of `pick`."""

    lift_height: float = Field(0.10, gt=0, le=0.25, description="Height of the object above its rest [m].")


class PickWeights(Weights):
    """Table ``reward`` of `pick`."""

    reach: float = Field(1.0, ge=0, le=1000, description="Being near the object.")
    grasp: float = Field(1.0, ge=0, le=1000, description="Having it in the gripper.")
    lift: float = Field(2.0, ge=0, le=1000, description="Height in the gripper, as a share of lift_height.")


class PickOptions(TaskOptions):
    """Lift an object off the table."""

    type: Literal["pick"] = "pick"
    success: PickCriteria = Field(PickCriteria(), description="When the object counts as picked up.")
    reward: PickWeights = Field(PickWeights(), description="Weights of the reward's terms.")


class Pick(Tabletop):
    """Grasp an object and lift it.

    Reward per control step as in `ShapedTask`, with the potential ::

        Phi = reach (1 - tanh(5 d)) + grasp grasped + lift clip(h / lift_height, 0, 1) grasped

    d the distance from grasp point to object [m], h the object's height above its rest [m]. The condition is
    h >= lift_height while grasped. By default a whole successful episode sums to about 6 minus `step_cost` a step.
    """

    Options: ClassVar[type[TaskOptions]] = PickOptions
    options: PickOptions
    failure_kinds = PICK_KINDS

    @property
    def text(self) -> str:
        """The task in English."""
        return f"pick up the {self._thing.name}"

    def measure(self) -> float:
        """The potential; updates `grasped` and `met`."""
        weights, height = self.options.reward, self.options.success.lift_height
        distance = self.grasp()
        raised = min(max((float(self._object[2]) - self._rest) / height, 0.0), 1.0)
        self.met = self.grasped and raised >= 1.0
        nearness = weights.reach * (1.0 - math.tanh(5.0 * distance))
        return nearness + self.grasped * (weights.grasp + weights.lift * raised)

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.pick_teacher`."""
        return teach(states, self.options.success.lift_height, self._top)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.PICK_KINDS`."""
        return of_pick(self.course(states), self.options.success.lift_height)
