"""What the point-mass world can vary, and how each axis changes its conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Perturbation

Vector = tuple[float, ...]
GOAL_RADIUS_M = 0.15
SOURCE = "chosen so that the scripted teacher succeeds at intensity 1"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that axes change in one environment.

    Attributes:
        background: RGB in [0, 1].
        goal: RGB of the goal in [0, 1].
        dot: RGB of the dot in [0, 1].
        brightness: Factor on all pixels [1].
        shift_m: What the camera sees moves by this, arena frame [m].
        mass_kg: Mass of the dot [kg].
        noise: Standard deviation of the noise added to actions [1].
        goal_radius_m: Radius of the goal [m].
    """

    background: Vector = (0.15, 0.15, 0.18)
    goal: Vector = (0.2, 0.8, 0.3)
    dot: Vector = (0.9, 0.25, 0.2)
    brightness: float = 1.0
    shift_m: Vector = (0.0, 0.0)
    mass_kg: float = 1.0
    noise: float = 0.0
    goal_radius_m: float = GOAL_RADIUS_M


NOMINAL = Conditions()
Apply = Callable[[Conditions, Perturbation], Conditions]


def _toward(nominal: Vector, bound: Vector, intensity: float) -> Vector:
    return tuple(n + intensity * (b - n) for n, b in zip(nominal, bound, strict=True))


def _colour(p: Perturbation) -> Vector:
    return p.value if isinstance(p.value, tuple) else tuple(np.random.default_rng(p.seed).random(3).tolist())


def _background(c: Conditions, p: Perturbation) -> Conditions:
    return replace(c, background=_toward(NOMINAL.background, _colour(p), p.intensity))


def _object_colour(c: Conditions, p: Perturbation) -> Conditions:
    if p.target == "dot":
        return replace(c, dot=_toward(NOMINAL.dot, _colour(p), p.intensity))
    return replace(c, goal=_toward(NOMINAL.goal, _colour(p), p.intensity))


def _shift(c: Conditions, p: Perturbation) -> Conditions:
    angle = np.random.default_rng(p.seed).uniform(-np.pi, np.pi)
    return replace(c, shift_m=(0.3 * p.intensity * float(np.cos(angle)), 0.3 * p.intensity * float(np.sin(angle))))


def _brightness(c: Conditions, p: Perturbation) -> Conditions:
    return replace(c, brightness=1.0 - 0.8 * p.intensity)


def _mass(c: Conditions, p: Perturbation) -> Conditions:
    return replace(c, mass_kg=1.0 + 2.0 * p.intensity)


def _noise(c: Conditions, p: Perturbation) -> Conditions:
    return replace(c, noise=0.5 * p.intensity)


def _size(c: Conditions, p: Perturbation) -> Conditions:
    return replace(c, goal_radius_m=GOAL_RADIUS_M - 0.07 * p.intensity)


AXES: dict[Axis, Apply] = {
    Axis(
        "background-color", "visual", "Colour of the floor", "RGB [0, 1]", "(0.15, 0.15, 0.18)",
        "any colour", SOURCE, "recolor the background",
    ): _background,
    Axis(
        "object-color", "visual", "Colour of the goal or the dot", "RGB [0, 1]", "green goal, red dot",
        "any colour", SOURCE, "recolor the goal", ("goal", "dot"),
    ): _object_colour,
    Axis("brightness", "visual", "Brightness of the picture", "1", "1", "0.2", SOURCE, "dim the light"): _brightness,
    Axis("camera-shift", "visual", "Offset of the camera, any direction", "m", "0 m", "0.3 m", SOURCE,
         "shift the camera"): _shift,
    Axis("mass", "dynamics", "Mass of the dot", "kg", "1 kg", "3 kg", SOURCE, "make the dot heavier"): _mass,
    Axis("action-noise", "dynamics", "Standard deviation of noise on actions", "1", "0", "0.5", SOURCE,
         "shake the controls"): _noise,
    Axis("object-size", "geometry", "Radius of the goal", "m", "0.15 m", "0.08 m", SOURCE, "shrink the goal",
         mid_episode=False): _size,
}  # fmt: skip
BY_NAME = {axis.name: axis for axis in AXES}
COLOURS = ("background-color", "object-color")


def validate(perturbation: Perturbation) -> Perturbation:
    """Checks that the world can carry a perturbation out; gives it its axis' default target.

    Raises:
        PerturbationError: Unknown axis or target, or a value that is not a colour.
    """
    axis = BY_NAME.get(perturbation.axis)
    if axis is None:
        raise PerturbationError("axis", perturbation.axis, BY_NAME)
    if perturbation.target is not None and perturbation.target not in axis.targets:
        raise PerturbationError(f"target of '{axis.name}' named", perturbation.target, axis.targets)
    if perturbation.value is not None and not (axis.name in COLOURS and _is_colour(perturbation.value)):
        known = ["three numbers in [0, 1]"] if axis.name in COLOURS else ["intensity alone"]
        raise PerturbationError(f"value of '{axis.name}' like", str(perturbation.value), known)
    target = perturbation.target or next(iter(axis.targets), None)
    return replace(perturbation, target=target)


@lru_cache(maxsize=4096)
def conditions(perturbations: tuple[Perturbation, ...]) -> Conditions:
    """The conditions that validated perturbations lead to."""
    result = NOMINAL
    for perturbation in perturbations:
        result = AXES[BY_NAME[perturbation.axis]](result, perturbation)
    return result


def _is_colour(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and all(0.0 <= v <= 1.0 for v in value)
