"""What the world of the benchmark can vary: trivial, learnable, and impossible above a known intensity."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin
from typing import Literal

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Grounding, Perturbation

Difficulty = Literal["trivial", "learnable", "impossible"]

SPEED_M = 0.25
"""Distance that a full action moves the vehicle in a control step [m]."""
DISTANCE_M = 1.0
"""Distance of the goal at the start [m]."""
RADIUS_M = 0.2
LIMIT = 8
"""Time limit [control steps]."""

DRIFT_M = 0.4 * SPEED_M
"""Displacement of ``drift`` at intensity 1 in every control step [m]."""
MARKER_M = 0.5
TURN_RAD = 1.5
LOSS = 0.8
"""Strength that ``motor`` takes at intensity 1 [1]."""
MOTOR_TOO_WEAK = (1.0 - (DISTANCE_M - RADIUS_M) / (LIMIT * SPEED_M)) / LOSS
"""Intensity of ``motor`` from which full speed does not reach the goal in time: 0.75."""
GOAL_GONE = 0.7
"""Intensity of ``goal-size`` from which nothing is left of the goal; its area shrinks linearly until there."""
SOURCE = "chosen before any curriculum was run, so that difficulty is known"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that axes change in one environment.

    Attributes:
        tint: Grey level of the picture in [0, 1].
        drift_across_m: Displacement in every control step, world frame [m].
        drift_up_m: The same, the other coordinate [m].
        marker_across_m: Displacement of the goal's marker from the goal, world frame [m].
        marker_up_m: The same, the other coordinate [m].
        turn_rad: Rotation of what is seen, anticlockwise [rad].
        strength: Factor on actions in [0, 1].
        radius_m: Radius of the goal [m]; nothing lies in a goal of radius 0.
        context: What the policy sees of all that, 0 where nominal, see `CONTEXT`.
    """

    tint: float = 0.5
    drift_across_m: float = 0.0
    drift_up_m: float = 0.0
    marker_across_m: float = 0.0
    marker_up_m: float = 0.0
    turn_rad: float = 0.0
    strength: float = 1.0
    radius_m: float = RADIUS_M
    context: tuple[float, ...] = (0.0,) * 8


CONTEXT = ("distractor", "drift", "marker-across", "marker-up", "turn (cosine less 1)", "turn (sine)", "motor", "goal")
"""What the numbers of `Conditions.context` are."""
NOMINAL = Conditions()


@dataclass(frozen=True, slots=True)
class Change:
    """What an axis does to `Conditions`: its fields, and the numbers of the context from number `first` on."""

    fields: dict[str, float]
    first: int = 0
    seen: tuple[float, ...] = ()


Apply = Callable[[float, float], Change]
"""Takes an intensity in [0, 1] and a sign that is drawn for the episode."""


def _tint(x: float, sign: float) -> Change:
    return Change({"tint": 0.5 + 0.5 * x * sign})


def _distractor(x: float, sign: float) -> Change:
    return Change({}, 0, (x * sign,))


def _drift(x: float, sign: float) -> Change:
    along = DRIFT_M * x * sign
    return Change({"drift_across_m": 0.6 * along, "drift_up_m": 0.8 * along}, 1, (x * sign,))


def _marker_across(x: float, sign: float) -> Change:
    return Change({"marker_across_m": 0.5 * MARKER_M * x * sign}, 2, (x * sign,))


def _marker_up(x: float, sign: float) -> Change:
    return Change({"marker_up_m": MARKER_M * x * sign}, 3, (x * sign,))


def _turn(x: float, sign: float) -> Change:
    angle = TURN_RAD * x * sign
    return Change({"turn_rad": angle}, 4, (cos(angle) - 1.0, sin(angle)))


def _motor(x: float, sign: float) -> Change:
    del sign
    return Change({"strength": 1.0 - LOSS * x}, 6, (x,))


