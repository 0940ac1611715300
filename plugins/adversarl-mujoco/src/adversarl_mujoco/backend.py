"""The backend ``mujoco``: options in, vector environment out."""

from __future__ import annotations

import os
from typing import ClassVar, Literal

import adversarl_mujoco.gl as _gl  # isort: skip  # before mujoco
from pydantic import Field

from adversarl.errors import PerturbationError
from adversarl.interfaces.backend import Backend, BackendOptions
from adversarl.types import Axis
from adversarl_mujoco.axes import AXES
from adversarl_mujoco.robot import load_robot
from adversarl_mujoco.scene import build_scene
from adversarl_mujoco.simulation import CONTROL_FREQUENCY
from adversarl_mujoco.world import MujocoVectorEnv

assert _gl.BACKEND


class MujocoOptions(BackendOptions):
    """Keys of ``[backend]`` with ``use = "mujoco"``."""

    task: Literal["pick"] = Field("pick", description="The task: pick lifts the cube 0.1 m.")
    robot: str = Field("panda", description="panda (embedded).")
    image_size: int = Field(84, ge=16, le=1024, description="Edge of the square picture [pixel].")
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
        """Makes the environments; see `adversarl.interfaces.Backend.make`."""
        options = self.options
        robot = load_robot(options.robot)
        count = num_envs or options.num_envs
        return MujocoVectorEnv(
            build_scene(robot, image_size=options.image_size),
            robot,
            num_envs=count,
            threads=options.threads or os.cpu_count() or 1,
            image_size=options.image_size,
            max_episode_steps=max(1, round(options.time_limit * CONTROL_FREQUENCY)),
            axes=choose_axes(options.axes),
            seed=seed,
        )


def choose_axes(names: tuple[str, ...] | None) -> tuple[Axis, ...]:
    """The axes of these names; all for None.

    Raises:
        PerturbationError: There is no such axis.
    """
    known = {axis.name: axis for axis in AXES}
    for name in names or ():
        if name not in known:
            raise PerturbationError("axis", name, known)
    return tuple(known.values()) if names is None else tuple(known[name] for name in names)
