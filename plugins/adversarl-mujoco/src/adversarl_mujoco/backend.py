"""The backend ``mujoco``: options in, vector environment out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar, Literal

import adversarl_mujoco.gl  # noqa: F401  # isort: skip
from pydantic import Field

from adversarl.interfaces.backend import Backend, BackendOptions
from adversarl.types import Perturbation
from adversarl_mujoco.imported import ArmOptions, load_robot
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.reference import bare_loop
from adversarl_mujoco.renderers import Kind
from adversarl_mujoco.scene import build_scene
from adversarl_mujoco.simulation import CONTROL_FREQUENCY
from adversarl_mujoco.tasks.catalog import TASKS
from adversarl_mujoco.world import MujocoVectorEnv


class MujocoOptions(BackendOptions):
    """Keys of ``[backend]`` with ``use = "mujoco"``."""

    task: Literal["pick"] = Field("pick", description="The task: pick lifts the cube 0.1 m.")
    robot: str = Field(
        "panda",
        description="panda (embedded), menagerie:NAME (downloaded on first use) or file:PATH (any MJCF arm).",
    )
    arm: ArmOptions | None = Field(None, description="What the names in a foreign robot's file mean.")
    image_size: int = Field(84, ge=16, le=1024, description="Edge of the square picture [pixel].")
    renderer: Kind = Field(
        "classic", description="classic (OpenGL, fast) or pbr (Filament on Vulkan, physically based, 20 times slower)."
    )
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads for physics and pictures; default: the processor's cores."
    )
    time_limit: float = Field(5.0, gt=0, le=600, description="Time limit of an episode [s].")
    axes: tuple[str, ...] | None = Field(
        None, description="Names of the axes offered to curricula and to the evaluation; default: all."
    )


class Mujoco(Backend):
    """Tabletop manipulation in MuJoCo."""

    Options: ClassVar[type[BackendOptions]] = MujocoOptions
    options: MujocoOptions

    def make(self, *, seed: int, num_envs: int | None = None) -> MujocoVectorEnv:
        """Makes the environments; see `adversarl.interfaces.Backend.make`.

        Raises:
            NoGL: No OpenGL context can be made.
            NoVulkan: The renderer is ``pbr`` and Vulkan does not work.
            RobotError: The robot cannot be loaded.
            PerturbationError: `axes` names one that does not exist.
        """
        options = self.options
        return MujocoVectorEnv(
            self.scene(),
            TASKS[options.task],
            num_envs=num_envs or options.num_envs,
            threads=options.threads or usable_cores(),
            image_size=options.image_size,
            renderer=options.renderer,
            max_episode_steps=max(1, round(options.time_limit * CONTROL_FREQUENCY)),
            axes=options.axes,
            seed=seed,
        )

    def reference_loop(self, seconds: float, changes: Sequence[Sequence[Perturbation]] = ()) -> float | None:
        """Frames per second of physics and pictures of the same scene without anything of ours around them."""
        if self.options.renderer != "classic":
            return None
        return bare_loop(self.scene(), TASKS[self.options.task], self.options.image_size, seconds, changes)

    def scene(self) -> Scene:
        """The compiled scene."""
        robot = load_robot(self.options.robot, self.options.arm)
        return build_scene(robot, image_size=self.options.image_size)


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