def _goal(x: float, sign: float) -> Change:
    del sign
    return Change({"radius_m": RADIUS_M * max(0.0, 1.0 - x / GOAL_GONE) ** 0.5}, 7, (x,))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an axis beforehand.

    Attributes:
        apply: What it does.
        difficulty: Its kind.
        impossible_from: Lowest intensity at which nobody solves an episode that it alone perturbs; None: there is none.
        parameters: Weights of the policy that have to change to compensate it.
    """

    apply: Apply
    difficulty: Difficulty
    impossible_from: float | None
    parameters: int


AXES: dict[Axis, Known] = {
    Axis("tint", "visual", "Grey level of the picture", "1", "0.5", "0 or 1", SOURCE, "tint the picture"): Known(
        _tint, "trivial", None, 0
    ),
    Axis("distractor", "sensor", "A number that means nothing", "1", "0", "±1", SOURCE, "distract the sensor"): Known(
        _distractor, "trivial", None, 0
    ),
    Axis("drift", "dynamics", "Displacement in every step", "m", "0 m", "±0.1 m", SOURCE, "let it drift"): Known(
        _drift, "learnable", None, 2
    ),
    Axis("marker-across", "sensor", "Marker beside the goal", "m", "0 m", "±0.25 m", SOURCE, "move the marker across"):
        Known(_marker_across, "learnable", None, 1),
    Axis("marker-up", "sensor", "Marker above or below the goal", "m", "0 m", "±0.5 m", SOURCE, "move the marker up"):
        Known(_marker_up, "learnable", None, 1),
    Axis("turn", "sensor", "Rotation of what is seen", "rad", "0 rad", "±1.5 rad", SOURCE, "turn the sensor"): Known(
        _turn, "learnable", None, 4
    ),
    Axis("motor", "dynamics", "Loss of strength", "1", "0", "0.8", SOURCE, "weaken the motor"): Known(
        _motor, "impossible", MOTOR_TOO_WEAK, 0
    ),
    Axis("goal-size", "geometry", "Radius of the goal", "m", "0.2 m", "0 m from 70 % on", SOURCE, "shrink the goal"):
        Known(_goal, "impossible", GOAL_GONE, 0),
}  # fmt: skip
BY_NAME = {axis.name: axis for axis in AXES}
_APPLY = {axis.name: known.apply for axis, known in AXES.items()}
LEARNABLE = tuple(axis.name for axis, known in AXES.items() if known.difficulty == "learnable")

_CLAUSES = re.compile(r"[,;]|\band\b")
_PERCENT = re.compile(r"\bat (\d+(?:\.\d+)?) ?%")


def validate(perturbation: Perturbation) -> Perturbation:
    """Checks that the world can carry a perturbation out.

    Raises:
        PerturbationError: Unknown axis, or a target or value, which no axis has.
    """
    if perturbation.axis not in BY_NAME:
        raise PerturbationError("axis", perturbation.axis, BY_NAME)
    if perturbation.target is not None:
        raise PerturbationError(f"target of '{perturbation.axis}' named", perturbation.target, ())
    if perturbation.value is not None:
        raise PerturbationError(f"value of '{perturbation.axis}' like", str(perturbation.value), ["intensity alone"])
    return perturbation


def conditions(perturbations: tuple[Perturbation, ...]) -> Conditions:
    """The conditions that perturbations lead to; the sign of each comes from its seed."""
    fields, context = dict[str, float](), list(NOMINAL.context)
    for p in perturbations:
        sign = 1.0 if (p.seed * 2654435761 >> 7) % 2 else -1.0
        change = _APPLY[p.axis](p.intensity, sign)
        fields |= change.fields
        context[change.first : change.first + len(change.seen)] = change.seen
    return Conditions(**fields, context=tuple(context))


def ground(text: str) -> Grounding:
    """Turns a prompt into perturbations: clauses joined by commas or ``and``, each a phrase and ``at N %``."""
    perturbations, unknown, restore = list[Perturbation](), list[str](), False
    for clause in _CLAUSES.split(" ".join(text.lower().split())):
        percent = _PERCENT.search(clause)
        valid = percent is not None and float(percent[1]) <= 100
        rest = clause.replace(percent[0], " ") if percent and valid else clause
        axis = next((axis for axis in AXES if axis.phrase in rest), None)
        if "back to normal" in rest:
            restore, rest = True, rest.replace("back to normal", " ")
        elif axis is not None:
            perturbations.append(Perturbation(axis.name, float(percent[1]) / 100 if percent and valid else 0.5))
            rest = rest.replace(axis.phrase, " ", 1)
        unknown += rest.split()
    return Grounding(text, tuple(perturbations), (), tuple(unknown), restore)
