"""The scripted expert of carrying an object and setting it down; like that of `pick`, it keeps no phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.control import MAX_STEP
from adversarl_mujoco.tasks.pick_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.pick_teacher import FUNNEL, GAIN, OPEN_ENOUGH, action, grasping

GOAL = slice(STATE_SIZE, STATE_SIZE + 3)
"""Columns of the way from the object to where it is to rest [0.1 m]."""
INSIDE = 0.6
"""Share of the tolerance within which it lets go [1]."""
LOW_ENOUGH = 0.006
"""Height above its rest at which it lets go [m]."""
SLOW = 0.06
"""Speed of the object above which it does not let go, lest something high tips over [m/s]."""
CLIMB = 0.04
"""Height still to climb from which on it does not move aside [m]."""
RETREAT = 0.08
"""How far it moves up after letting go [m]."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """What the expert knows of a scene.

    Attributes:
        top: Height of the object's top above where it is held [m].
        height: Height above its rest at which the object is carried [m].
        tolerance: Horizontal distance from the goal that counts as there [m].
        slack: Vertical distance that counts as there [m].
        pace: Share of full speed at which the object is carried; what is high swings between the fingers [1].
    """

    top: float
    height: float
    tolerance: float
    slack: float
    pace: float


def teach(state: NDArray[np.float32], about: Carrying) -> NDArray[np.float32]:
    """The expert's actions.

    Args:
        state: Privileged states, `pick_state.STATE` and then `GOAL`. Shape (n, 32).
        about: The scene's lengths.

    Returns:
        Shape (n, 4), in [-1, 1].
    """
    move, close, held = grasping(state, about.top)
    goal = 0.1 * state[:, GOAL]
    aside = np.hypot(goal[:, 0], goal[:, 1])
    touching = (state[:, STATE["touch"][0]] > 0).any(axis=1)
    low = np.abs(goal[:, 2])
    there = (aside < INSIDE * about.tolerance) & (low < LOW_ENOUGH)
    lies = (aside < about.tolerance) & (low < about.slack) & ~touching
    slow = np.linalg.norm(state[:, STATE["object_velocity"][0]], axis=1) < SLOW
    move[held] = _carry(goal, aside, about)[held]
    leave = (there & (slow | ~held)) | (lies & slow)
    move[leave] = 0
    # A finger may touch the wall of what the object lies in; open, it leaves all the same.
    open_ = state[:, STATE["opening"][0]][:, 0] > OPEN_ENOUGH
    move[leave & (open_ | ~touching), 2] = RETREAT
    return action(move, close & ~leave)


def _carry(goal: NDArray[np.float32], aside: NDArray[np.float32], about: Carrying) -> NDArray[np.float32]:
    """The way of a held object: up, across, down a funnel. Shape (n, 3)."""
    way = goal.copy()
    way[:, 2] += about.height * np.clip((aside - FUNNEL[0]) / (FUNNEL[1] - FUNNEL[0]), 0, 1)
    way[:, :2] *= about.pace * np.clip(1 - way[:, 2:] / CLIMB, 0, 1)
    limit = about.pace * MAX_STEP / GAIN
    way[:, :2] = np.clip(way[:, :2], -limit, limit)
    return way
