"""What all tasks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.tasks.options import TaskOptions


class Task(ABC):
    """One simulation's task.

    A simulation drives it so::

        task.place(rng, layout)                # first state of an episode
        task.prepare()                         # physics that it needs before the policy may act
        task.begin()                           # after physics has computed what follows from it
        while not task.solved:
            task.act(action)                   # sets actuators' targets
            ...                                # physics
            reward = task.reward()

    Attributes:
        Options: What its table in a recipe may say.
        action_size: Numbers of an action: by default displacement along x, y, z and the gripper.
        state_size: Columns of the privileged state.
        start: Grasp points of the arms at home, world frame [m]; one for each arm that the task needs.
        failure_kinds: Names that `failure_kind` can give; empty where the task cannot say.
        layout: How the running episode's things differ from nominal.
        solved: Whether the last `reward` found the task solved.
        potential: How near it is to that, in units of the task's own.
    """

    Options: ClassVar[type[TaskOptions]] = TaskOptions
    action_size: ClassVar[int] = 4
    state_size: ClassVar[int]
    failure_kinds: ClassVar[tuple[str, ...]] = ()
    start: ClassVar[tuple[tuple[float, float, float], ...]]
    solved: bool
    potential: float

    def __init__(
        self, options: TaskOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        self.options, self.scene, self.arms = options, scene, arms
        self.layout = Layout()

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """The scene that the task has unless the recipe gives another."""
        del options
        return SceneOptions()

    @classmethod
    def furnish(cls, options: TaskOptions, spec: mujoco.MjSpec) -> tuple[SceneObject, ...]:
        """Adds to a scene what the task marks in it, such as a goal, before it is compiled; returns what it added."""
        del options, spec
        return ()

    @property
    @abstractmethod
    def text(self) -> str:
        """The task in English, such as ``pick up the cube``."""

    @property
    @abstractmethod
    def target(self) -> str:
        """Name of the object that axes mean when a prompt names none."""

    @property
    @abstractmethod
    def proprio_size(self) -> int:
        """Numbers that `proprio` writes."""

    def arrange(self, layout: Layout) -> None:
        """Learns how the episode's things differ from nominal; called before `place` and `remember`."""
        self.layout = layout

    @abstractmethod
    def place(self, rng: np.random.Generator, layout: Layout) -> None:
        """Draws the first state of an episode, wider or shifted as a layout asks."""

    @abstractmethod
    def begin(self) -> None:
        """Starts the bookkeeping of an episode at the current state."""

    def prepare(self) -> bool:
        """Runs physics before the first step, such as closing the gripper around an object; whether it did."""
        return False

    def act(self, action: Sequence[float]) -> None:
        """Sets the actuators' targets. Shape (action_size,), in [-1, 1]."""
        self.arms[0].act(*action)

    @abstractmethod
    def reward(self) -> float:
        """Reward of the step that led here; updates `solved`."""

    @abstractmethod
    def proprio(self, out: NDArray[np.float32]) -> None:
        """Writes what the robot feels. Shape (proprio_size,); scaled to about [-1, 1]."""

    @abstractmethod
    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (state_size,)."""

    @abstractmethod
    def memory(self) -> tuple[Any, ...]:
        """What `reward` remembers between steps; immutable."""

    @abstractmethod
    def remember(self, memory: tuple[Any, ...]) -> None:
        """Brings `memory` back."""

    @abstractmethod
    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scripted expert, a function of the state alone.

        Args:
            states: Privileged states. Shape (n, state_size).

        Returns:
            Actions in [-1, 1]. Shape (n, action_size).
        """

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """How a failed episode went wrong: one of `failure_kinds`; see `adversarl_mujoco.tasks.failures`.

        Args:
            states: Privileged states after each step, perhaps of another simulation. Shape (T, state_size).
        """
        raise NotImplementedError
