"""How failed episodes went wrong, from the privileged states after each of their steps.

A label needs no more than a trace holds, so one can be given to any episode at any time, and to one of another world.
What the states do not tell cannot be a kind: where things stand that are only seen (distractors, posts), and whether
the camera saw the object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.tasks.pick_state import STATE

Array = NDArray[np.float32]
REACHED = 0.06
"""Distance from the grasp point to an object within which it was reached [m]: the open fingertips are 4 cm from it, the
side of an object about 2 cm from its middle, so nearer than that they touch or enclose it."""
LIFTED = 0.03
"""Height above its rest from which on an object was lifted [m]; a cube of 4.5 cm that is tipped over an edge rises by
0.9 cm only."""
RECENT = 5
"""Control steps that tell what was going on at the end: a quarter of a second."""
CLIMB = 0.01
"""Rise in that time of an object that was still being lifted [m]; the expert's is ten times as much."""
SHUT = 0.3
"""Opening below which a gripper has closed on nothing [1]: 2.4 of 8 cm."""
AROUND = 0.1
"""Opening above which there is something between two fingers that both feel a force [1]: 8 mm."""
LOW = 0.04
"""Height of the grasp point above or below the object's at which it would have been gripped [m]."""
APPROACH = ("never-reached", "wrong-place", "wrong-object", "missed")
"""Kinds of failure before an object is in the hand, as `before_lifting` gives them."""


class Course:
    """What the states of a task with one arm say about each of T steps.

    Args:
        states: Privileged states whose first columns are those of `pick_state.STATE`. Shape (T, s).
        core: How far up and down from its middle the object may be held [m].
    """

    def __init__(self, states: Array, core: float = 0.0) -> None:
        offset = 0.1 * states[:, STATE["offset"][0]]
        along = np.maximum(np.abs(offset[:, 2]) - core, 0.0)
        self.aside: Array = np.hypot(offset[:, 0], offset[:, 1])
        """Horizontal distance from grasp point to object [m]. Shape (T,)."""
        self.distance: Array = np.hypot(self.aside, along)
        """Distance from grasp point to the object's core [m]. Shape (T,)."""
        self.along: Array = along
        """Its vertical part [m]. Shape (T,)."""
        self.height: Array = 0.1 * states[:, STATE["object"][0]][:, 2]
        """Of the object above its rest [m]. Shape (T,)."""
        self.held: NDArray[np.bool_] = states[:, STATE["flags"][0]][:, 0] > 0
        """Whether the object was in the gripper. Shape (T,)."""
        self.touch: Array = states[:, STATE["touch"][0]]
        """Force at each finger [10 N]. Shape (T, 2)."""
        self._hand: Array = 0.2 * states[:, STATE["grasp_point"][0]][:, 2]
        self._opening: Array = states[:, STATE["opening"][0]][:, 0]

    @property
    def lifted(self) -> bool:
        """Whether the object was in the gripper and off the table."""
        return bool((self.held & (self.height >= LIFTED)).any())

    @property
    def underway(self) -> bool:
        """Whether the object in the gripper was still rising at the end, or had only just been gripped."""
        recent = self.held[-RECENT:]
        return not recent.all() or float(self.height[-1] - self.height[-len(recent)]) >= CLIMB

    def before_lifting(self) -> str:
        """One of `APPROACH`, for an object that was never lifted."""
        if self._lifted_another():
            return "wrong-object"
        if self.distance.min() <= REACHED:
            return "missed"
        shut = (self._opening < SHUT) & (self.along < LOW)
        return "wrong-place" if shut.any() else "never-reached"

    def _lifted_another(self) -> bool:
        """Whether both fingers kept pressing something else while the gripper rose by `LIFTED`."""
        full = (self.touch > 0).all(axis=1) & (self._opening > AROUND) & (self.distance > REACHED)
        lowest = np.inf
        for pressing, height in zip(full.tolist(), self._hand.tolist(), strict=True):
            lowest = min(lowest, height) if pressing else np.inf
            if height - lowest >= LIFTED:
                return True
        return False


PICK_KINDS = (*APPROACH, "dropped", "held-too-low", "too-slow")


def of_pick(course: Course, lift: float) -> str:
    """One of `PICK_KINDS`.

    Args:
        course: The episode.
        lift: Height that solves the task [m].
    """
    if course.held[-1]:
        return "too-slow" if course.underway or course.height[-1] >= lift else "held-too-low"
    return "dropped" if course.lifted else course.before_lifting()


CARRY_KINDS = ("dropped", "beside", "not-released", "too-slow")
"""Kinds of failure with an object in the hand that is to be set down."""
PLACE_KINDS = (*APPROACH, *CARRY_KINDS)


