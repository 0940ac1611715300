"""The bare simulator loop that our speed is measured against."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain, cycle

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.seeding import generator
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.render import View
from adversarl_mujoco.simulation import SUBSTEPS, MakeTask, Simulation

EPISODES, STEPS, ACTIONS, WARM_UP = 4, 100, 64, 20
_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)


@dataclass(frozen=True, slots=True)
class Recording:
    """One episode's first state and the actuators' targets of its steps."""

    start: NDArray[np.float64]
    controls: list[NDArray[np.float64]]


def bare_loop(scene: Scene, make_task: MakeTask, size: int, seconds: float) -> float:
    """Frames per second of physics and rendering alone, in this thread.

    One frame is the control step's physics substeps, the update of the abstract scene, its rendering and the transfer
    of the pixels; there is no inverse kinematics, observation, reward or reset. A picture's cost depends on where the
    arm is, so the arm repeats recorded episodes with the random actions that ``adversarl bench`` steps worlds with.

    Args:
        scene: The scene.
        make_task: Its task.
        size: Edge of the picture [pixel].
        seconds: How long to measure [s].
    """
    recordings = record(Simulation(scene, make_task, generator(0, "bare loop")))
    model, data = scene.model, mujoco.MjData(scene.model)
    context = gl.make_context(size, size)
    context.make_current()
    try:
        return _measure(model, data, recordings, size, seconds)
    finally:
        context.free()


def record(simulation: Simulation) -> list[Recording]:
    """Episodes with random actions, a few actions repeated over and over as ``adversarl bench`` does."""
    rng = generator(0, "bench")
    actions = chain.from_iterable(cycle([rng.uniform(-1, 1, (ACTIONS, simulation.task.action_size)).tolist()]))
    recordings = []
    for seed in range(EPISODES):
        simulation.reset(seed)
        recordings.append(Recording(simulation.snapshot().physics, []))
        for _ in range(STEPS):
            simulation.act(next(actions))
            recordings[-1].controls.append(simulation.data.ctrl.copy())
            simulation.advance()
            simulation.conclude()
    return recordings


def _measure(
    model: mujoco.MjModel, data: mujoco.MjData, recordings: list[Recording], size: int, seconds: float
) -> float:
    render_context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, render_context)
    rectangle = mujoco.MjrRect(0, 0, size, size)
    pixels = np.empty((size, size, 3), np.uint8)
    view = View(model, data)
    option, camera, scene = view.option, view.camera, view.scene
    everything, controls = int(mujoco.mjtCatBit.mjCAT_ALL), data.ctrl
    frames, begun = -WARM_UP, time.perf_counter()
    for recording in cycle(recordings):
        mujoco.mj_setState(model, data, recording.start, _STATE)
        for control in recording.controls:
            controls[:] = control
            mujoco.mj_step(model, data, SUBSTEPS)
            mujoco.mjv_updateScene(model, data, option, None, camera, everything, scene)
            mujoco.mjr_render(rectangle, scene, render_context)
            mujoco.mjr_readPixels(pixels, None, rectangle, render_context)
            frames += 1
            if frames == 0:
                begun = time.perf_counter()
        if frames > 0 and time.perf_counter() - begun >= seconds:
            break
    elapsed = time.perf_counter() - begun
    render_context.free()
    return frames / elapsed
