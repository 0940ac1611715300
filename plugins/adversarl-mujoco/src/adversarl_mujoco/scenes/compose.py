"""From options to a compiled scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import mujoco

from adversarl_mujoco.backgrounds import generated
from adversarl_mujoco.imported import load_robot
from adversarl_mujoco.parts import Mount, Scene, SceneObject
from adversarl_mujoco.robot import PREFIX, Robot
from adversarl_mujoco.scene import (
    LAMPS,
    add_hidden,
    add_light,
    add_materials,
    add_surroundings,
    look_at,
    set_options,
)
from adversarl_mujoco.scenes.bodies import about_z
from adversarl_mujoco.scenes.objects import add_object, place
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.scenes.skins import skin_robot
from adversarl_mujoco.textures import POOL

PREFIXES = (PREFIX, "robot2_")
"""What stands before the names of the first and of the second robot."""


def compose(
    options: SceneOptions,
    *,
    image_size: int = 84,
    shadow_size: int = 512,
    textures: int = POOL,
    pool: int = 0,
    robots: Sequence[Robot] | None = None,
    furnish: Callable[[mujoco.MjSpec], Sequence[SceneObject]] | None = None,
    source: str = "scene",
) -> Scene:
    """Compiles a scene.

    Args:
        options: What stands where.
        image_size: Edge of the offscreen picture [pixel].
        shadow_size: Edge of the shadow map [pixel], used only where a shadow is asked for.
        textures: Number of preloaded texture materials ``tex_000``, ``tex_001``, ...
        pool: Seed of textures and generated backgrounds; pools of different seeds share none.
        robots: The robots, if they are already loaded; their specs are used up.
        furnish: Adds what a task marks, such as its goal, and says what it added.
        source: What errors call the scene, such as its file.

    Raises:
        SceneError: An object's file is bad.
        RobotError: A robot cannot be loaded.
    """
    if robots is None:
        robots = [load_robot(robot.name, robot.arm, robot.gripper) for robot in options.robots]
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    set_options(spec, image_size, shadow_size)
    placed = [place(thing, source) for thing in options.objects]
    add_materials(spec, {thing.name: thing.color or thing.kind.color for thing in options.objects}, textures, pool)
    spec.material("mat_table").rgba = [*options.table.color, 1]
    add_surroundings(spec, options.bases, options.table.size, options.table.friction)
    _add_lights(spec, options)
    _add_cameras(spec, options)
    for thing in placed:
        add_object(spec, thing)
    marks = furnish(spec) if furnish is not None else ()
    add_hidden(spec)
    mounts = tuple(_mount(spec, robot, index, options) for index, robot in enumerate(robots))
    belts = tuple(belt for thing in placed for belt in thing.belts)
    objects = {about.name: about for about in (*(thing.about for thing in placed), *marks)}
    return Scene(spec.compile(), mounts, objects, options.cameras[0].name, belts, generated(pool))


def _add_lights(spec: mujoco.MjSpec, options: SceneOptions) -> None:
    for light in options.lights:
        add_light(spec.worldbody, light.name, light.position, light.diffuse, light.specular)
    # The key light's twin that casts its shadow, off until a shadow is asked for.
    key = next(light for light in options.lights if light.name == "key")
    add_light(spec.worldbody, "sun", key.position, key.diffuse, key.specular, active=False)
    for index in range(LAMPS):
        add_light(spec.worldbody, f"lamp_{index}", key.position, key.diffuse, key.specular, active=False)


def _add_cameras(spec: mujoco.MjSpec, options: SceneOptions) -> None:
    for camera in options.cameras:
        spec.worldbody.add_camera(
            name=camera.name,
            pos=list(camera.position),
            quat=look_at(camera.position, camera.target),
            fovy=camera.fovy,
        )


def _mount(spec: mujoco.MjSpec, robot: Robot, index: int, options: SceneOptions) -> Mount:
    """Puts a robot onto its base."""
    prefix, base, yaw = PREFIXES[index], options.bases[index], math.radians(options.robots[index].yaw)
    frame = spec.worldbody.add_frame(name=f"{prefix}frame", pos=list(base), quat=list(about_z(yaw)))
    for number, geom in enumerate(robot.spec.geoms):
        geom.name = geom.name or f"geom{number}"
    spec.attach(robot.spec, prefix=prefix, frame=frame)
    for geom in spec.geoms:
        if geom.name.startswith(prefix) and not geom.material:
            geom.material = "mat_robot"
    skin_robot(spec, prefix)
    return Mount(robot, prefix, base, yaw)
