"""The bare simulator loop that our speed is measured against."""

from __future__ import annotations

import time

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np

from adversarl_mujoco.control import Arm
from adversarl_mujoco.render import View
from adversarl_mujoco.robot import Robot
from adversarl_mujoco.simulation import SUBSTEPS
from adversarl_mujoco.task import START

WARM_UP = 20
"""Frames before the clock starts."""


def bare_loop(model: mujoco.MjModel, robot: Robot, size: int, seconds: float) -> float:
    """Frames per second of physics and rendering alone, in this thread.

    One frame is the control step's physics substeps, the update of the abstract scene, its rendering and the
    transfer of the pixels, with the arm at rest over the table; no action, observation, reward or reset.

    Args:
        model: The scene.
        robot: The robot in it.
        size: Edge of the picture [pixel].
        seconds: How long to measure [s].
    """
    data = mujoco.MjData(model)
    arm = Arm(model, data, robot)
    arm.find_home(START)
    arm.hold()
    view = View(model, data)
    context = gl.make_context(size, size)
    context.make_current()
    try:
        return _measure(model, data, view, size, seconds)
    finally:
        context.free()


def _measure(model: mujoco.MjModel, data: mujoco.MjData, view: View, size: int, seconds: float) -> float:
    render_context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, render_context)
    rectangle = mujoco.MjrRect(0, 0, size, size)
    pixels = np.empty((size, size, 3), np.uint8)
    option, camera, scene = view.option, view.camera, view.scene
    everything = int(mujoco.mjtCatBit.mjCAT_ALL)
    frames, begun = -WARM_UP, time.perf_counter()
    while True:
        mujoco.mj_step(model, data, SUBSTEPS)
        mujoco.mjv_updateScene(model, data, option, None, camera, everything, scene)
        mujoco.mjr_render(rectangle, scene, render_context)
        mujoco.mjr_readPixels(pixels, None, rectangle, render_context)
        frames += 1
        if frames == 0:
            begun = time.perf_counter()
        elapsed = time.perf_counter() - begun
        if frames > 0 and elapsed >= seconds:
            render_context.free()
            return frames / elapsed
