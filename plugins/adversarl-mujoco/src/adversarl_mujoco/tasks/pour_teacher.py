"""The scripted expert of `pour`: fetch the cup, carry it upright, turn it over with its lip above the vessel.

It reads the privileged state of this moment alone: a cup that was lost is fetched again if it stands, a cup that got
away from the vessel while it is tilted is turned upright first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.control import MAX_TURN
from adversarl_mujoco.tasks.pick_teacher import CLOSE_WITHIN, OPEN_ENOUGH, action
from adversarl_mujoco.tasks.pour_state import STATE

Array = NDArray[np.float32]
FUNNEL = (0.004, 0.025)
"""Horizontal distance within which it descends fully, and from which on it hovers [m]; a cup nearly fills the hand."""
CLEARANCE = 0.05
"""Height of the grasp point above the cup while not yet over it [m]."""
ABOVE = (0.095, 0.055)
"""Height of the lip above the vessel's rim [m]: upright, so that the cup's foot clears it, and lying, so that the hand
does."""
OVER = 0.03
"""Horizontal distance of lip and vessel's middle within which it pours [m]."""
TILT = 2.0
"""Tilt of the cup at which it runs empty [rad]; what holds it tilts a little farther, since it slips."""
LOST = 0.034
"""Distance between grasp point and cup from which on the cup is fetched anew [m]."""
PACE = 0.8
"""Largest tilt per step, of what an action can ask for [1]."""


def teach(state: Array, top: float) -> Array:
    """The expert's actions.

    Args:
        state: Privileged states. Shape (n, 36), see `pour_state.STATE`.
        top: Height of the cup's rim above where it is held [m].

    Returns:
        Shape (n, 5), in [-1, 1].
    """
    move, close, held = _fetch(state, top)
    lip = 0.1 * state[held, STATE["lip"][0]]
    tilt = state[:, STATE["tilt"][0]][:, 0]
    lip[:, 2] += ABOVE[1] + (ABOVE[0] - ABOVE[1]) * np.maximum(np.cos(tilt[held]), 0)
    move[held] = _carry(lip)
    turn = -tilt
    over = (np.hypot(lip[:, 0], lip[:, 1]) < OVER) & (np.abs(lip[:, 2]) < OVER)
    turn[held] = np.where(over, TILT - _lean(state[held]), turn[held])
    turn = np.clip(turn / MAX_TURN, -PACE, PACE)
    return np.hstack([action(move, close), turn[:, None].astype(np.float32)])


def _lean(state: Array) -> Array:
    """Angle of the cup's axis from the vertical [rad]. Shape (n,)."""
    x, y = np.split(state[:, STATE["object_axes"][0]], 2, axis=1)
    upright = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
    lean: Array = np.arccos(np.clip(upright, -1, 1))
    return lean


def _fetch(state: Array, top: float) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """The way to the cup [m], Shape (n, 3); whether to close; and whether it is held, Shape (n,)."""
    move = 0.1 * state[:, STATE["offset"][0]]
    opening = state[:, STATE["opening"][0]][:, 0]
    touching = (state[:, STATE["touch"][0]] > 0).all(axis=1)
    held = touching & (np.linalg.norm(move, axis=1) < LOST)
    aside, above = np.hypot(move[:, 0], move[:, 1]), np.abs(move[:, 2])
    ready = (aside < CLOSE_WITHIN[0]) & (above < CLOSE_WITHIN[1])
    wide = np.clip((aside - FUNNEL[0]) / (FUNNEL[1] - FUNNEL[0]), 0, 1)
    shut = np.clip((OPEN_ENOUGH - opening) / 0.3, 0, 1) * ~ready
    move[:, 2] += (top + CLEARANCE) * np.maximum(wide, shut)
    return move, held | ready, held


def _carry(lip: Array) -> Array:
    """Displacement of a held cup [m], given the way of its lip to where it pours: first up, then across."""
    low = np.clip((lip[:, 2] - 0.01) / 0.02, 0, 1)
    move = lip.copy()
    move[:, :2] *= (1 - low)[:, None]
    return move
