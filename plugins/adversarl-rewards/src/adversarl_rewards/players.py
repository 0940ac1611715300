"""Players that pictures are collected from: a scripted expert, and ways of spoiling what it does.

A detector that saw the expert alone calls a raised gripper success: every state that looks a little like success
must be among its pictures, such as a gripper raised empty, a thing held too low, and one that was dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Action = NDArray[np.float32]
Spoil = Callable[[int, Action], Action]
"""From the step and the expert's action to the action taken. Shapes (a,), in [-1, 1]."""
HOLDS = 0.5
"""From which mean size on, over the solved steps, one of an action's numbers is what holds success, as a gripper's."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a player may draw on.

    Attributes:
        usual: Usual length of the expert's episodes [control steps].
        courses: Actions of whole episodes of the expert, and beyond their success. Each of Shape (T, a).
        grip: The expert's mean action where the task is solved. Shape (a,).
    """

    usual: int
    courses: tuple[NDArray[np.float32], ...]
    grip: NDArray[np.float32]

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Which numbers of an action hold what was achieved. Shape (a,)."""
        return np.abs(self.grip) >= HOLDS


Player = Callable[[np.random.Generator, Known], Spoil]


def expert(rng: np.random.Generator, known: Known) -> Spoil:
    """The expert itself, which holds on to what it achieved."""
    del rng, known
    return lambda step, action: action


def noisy(rng: np.random.Generator, known: Known) -> Spoil:
    """Normal noise on every action, its standard deviation from U[0.1, 1.5]."""
    del known
    spread, own = rng.uniform(0.1, 1.5), np.random.default_rng(rng.integers(2**31))
    return lambda step, action: action + own.normal(0.0, spread, action.shape).astype(np.float32)


def biased(rng: np.random.Generator, known: Known) -> Spoil:
    """A constant push in a drawn direction, of length U[0.1, 1]: it arrives beside its goal."""
    push = rng.normal(size=len(known.grip))
    push *= rng.uniform(0.1, 1.0) / np.linalg.norm(push)
    return lambda step, action: action + push.astype(np.float32)


def slow(rng: np.random.Generator, known: Known) -> Spoil:
    """Moves at U[0.15, 0.6] of the expert's speed: many pictures on the way."""
    share = np.where(known.holds, 1.0, rng.uniform(0.15, 0.6)).astype(np.float32)
    return lambda step, action: share * action


def short(rng: np.random.Generator, known: Known) -> Spoil:
    """Stops moving at a drawn step, and holds on: what it carries stays too low."""
    onset = _onset(rng, known, 0.5, 1.1)
    return lambda step, action: np.where(known.holds, action, np.float32(0)) if step >= onset else action


def slipping(rng: np.random.Generator, known: Known) -> Spoil:
    """Lets go at a drawn step, and stays where it is."""
    onset, release = _onset(rng, known, 0.7, 2.0), -np.sign(_grip(rng, known))
    return lambda step, action: release if step >= onset else action


def empty(rng: np.random.Generator, known: Known) -> Spoil:
    """Lets go at a drawn step, and does everything else as an expert would that noticed nothing."""
    onset, course, grip = _onset(rng, known, 0.3, 1.3), _course(rng, known), _grip(rng, known)
    held = grip != 0
    return lambda step, action: np.where(held, -np.sign(grip), _of(course, step)) if step >= onset else action


def skipping(rng: np.random.Generator, known: Known) -> Spoil:
    """Leaves out a part of what is to be done, such as the grasp, and goes on blindly."""
    onset, course = _onset(rng, known, 0.2, 0.8), _course(rng, known)
    skipped = max(1, round(rng.uniform(0.1, 0.4) * known.usual))
    return lambda step, action: _of(course, step + skipped) if step >= onset else action


def blind(rng: np.random.Generator, known: Known) -> Spoil:
    """What the expert did in another episode: it does not look where things are."""
    course = _course(rng, known)
    return lambda step, action: _of(course, step)


def carrying(rng: np.random.Generator, known: Known) -> Spoil:
    """Moves about at random from a drawn step on, and holds on: success, and what is not quite it, in many places."""
    onset, wish = _onset(rng, known, 0.6, 1.4), _wander(rng, known)
    return lambda step, action: np.where(known.holds, action, wish(step, action)) if step >= onset else action


def wandering(rng: np.random.Generator, known: Known) -> Spoil:
    """Moves about at random from a drawn step on."""
    onset, wish = _onset(rng, known, 0.0, 1.5), _wander(rng, known)
    return lambda step, action: wish(step, action) if step >= onset else action


PLAYERS: tuple[Player, ...] = (
    expert,
    expert,
    noisy,
    biased,
    slow,
    slow,
    short,
    slipping,
    slipping,
    empty,
    skipping,
    blind,
    carrying,
    carrying,
    wandering,
)
"""A deck: each is played as often as it is in it."""


def deal(count: int, rng: np.random.Generator) -> list[Player]:
    """Players for `count` episodes: whole decks, shuffled, so that few episodes see many players."""
    decks = -(-count // len(PLAYERS))
    return [PLAYERS[i] for _ in range(decks) for i in rng.permutation(len(PLAYERS))][:count]


def _onset(rng: np.random.Generator, known: Known, low: float, high: float) -> int:
    return round(rng.uniform(low, high) * known.usual)


def _course(rng: np.random.Generator, known: Known) -> NDArray[np.float32]:
    return known.courses[rng.integers(len(known.courses))]


def _of(course: NDArray[np.float32], step: int) -> Action:
    action: Action = course[min(step, len(course) - 1)]
    return action


def _grip(rng: np.random.Generator, known: Known) -> Action:
    """What holds; a drawn number of the action where nothing does. Shape (a,), 0 in the others."""
    if known.holds.any():
        return np.where(known.holds, known.grip, np.float32(0))
    drawn = np.arange(len(known.grip)) == rng.integers(len(known.grip))
    return np.where(drawn, np.float32(rng.choice([-1, 1])), np.float32(0))


def _wander(rng: np.random.Generator, known: Known) -> Spoil:
    """A random walk that returns to 0 (Ornstein-Uhlenbeck), about 1 wide."""
    own, keep = np.random.default_rng(rng.integers(2**31)), rng.uniform(0.3, 0.85)
    now = own.normal(size=len(known.grip))

    def wish(step: int, action: Action) -> Action:
        del step, action
        now[:] = keep * now + np.sqrt(1 - keep**2) * own.normal(size=len(now))
        return now.astype(np.float32)

    return wish
