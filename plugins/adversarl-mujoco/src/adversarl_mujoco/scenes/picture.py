"""Pictures of scenes for people."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import did_you_mean
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.render import View, large
from adversarl_mujoco.renderers import Kind, make_renderer
from adversarl_mujoco.robot import RobotError
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.draw import draw
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.kinds import KINDS
from adversarl_mujoco.scenes.options import CameraOptions, ObjectOptions, SceneOptions

ABOVE = 0.30
"""Height above the table at which robots wait [m]."""


def picture(
    options: SceneOptions,
    source: str = "scene",
    *,
    size: int,
    camera: str | None = None,
    seed: int | None = None,
    renderer: Kind = "classic",
) -> NDArray[np.uint8]:
    """Draws a scene with its robots at home.

    Args:
        options: The scene.
        source: What errors call it.
        size: Edge of the picture [pixel].
        camera: Name of a camera; None is the first.
        seed: Draws from the randomization; None leaves everything as it is written.
        renderer: Which one draws.

    Returns:
        RGB picture. Shape (size, size, 3).

    Raises:
        SceneError: There is no such camera, or an object's file is bad.
        NoGL: No OpenGL context can be made.
        NoVulkan: The renderer is ``pbr`` and Vulkan does not work.
    """
    names = [one.name for one in options.cameras]
    if camera is not None and camera not in names:
        raise SceneError(source, "[cameras]", f"no camera named '{camera}'. {did_you_mean(camera, names)}")
    if seed is not None:
        options = draw(options, np.random.default_rng(seed))
    scene = compose(options, source=source, textures=1)
    data = at_home(scene)
    model = large(scene.model, size, size, smooth=True)
    out = np.empty((size, size, 3), np.uint8)
    drawing = make_renderer(renderer, model, size)
    try:
        drawing.draw(View(model, data, camera or scene.camera), out)
    finally:
        drawing.close()
    return out


def at_home(scene: Scene) -> mujoco.MjData:
    """The scene's first state, its robots above the table."""
    data = mujoco.MjData(scene.model)
    for mount in scene.mounts:
        arm = Arm(scene.model, data, mount)
        y = float(np.clip(mount.base[1], arm.low[1], arm.high[1]))
        try:
            arm.find_home((-0.05, y, TABLE_HEIGHT + ABOVE))
        except RobotError:
            arm.set_joints(np.array(mount.robot.home))  # a picture is wanted of robots that stand elsewhere, too
        arm.hold()
    mujoco.mj_forward(scene.model, data)
    return data


def write(image: NDArray[np.uint8], path: Path) -> None:
    """Writes a picture as PNG."""
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path.with_suffix(".png")), image[..., ::-1]):
        raise SceneError(str(path), "", "cannot be written. Choose another --output")


def show_case(size: int) -> NDArray[np.uint8]:
    """Every type of objects that needs no file, in rows. Shape (size, size, 3)."""
    places = {
        "box": (0.26, -0.36),
        "sphere": (0.26, -0.25),
        "cylinder": (0.26, -0.14),
        "capsule": (0.26, -0.03),
        "ellipsoid": (0.26, 0.08),
        "cup": (0.26, 0.19),
        "bottle": (0.26, 0.31),
        "peg": (0.13, -0.36),
        "socket": (0.13, 0.01),
        "bar": (0.10, -0.2),
        "bowl": (0.08, 0.16),
        "plate": (0.08, 0.36),
        "bin": (-0.17, -0.3),
        "conveyor": (-0.13, -0.07),
        "shelf": (-0.2, 0.28),
    }
    things = tuple(ObjectOptions(name=name, type=name, position=places[name]) for name in KINDS if name in places)
    camera = CameraOptions(position=(0.95, 0.0, 1.2), target=(0.04, 0.0, 0.42))
    return picture(SceneOptions(objects=things, cameras=(camera,)), size=size)