def of_place(course: Course, way: Array, tolerance: float, slack: float, *, in_hand: bool) -> str:
    """One of `CARRY_KINDS`, or of `PLACE_KINDS` where the object is on the table at the start.

    Args:
        course: The episode.
        way: From the object to where it is to rest [m]. Shape (T, 3).
        tolerance: Horizontal distance that counts as there [m].
        slack: Vertical distance that counts as there [m].
        in_hand: Whether the object is in the gripper at the start.
    """
    there = float(np.hypot(way[-1, 0], way[-1, 1])) <= tolerance and abs(float(way[-1, 2])) <= slack
    if there:
        return "not-released" if (course.touch[-1] > 0).any() else "too-slow"
    if course.held[-1]:
        return "too-slow"
    if not in_hand and not course.lifted:
        return course.before_lifting()
    let_go = int(np.flatnonzero(course.held)[-1]) if course.held.any() else 0
    return "dropped" if -way[let_go, 2] >= LIFTED else "beside"


INSERT_KINDS = (*APPROACH, "dropped", "beside", "stuck", "too-slow")
BESIDE = (0.04, 0.005)
"""Horizontal and vertical distance of the tip from the hole's mouth at which the peg stands on the socket's top [m]."""


def of_insert(course: Course, way: Array, depth: float) -> str:
    """One of `INSERT_KINDS`.

    Args:
        course: The episode.
        way: From the peg's tip to the hole's mouth [m]. Shape (T, 3).
        depth: Of the tip in the hole at the end [m].
    """
    if depth > 0:
        return "stuck"
    if course.held[-1]:
        aside, above = float(np.hypot(way[-1, 0], way[-1, 1])), abs(float(way[-1, 2]))
        return "beside" if aside <= BESIDE[0] and above <= BESIDE[1] else "too-slow"
    return "dropped" if course.lifted else course.before_lifting()


POUR_KINDS = (*APPROACH, "dropped", "spilled", "not-poured", "too-slow")
OVER = 0.04
"""Horizontal distance of the lip from the vessel's middle at which it could be poured [m]; the expert takes 3 cm."""
UPRIGHT = 0.5
"""Tilt of the gripper below which nothing runs out [rad]."""


def of_pour(course: Course, lip: Array, tilt: Array, spilled: float, allowed: float) -> str:
    """One of `POUR_KINDS`.

    Args:
        course: The episode.
        lip: From the cup's lip to the middle of the vessel's rim [m]. Shape (T, 3).
        tilt: Of the gripper [rad]. Shape (T,).
        spilled: Share of the grains spilled at the end [1].
        allowed: Largest share that may be [1].
    """
    if course.held[-1]:
        if spilled > allowed:
            return "spilled"
        over = float(np.hypot(lip[-1, 0], lip[-1, 1])) <= OVER
        return "not-poured" if over and float(np.abs(tilt).max()) < UPRIGHT else "too-slow"
    if course.lifted:
        return "spilled" if spilled > allowed and float(np.abs(tilt).max()) >= UPRIGHT else "dropped"
    return course.before_lifting()


HANDOVER_KINDS = ("never-reached", "missed", "dropped", "not-taken", "not-released", "too-slow")


def of_handover(states: Array, columns: dict[str, tuple[slice, str]]) -> str:
    """One of `HANDOVER_KINDS`.

    Args:
        states: Privileged states. Shape (T, s).
        columns: `handover_state.STATE`.
    """
    flags = states[:, columns["flags"][0]] > 0
    given, taken = flags[:, 0], flags[:, 1]
    if taken[-1]:
        return "not-released" if (states[-1, columns["giver_touch"][0]] > 0).any() else "too-slow"
    if given[-1]:
        return "not-taken"
    height = 0.1 * states[:, columns["object"][0]][:, 2]
    if ((given | taken) & (height - height[0] >= LIFTED)).any():
        return "dropped"
    nearest = 0.1 * float(np.linalg.norm(states[:, columns["giver_offset"][0]], axis=1).min())
    return "missed" if nearest <= REACHED else "never-reached"


REACH_KINDS = ("never-reached", "near-miss", "left-again")


def of_reach(distance: Array, tolerance: float) -> str:
    """One of `REACH_KINDS`.

    Args:
        distance: From grasp point to goal [m]. Shape (T,).
        tolerance: Distance that counts as there [m].
    """
    nearest = float(distance.min())
    if nearest <= tolerance:
        return "left-again"
    return "near-miss" if nearest <= REACHED else "never-reached"
