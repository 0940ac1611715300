"""The scripted expert of `insert`: fetch the peg as `pick` does, carry it over the hole, lower it.

It reads the privileged state of this moment alone, so it grasps again what slipped out of the gripper; a peg that has
fallen over stays lost to a gripper that points down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.tasks.insert_state import STATE
from adversarl_mujoco.tasks.pick_teacher import action, grasping

CLEARANCE = 0.015
"""Height of the tip above the hole's mouth on the way there [m]."""
CENTRED = (0.002, 0.006)
"""Horizontal distance of tip and hole within which it lowers fully, and from which on it hovers [m]."""
PRESS = 0.03
"""How far below the depth that is asked for it aims, so that it arrives at speed [m]."""
STRIDE = 0.02
"""Longest way sideways asked for at once [m]; at full speed the peg creeps along the fingers."""
RETREAT = 0.02
"""Way upwards asked for after letting go [m]."""


def teach(state: NDArray[np.float32], depth: float, top: float) -> NDArray[np.float32]:
    """The expert's actions.

    Args:
        state: Privileged states. Shape (n, 34), see `insert_state.STATE`.
        depth: Depth that solves the task [m].
        top: Height of the peg's top above where it is held [m].

    Returns:
        Shape (n, 4), in [-1, 1].
    """
    move, close, _ = grasping(state, top)
    held = state[:, STATE["flags"][0]][:, 0] > 0
    close |= held
    move[held] = _carry(0.1 * state[held, STATE["hole"][0]], depth)
    # A peg that is deep enough and does not count stands askew; let go, it falls into line.
    inside = 0.1 * state[:, STATE["depth"][0]][:, 0] >= depth
    move[inside], close[inside] = (0, 0, RETREAT), False
    return action(move, close)


def _carry(hole: NDArray[np.float32], depth: float) -> NDArray[np.float32]:
    """Displacement of a held peg [m], given the way from its tip to the hole's mouth. Shapes (n, 3)."""
    aside, height = np.hypot(hole[:, 0], hole[:, 1]), -hole[:, 2]
    astray = np.clip((aside - CENTRED[0]) / (CENTRED[1] - CENTRED[0]), 0, 1)
    # On its way it first rises, then crosses; over the hole, or in it, it goes sideways at any height.
    raised = np.clip((height - 0.3 * CLEARANCE) / (0.5 * CLEARANCE), 0, 1)
    move = hole.copy()
    move[:, :2] *= (np.maximum(raised, 1 - astray) * np.minimum(1, STRIDE / np.maximum(aside, 1e-6)))[:, None]
    move[:, 2] += astray * CLEARANCE - (1 - astray) * (depth + PRESS)
    return move
