"""The backend ``mujoco``: options in, vector environment out."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import adversarl_mujoco.gl  # noqa: F401  # isort: skip
from pydantic import BeforeValidator, Field

from adversarl.interfaces.backend import Backend, BackendOptions
from adversarl.types import Perturbation
from adversarl_mujoco.axes.splits import Split
from adversarl_mujoco.backgrounds import load_backgrounds
from adversarl_mujoco.imported import ArmOptions
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.reference import bare_loop
from adversarl_mujoco.renderers import Kind
from adversarl_mujoco.scenes.check import check
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.load import load_scene
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.tasks.catalog import TASKS, TaskTable, make_task
from adversarl_mujoco.tasks.errors import TaskError
from adversarl_mujoco.tasks.pick import PickOptions
from adversarl_mujoco.world import MujocoVectorEnv

_log = logging.getLogger(__name__)


def _scene(value: Any) -> Any:
    return value if value is None else load_scene(value)


class MujocoOptions(BackendOptions):
    """Keys of ``[backend]`` with ``use = "mujoco"``."""

    task: TaskTable = Field(
        PickOptions(), description="Name of the task, or a table with type, target, success and reward."
    )
    scene: Annotated[SceneOptions | None, BeforeValidator(_scene)] = Field(
        None, description="TOML file of a scene, or its table; default: the task's own."
    )
    robot: str | None = Field(
        None,
        description="panda (embedded), menagerie:NAME (downloaded on first use) or file:PATH (any MJCF arm); "
        "default: the scene's.",
    )
    arm: ArmOptions | None = Field(None, description="What the names in a foreign robot's file mean.")
    gripper: str | None = Field(
        None,
        description="hand or robotiq (embedded), or file:PATH, whose names arm then means; default: the scene's.",
    )
    image_size: int = Field(84, ge=16, le=1024, description="Edge of the square picture [pixel].")
    renderer: Kind = Field(
        "classic", description="classic (OpenGL, fast) or pbr (Filament on Vulkan, physically based, 20 times slower)."
    )
    threads: int | None = Field(
        None, ge=1, le=256, description="Threads for physics and pictures; default: the processor's cores."
    )
    pool: int = Field(
        0, ge=0, description="Seed of textures and generated backgrounds; another seed has none of this one's."
    )
    split: Split = Field(
        "all",
        description="Which colours, directions and places perturbations draw: all, or train or test, which have "
        "none in common. What only has two ends, such as brighter and darker, is not split.",
    )
    backgrounds: str | None = Field(
        None, description="Folder of images and videos to put behind the scene; default: a generated bank."
    )
    axes: tuple[str, ...] | None = Field(
        None, description="Names of the axes offered to curricula and to the evaluation; default: all."
    )
    embeddings: bool = Field(
        False,
        description="Whether prompts that the grammar does not understand are taken for what they come nearest to in "
        "meaning (needs the extra `embeddings`).",
    )


class Mujoco(Backend):
    """Tabletop manipulation in MuJoCo."""

    Options: ClassVar[type[BackendOptions]] = MujocoOptions
    tasks: ClassVar[tuple[str, ...]] = tuple(TASKS)
    options: MujocoOptions

    def make(self, *, seed: int, num_envs: int | None = None) -> MujocoVectorEnv:
        """Makes the environments; see `adversarl.interfaces.Backend.make`.

        Raises:
            NoGL: No OpenGL context can be made.
            NoVulkan: The renderer is ``pbr`` and Vulkan does not work.
            RobotError: The robot cannot be loaded.
            SceneError: Objects overlap, fall or cannot be reached, or one's file is bad.
            TaskError: The task names an object that the scene does not have, or needs another number of robots.
            PerturbationError: `axes` names one that does not exist.
            BackgroundError: The folder of backgrounds cannot be used.
            FilmError: A video in it cannot be decoded.
        """
        options = self.options
        return MujocoVectorEnv(
            self.scene(),
            make_task(options.task),
            num_envs=num_envs or options.num_envs,
            threads=options.threads or usable_cores(),
            image_size=options.image_size,
            renderer=options.renderer,
            max_episode_steps=options.task.max_episode_steps,
            axes=options.axes,
            embeddings=options.embeddings,
            split=options.split,
            seed=seed,
        )

    def reference_loop(self, seconds: float, changes: Sequence[Sequence[Perturbation]] = ()) -> float | None:
        """Frames per second of physics and pictures of the same scene without anything of ours around them."""
        if self.options.renderer != "classic":
            return None
        return bare_loop(self.scene(), make_task(self.options.task), self.options.image_size, seconds, changes)

    def scene_options(self) -> SceneOptions:
        """What stands where: the recipe's scene or else the task's, with the robots that the recipe names."""
        task = self.options.task
        return self._with_robots(self.options.scene or TASKS[task.type].scene_options(task))

    def scene(self) -> Scene:
        """The compiled scene: the recipe's or else the task's, with what the task marks in it."""
        task, options = self.options.task, self.scene_options()
        cls = TASKS[task.type]
        _check_arms(task.type, len(cls.start), len(options.robots))
        if self.options.scene is not None:
            for problem in check(options, "[backend.scene]"):
                _log.warning("%s", problem)
        pool, folder = self.options.pool, self.options.backgrounds
        scene = compose(options, image_size=self.options.image_size, pool=pool, furnish=partial(cls.furnish, task))
        return scene if folder is None else replace(scene, backgrounds=load_backgrounds(Path(folder), pool))

    def _with_robots(self, scene: SceneOptions) -> SceneOptions:
        """The scene with as many robots as it has of the kind that the recipe names."""
        chosen = self.options
        kind = {"name": chosen.robot, "arm": chosen.arm, "gripper": chosen.gripper}
        given = {key: value for key, value in kind.items() if value is not None}
        return scene.model_copy(update={"robots": tuple(robot.model_copy(update=given) for robot in scene.robots)})


def _check_arms(task: str, needed: int, there: int) -> None:
    if needed != there:
        raise TaskError("type", f"'{task}' needs {needed} robot{'s'[: needed > 1]}, the scene has {there}")


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
