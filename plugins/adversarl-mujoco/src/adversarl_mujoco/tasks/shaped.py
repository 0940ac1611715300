"""The reward that tasks have in common: a potential, a prize, and what time is worth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import mujoco

from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.tasks.base import Task
from adversarl_mujoco.tasks.options import TaskOptions
from adversarl_mujoco.timing import CONTROL_FREQUENCY


class ShapedTask(Task):
    """A task with a potential and a condition; time, stability and reward are counted here.

    Reward per control step, with Phi the potential of a state (Ng et al., "Policy invariance under reward
    transformations", 1999: its difference changes no optimal policy)::

        reward = Phi' - Phi + (success + time_bonus (1 - t / time_limit)) solved - step_cost

    with t the time since the episode began [s]. `solved` asks for three things: `met` has held for ``hold`` seconds
    without a break; contact was kept in at least the share ``grasp_stability`` of the control steps since the first
    grasp (see `secure`); and there was a grasp if that share is not 0.

    Attributes:
        grasped: Whether the object is in the gripper, by the last `measure`.
        met: Whether the task's condition holds, by the last `measure`.
        potential: Phi, by the last `measure`.
    """

    grasped: bool
    met: bool

    def __init__(
        self, options: TaskOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        super().__init__(options, scene, model, data, arms)
        self._steps = options.max_episode_steps
        self._hold = max(1, round(options.success.hold * CONTROL_FREQUENCY))
        self._stability = options.success.grasp_stability
        weights = options.reward
        self._prize, self._bonus, self._cost = weights.success, weights.time_bonus, weights.step_cost
        self.grasped = self.met = self.solved = False
        self.potential = 0.0
        self._elapsed = self._streak = self._since = self._kept = 0

    @abstractmethod
    def measure(self) -> float:
        """The potential Phi of the current state; updates `grasped` and `met`."""

    def secure(self) -> bool:
        """Whether the object is where it must not be lost: in the gripper, or where it belongs."""
        return self.grasped

    def begin(self) -> None:
        """Starts the bookkeeping of an episode at the current state."""
        self._elapsed = self._streak = self._since = self._kept = 0
        self.potential = self.measure()
        self._count()

    def reward(self) -> float:
        """Reward of the step that led here; updates `grasped`, `met` and `solved`."""
        before = self.potential
        self.potential = self.measure()
        self._elapsed += 1
        self._count()
        prize = self._prize + self._bonus * (1 - self._elapsed / self._steps) if self.solved else 0.0
        return self.potential - before + prize - self._cost

    def _count(self) -> None:
        if self.grasped or self._since:
            self._since += 1
            self._kept += self.secure()
        self._streak = self._streak + 1 if self.met else 0
        self.solved = self._streak >= self._hold and (
            self._stability == 0 or 0 < self._stability * self._since <= self._kept
        )

    def memory(self) -> tuple[Any, ...]:
        """What `reward` remembers between steps."""
        counts = self._elapsed, self._streak, self._since, self._kept
        return self.grasped, self.met, self.solved, self.potential, *counts

    def remember(self, memory: tuple[Any, ...]) -> None:
        """Brings `memory` back."""
        self.grasped, self.met, self.solved, self.potential, *counts = memory
        self._elapsed, self._streak, self._since, self._kept = counts
