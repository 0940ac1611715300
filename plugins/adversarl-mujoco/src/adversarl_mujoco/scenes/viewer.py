"""MuJoCo's viewers on a scene: a window where there is a display, or a page that a browser opens."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import mujoco

from adversarl_mujoco.parts import Scene
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
        advice = f"Open it in a browser: adversarl scene view {source} --web 8080"
        raise SceneError(source, "", f"{problem}. {advice}")
    scene = compose(options, source=source)
    data = at_home(scene)
    try:
        import mujoco.viewer as viewer

        handle = viewer.launch_passive(scene.model, data)
    except (ImportError, RuntimeError, mujoco.FatalError) as error:
        raise SceneError(source, "", f"no window can be opened: {error}. On macOS run it with mjpython") from error
    with handle:
        _play(scene, data, handle.is_running, handle.sync)


def serve(options: SceneOptions, source: str, port: int) -> None:
    """Serves MuJoCo's web viewer until Ctrl-C.

    The page has neither password nor encryption, and whoever reaches the port sees it.

    Raises:
        SceneError: This MuJoCo has no web viewer, or the port is taken.
    """
    try:
        from mujoco.studio import launch_web, viewer_protocol
    except ImportError as error:
        raise SceneError(source, "", f"no web viewer: {error}. Run: pip install 'mujoco>=4' websockets") from error
    scene = compose(options, source=source)
    data = at_home(scene)
    config = viewer_protocol.ViewerConfig(title=source, gfx="web", http_port=port)
    try:
        with launch_web.launch(config) as handle:
            handle.set_model(scene.model, data=data)
            _play(scene, data, handle.is_running, handle.sync)
    except OSError as error:
        raise SceneError(source, "", f"port {port} cannot be used: {error}. Choose another --web PORT") from error
    except KeyboardInterrupt:
        return


def _play(scene: Scene, data: mujoco.MjData, running: Callable[[], bool], sync: Callable[[], object]) -> None:
    """Runs the physics in real time, at 60 pictures per second."""
    belts = [data.joint(name).qpos for name in scene.belts]
    steps = max(1, round(1 / 60 / scene.model.opt.timestep))
    while running():
        started = time.monotonic()
        mujoco.mj_step(scene.model, data, steps)
        for belt in belts:
            belt.fill(0.0)
        sync()
        time.sleep(max(0.0, steps * scene.model.opt.timestep - (time.monotonic() - started)))
