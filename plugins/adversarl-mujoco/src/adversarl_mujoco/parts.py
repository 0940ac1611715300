"""What a compiled scene is made of, beside its model: robots, objects, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco

from adversarl_mujoco.backgrounds import Backgrounds, generated
from adversarl_mujoco.robot import Robot


@dataclass(frozen=True, slots=True)
class Mount:
    """A robot in a scene.

    Attributes:
        robot: The robot; its spec was used up.
        prefix: What stands before every name of the robot in the model, such as ``robot_``.
        base: Its base, world frame [m].
        yaw: Rotation of the base about the vertical [rad]; at 0 it looks along +x.
    """

    robot: Robot
    prefix: str
    base: tuple[float, float, float]
    yaw: float = 0.0


@dataclass(frozen=True, slots=True)
class Variation:
    """What every episode draws anew of an object, beside its pose.

    Attributes:
        size: Factors of its size, from and to [1]; None keeps it.
        mass: Factors of its mass, from and to [1]; None keeps it.
        color: Whether its colour is drawn.
    """

    size: tuple[float, float] | None = None
    mass: tuple[float, float] | None = None
    color: bool = False


@dataclass(frozen=True, slots=True)
class SceneObject:
    """A thing on the table that tasks and perturbations can name.

    Its body is called as it is; its joint, if it can move, ``NAME_free``; its material ``mat_NAME``; its geoms ``NAME``
    or ``NAME_0``, ``NAME_1``, ...; and the transparent skin that can show a texture ``NAME_skin``.

    Attributes:
        name: Its name, also the target of object axes.
        kind: What it is, such as ``box`` or ``cup``.
        half: Half extents of its bounding box about its origin, own frame [m].
        position: Where it starts nominally, world frame [m].
        free: Whether it can move.
        yaw: Its rotation about z at the start [rad].
        area: Half ranges of its first position along x and y [m]; None leaves them to the task.
        turn: Half range of its first yaw [rad]; None leaves it to the task.
        grasp: Where a gripper that points down and closes along y takes it, own frame [m].
        width: What that gripper closes around [m].
        hollow: Radius and depth below its top of what it can hold [m]; None holds nothing.
        variation: What every episode draws anew beside its pose; None draws nothing.
    """

    name: str
    kind: str
    half: tuple[float, float, float]
    position: tuple[float, float, float]
    free: bool = True
    yaw: float = 0.0
    area: tuple[float, float] | None = None
    turn: float | None = None
    grasp: tuple[float, float, float] = (0.0, 0.0, 0.0)
    width: float = 0.0
    hollow: tuple[float, float] | None = None
    variation: Variation | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """A compiled scene.

    Attributes:
        model: The compiled model; environments copy it.
        mounts: Its robots; the first is the one that tasks with one arm use.
        objects: Its objects by name; the first is the default target.
        camera: Name of the camera that takes the observation's picture.
        belts: Joints of moving belts, which a simulation puts back to 0 after every control step.
        backgrounds: Images and videos that can stand behind it.
    """

    model: mujoco.MjModel
    mounts: tuple[Mount, ...]
    objects: Mapping[str, SceneObject]
    camera: str = "front"
    belts: tuple[str, ...] = ()
    backgrounds: Backgrounds = field(default_factory=generated)
