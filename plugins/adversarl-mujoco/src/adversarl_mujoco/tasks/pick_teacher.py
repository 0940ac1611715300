"""The scripted expert of grasping and lifting: proportional control towards a funnel above the object.

It reads the privileged state of this moment alone and keeps no phase, so it can label any state that a student
gets into, including a slipped object, an object knocked aside and a gripper closed too early.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.control import MAX_STEP
from adversarl_mujoco.tasks.pick_state import STATE

GAIN = 0.8
"""Share of the remaining way asked for per step [1]."""
HOVER = 0.075
"""Height above the place to hold a low object while not yet over it [m]."""
CLEARANCE = 0.05
"""The same above the top of a high object [m]."""
FUNNEL = (0.008, 0.04)
"""Horizontal distance within which it descends fully, and from which on it hovers [m]."""
CLOSE_WITHIN = (0.010, 0.012)
"""Horizontal and vertical distance at which it closes [m]."""
OPEN_ENOUGH = 0.8
"""Opening below which it does not descend onto the object [1]."""
OVERSHOOT = 0.03
"""How far above the goal it aims, so that it arrives at speed [m]."""


def teach(state: NDArray[np.float32], lift: float, top: float = 0.0) -> NDArray[np.float32]:
    """The expert's actions.

    Args:
        state: Privileged states. Shape (n, 29), see `pick_state.STATE`.
        lift: Height above its rest that solves the task [m].
        top: Height of the object's top above where it is held [m].

    Returns:
        Shape (n, 4), in [-1, 1].
    """
    move, close, held = grasping(state, top)
    raised = 0.1 * state[:, STATE["object"][0]][:, 2]
    move[held, :2] = 0
    move[held, 2] = lift + OVERSHOOT - raised[held]
    return action(move, close)


def grasping(
    state: NDArray[np.float32], top: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """How to get hold of the object.

    Returns:
        The way to go [m], Shape (n, 3); whether to close; and whether it is held, Shape (n,).
    """
    offset = 0.1 * state[:, STATE["offset"][0]]
    opening = state[:, STATE["opening"][0]][:, 0]
    touching = (state[:, STATE["touch"][0]] > 0).all(axis=1)
    aside = np.hypot(offset[:, 0], offset[:, 1])
    around = (aside < 2.5 * CLOSE_WITHIN[0]) & (np.abs(offset[:, 2]) < 2 * CLOSE_WITHIN[1])
    held = around & touching
    ready = (aside < CLOSE_WITHIN[0]) & (np.abs(offset[:, 2]) < CLOSE_WITHIN[1])
    wide = np.clip((aside - FUNNEL[0]) / (FUNNEL[1] - FUNNEL[0]), 0, 1)
    shut = np.clip((OPEN_ENOUGH - opening) / 0.3, 0, 1) * ~ready
    move = offset.copy()
    move[:, 2] += max(HOVER, top + CLEARANCE) * np.maximum(wide, shut)
    return move, held | ready, held


def action(move: NDArray[np.float32], close: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The action that goes part of a way. Shape (n, 4).

    Args:
        move: Way of the grasp point, world frame [m]. Shape (n, 3).
        close: Whether the gripper closes. Shape (n,).
    """
    actions = np.empty((len(move), 4), np.float32)
    actions[:, :3] = np.clip(GAIN * move / MAX_STEP, -1, 1)
    actions[:, 3] = np.where(close, 1.0, -1.0)
    return actions
