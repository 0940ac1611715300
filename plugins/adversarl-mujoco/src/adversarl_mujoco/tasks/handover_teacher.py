"""The scripted expert of `handover`: the giver fetches the bar and holds it up, the taker takes it, the giver lets go.

It reads the privileged state of this moment alone: what slipped out of both grippers is fetched again, as long as it
lies where the giver reaches its end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.tasks.handover_state import STATE
from adversarl_mujoco.tasks.pick_teacher import CLOSE_WITHIN, FUNNEL, HOVER, OPEN_ENOUGH, action

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]
NEAR = 0.03
"""Distance of the bar from where it changes hands within which the taker comes [m]."""
STEADY = 0.08
"""Speed of the bar below which the taker closes [m/s]."""
RETREAT = (0.0, -0.02, 0.06)
"""Way of the giver after letting go: up and off, the bar stays between its fingers' ways [m]."""
CALM = 0.5
"""Share of the way that the giver goes at once with the bar, which is held at its end [1]."""


def teach(state: Array) -> Array:
    """The expert's actions.

    Args:
        state: Privileged states. Shape (n, 42), see `handover_state.STATE`.

    Returns:
        Shape (n, 8), in [-1, 1]: the giver's four numbers, then the taker's.
    """
    way = -0.1 * state[:, STATE["object"][0]]
    given, taken = (state[:, STATE["flags"][0]][:, index] > 0 for index in (0, 1))
    speed = np.linalg.norm(state[:, STATE["object_velocity"][0]], axis=1)
    there = np.linalg.norm(way, axis=1) < NEAR
    giver = _giver(state, CALM * way, given, taken)
    taker = _taker(state, way, (given & there) | taken, taken & ~given, speed < STEADY)
    return np.hstack([giver, taker])


def _giver(state: Array, way: Array, given: Flags, taken: Flags) -> Array:
    move, ready = _fetch(state, "giver")
    move[given] = way[given]
    move[taken] = RETREAT
    return action(move, (given | ready) & ~taken)


def _taker(state: Array, way: Array, come: Flags, alone: Flags, steady: Flags) -> Array:
    move, ready = _fetch(state, "taker")
    touching = (state[:, STATE["taker_touch"][0]] > 0).all(axis=1)
    opening = state[:, STATE["taker_opening"][0]][:, 0]
    close = come & ready & (steady | (opening < OPEN_ENOUGH))
    move[close & touching] = 0
    move[alone] = way[alone]
    move[~come] = -0.2 * state[~come, STATE["taker_grasp_point"][0]]
    return action(move, close)


def _fetch(state: Array, who: str) -> tuple[Array, Flags]:
    """The way of an open gripper down to its end of the bar [m], Shape (n, 3); and whether it may close, Shape (n,)."""
    move = 0.1 * state[:, STATE[f"{who}_offset"][0]]
    opening = state[:, STATE[f"{who}_opening"][0]][:, 0]
    aside, above = np.hypot(move[:, 0], move[:, 1]), np.abs(move[:, 2])
    ready = (aside < CLOSE_WITHIN[0]) & (above < CLOSE_WITHIN[1])
    wide = np.clip((aside - FUNNEL[0]) / (FUNNEL[1] - FUNNEL[0]), 0, 1)
    shut = np.clip((OPEN_ENOUGH - opening) / 0.3, 0, 1) * ~ready
    move[:, 2] += HOVER * np.maximum(wide, shut)
    return move, ready
