"""MuJoCo's viewer on a scene."""

from __future__ import annotations

import os
import sys
import time

import mujoco

from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.scenes.picture import at_home


def has_display() -> bool:
    """Whether a window can be opened."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(options: SceneOptions, source: str) -> None:
    """Opens MuJoCo's passive viewer and runs the physics in real time until it is closed.

    Raises:
        SceneError: There is no display, or no window can be opened.
    """
    if not has_display():
        problem = "there is no display (DISPLAY and WAYLAND_DISPLAY are empty)"
        advice = f"Draw a picture instead: adversarl scene render {source} --output scene.png"
        raise SceneError(source, "", f"{problem}. {advice}")
    scene = compose(options, source=source)
    data = at_home(scene)
    belts = [data.joint(name).qpos for name in scene.belts]
    try:
        import mujoco.viewer as viewer

        handle = viewer.launch_passive(scene.model, data)
    except (ImportError, RuntimeError, mujoco.FatalError) as error:
        raise SceneError(source, "", f"no window can be opened: {error}. On macOS run it with mjpython") from error
    with handle:
        while handle.is_running():
            started = time.monotonic()
            mujoco.mj_step(scene.model, data)
            for belt in belts:
                belt.fill(0.0)
            handle.sync()
            time.sleep(max(0.0, scene.model.opt.timestep - (time.monotonic() - started)))
