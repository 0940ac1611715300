"""The bare simulator loop that our speed is measured against."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.seeding import generator
from adversarl.types import Perturbation
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.simulation import SUBSTEPS, MakeTask, Simulation

EPISODES, STEPS, ACTIONS, WARM_UP = 16, 100, 64, 20
_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)


@dataclass(frozen=True, slots=True)
class Recording:
    """One episode: its simulation, its first state and the actuators' targets of its steps."""

    simulation: Simulation
    start: NDArray[np.float64]
    controls: list[NDArray[np.float64]]


def bare_loop(
    scene: Scene, make_task: MakeTask, size: int, seconds: float, changes: Sequence[Sequence[Perturbation]] = ()
) -> float:
    """Frames per second of physics and rendering alone, in this thread.

    One frame is the control step's physics substeps, the update of the abstract scene, its rendering and the transfer
    of the pixels; there is no inverse kinematics, observation, reward or reset. A picture's cost depends on where the
    arm is, so the arm repeats recorded episodes with the random actions that ``adversarl bench`` steps worlds with.

    Args:
        scene: The scene.
        make_task: Its task.
        size: Edge of the picture [pixel].
        seconds: How long to measure [s].
        changes: What is in force in the recorded episodes, which take turns; it is put in force before the clock runs.
            What is done to finished pictures is left out, because a simulator does no such thing, and textures are
            sampled as MuJoCo does by itself.
    """
    recordings = [_record(scene, make_task, seed, changes) for seed in range(EPISODES)]
    context = gl.make_context(size, size)
    context.make_current()
    try:
        return _measure(scene.model, recordings, size, seconds)
    finally:
        context.free()


def _record(scene: Scene, make_task: MakeTask, seed: int, changes: Sequence[Sequence[Perturbation]]) -> Recording:
    """An episode with random actions, a few actions repeated over and over as ``adversarl bench`` does."""
    simulation = Simulation(scene, make_task, generator(0, "bare loop"))
    simulation.active = tuple(changes[seed % len(changes)]) if changes else ()
    actions = generator(0, "bench").uniform(-1, 1, (ACTIONS, simulation.task.action_size)).tolist()
    simulation.reset(seed)
    recording = Recording(simulation, simulation.snapshot().physics, [])
    for step in range(seed * STEPS, (seed + 1) * STEPS):
        simulation.act(actions[step % ACTIONS])
        recording.controls.append(simulation.data.ctrl.copy())
        simulation.advance()
        simulation.conclude()
    return recording


def _measure(shared: mujoco.MjModel, recordings: list[Recording], size: int, seconds: float) -> float:
    render_context = mujoco.MjrContext(shared, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, render_context)
    rectangle = mujoco.MjrRect(0, 0, size, size)
    pixels = np.empty((size, size, 3), np.uint8)
    everything = int(mujoco.mjtCatBit.mjCAT_ALL)
    frames, begun = -WARM_UP, time.perf_counter()
    for recording in cycle(recordings):
        model, data, view = recording.simulation.model, recording.simulation.data, recording.simulation.view
        option, camera, scene, controls = view.option, view.camera, view.scene, data.ctrl
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
