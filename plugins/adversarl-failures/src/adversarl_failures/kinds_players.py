"""Players that fail: a scripted expert whose actions are spoilt, each episode in one drawn way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Action = NDArray[np.float32]
Spoil = Callable[[int, Action], Action]
"""From the step and the expert's action to the action taken. Shapes (a,), in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a way of failing may draw on.

    Attributes:
        limit: Time limit of an episode [control steps].
        usual: Usual length of the expert's episodes [control steps].
        courses: Actions of whole episodes of the expert. Each of Shape (T, a).
    """

    limit: int
    usual: int
    courses: tuple[NDArray[np.float32], ...]


def noisy(rng: np.random.Generator, known: Known) -> Spoil:
    """Normal noise on every number of every action, its standard deviation from U[0.3, 2.5]."""
    spread, own = rng.uniform(0.3, 2.5), np.random.default_rng(rng.integers(2**31))
    return lambda step, action: action + own.normal(0.0, spread, action.shape).astype(np.float32)


def biased(rng: np.random.Generator, known: Known) -> Spoil:
    """A constant push in a drawn direction, of length U[0.2, 1.5]: a controller then arrives beside its goal."""
    size = len(known.courses[0][0])
    push = rng.normal(size=size)
    push *= rng.uniform(0.2, 1.5) / np.linalg.norm(push)
    return lambda step, action: action + push.astype(np.float32)


def stuck(rng: np.random.Generator, known: Known) -> Spoil:
    """From a drawn step on some of an action's numbers stay -1, 0 or 1: an arm that stops, a gripper left open."""
    onset, size = int(rng.uniform(0.0, 1.2) * known.usual), len(known.courses[0][0])
    which = rng.random(size) < rng.uniform(0.2, 1.0)
    which[rng.integers(size)] = True
    values = rng.integers(-1, 2, size).astype(np.float32)
    return lambda step, action: np.where(which, values, action) if step >= onset else action


def slipping(rng: np.random.Generator, known: Known, which: int) -> Spoil:
    """From a drawn step on one of the action's numbers is the opposite of what it was, the others are 0: it lets go."""
    onset = int(rng.uniform(0.4, 1.1) * known.usual)
    opposite: list[Action] = []

    def spoil(step: int, action: Action) -> Action:
        if step < onset:
            return action
        if not opposite:
            opposite.append(np.where(np.arange(len(action)) == which, -np.sign(action), 0.0).astype(np.float32))
        return opposite[0]

    return spoil


def blind(rng: np.random.Generator, known: Known) -> Spoil:
    """What the expert did in another episode, and its last action until the end: it does not look where things are."""
    course = known.courses[rng.integers(len(known.courses))]
    return lambda step, action: course[min(step, len(course) - 1)]


def late(rng: np.random.Generator, known: Known) -> Spoil:
    """Nothing until so late that the expert can hardly be in time, or the same number of steps lost in between."""
    lost = known.limit - int(rng.uniform(0.2, 1.0) * known.usual)
    onset = int(rng.uniform(0.0, 1.0) * known.usual)
    return lambda step, action: np.zeros_like(action) if onset <= step < onset + lost else action


def weak(rng: np.random.Generator, known: Known) -> Spoil:
    """Every action shrunk to U[0.02, 0.3] of it."""
    share = np.float32(rng.uniform(0.02, 0.3))
    return lambda step, action: share * action


Player = Callable[[np.random.Generator, Known], Spoil]


def players(size: int) -> dict[str, Player]:
    """Ways of failing by name; each of the `size` numbers of an action slips in a way of its own."""
    everyone: dict[str, Player] = {one.__name__: one for one in (noisy, biased, stuck, blind, late, weak)}
    return everyone | {f"slipping-{which}": partial(slipping, which=which) for which in range(size)}
