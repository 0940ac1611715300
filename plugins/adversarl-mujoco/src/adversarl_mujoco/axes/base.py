"""What all axes have in common: a specification, a check, and draws from a seed."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Perturbation, Value
from adversarl_mujoco.axes.splits import Group, Split, in_split, is_test, sphere_draws
from adversarl_mujoco.axes.stage import Handle, Stage

Draws = Sequence[float]
_OPPOSITES = {"left": "right", "up": "down", "closer": "farther"}
DRAWS = 48
"""Uniform numbers that every axis gets from its seed; the greediest one (distractors) needs 44."""


class WorldAxis(ABC):
    """One thing that can vary.

    The perturber calls it so, on a stage that is nominal but for the axes before it::

        axis.check(perturbation, stage)
        axis.apply(stage, perturbation, draws(perturbation.seed, axis.spec.name, target, axis.things, split))

    Attributes:
        spec: Its specification.
        names: Values that have a name; several may stand together where they are directions.
        numbers: How many numbers a value given by numbers has; 0 if it cannot be.
        rgb: Whether these numbers are a colour, RGB in [0, 1].
        phase: Axes of a lower phase are applied before all others.
        things: Groups of draws that make one thing each, such as a colour; training and tests draw different things.
    """

    spec: Axis
    names: ClassVar[tuple[str, ...]] = ()
    directions: ClassVar[bool] = False
    numbers: ClassVar[int] = 0
    rgb: ClassVar[bool] = False
    phase: ClassVar[int] = 0
    things: ClassVar[tuple[Group, ...]] = ()

    @abstractmethod
    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Changes the stage; at intensity 0 by nothing.

        Args:
            stage: The scene.
            perturbation: What to do; it was checked.
            u: Numbers in [0, 1) for what its value leaves open. Shape (DRAWS,).
        """

    def check(self, perturbation: Perturbation, stage: Stage) -> None:
        """Raises PerturbationError for a target or value that the axis does not have."""
        targets = self.targets(stage)
        if perturbation.target is not None and perturbation.target not in targets:
            raise PerturbationError(f"target of {self.spec.name}", perturbation.target, targets)
        value = perturbation.value
        if isinstance(value, str):
            self._check_name(value, stage)
        elif value is not None and not self.accepts(value):
            raise PerturbationError(f"value of {self.spec.name}", str(value), self._forms(stage))

    def specification(self, stage: Stage) -> Axis:
        """Its specification with the targets that a scene has."""
        return replace(self.spec, targets=self.targets(stage))

    def targets(self, stage: Stage) -> tuple[str, ...]:
        """What it can act on in a scene, the default first."""
        del stage
        return self.spec.targets

    def possible(self, stage: Stage) -> bool:
        """Whether a scene has anything that it can act on."""
        del stage
        return True

    def stream(self, target: str | None, stage: Stage) -> str | None:
        """The target as the draws know it; naming the default target changes no draw."""
        targets = self.targets(stage)
        return target or (targets[0] if targets else None)

    def kind(self, perturbation: Perturbation, u: float) -> str:
        """The name that a perturbation gives, or an even draw among `names` where it gives none."""
        return str(perturbation.value or self.names[int(len(self.names) * u)])

    def known(self, stage: Stage) -> tuple[str, ...]:
        """Names that a value may have."""
        del stage
        return self.names

    def accepts(self, value: tuple[float, ...]) -> bool:
        """Whether a value given by numbers is one of this axis; a direction must have a length."""
        fits = self.numbers > 0 and len(value) == self.numbers and all(math.isfinite(x) for x in value)
        return fits and (not self.directions or any(value)) and (not self.rgb or all(0 <= x <= 1 for x in value))

    def reserved(self, value: Value) -> bool:
        """Whether a value given by numbers belongs to tests; names are everybody's words."""
        if not isinstance(value, tuple) or not self.things:
            return False
        return is_test(sphere_draws(value) if self.directions else self.color_draws(value))

    def color_draws(self, rgb: Sequence[float]) -> Sequence[float]:
        """The draws that make a colour."""
        return rgb

    def _check_name(self, value: str, stage: Stage) -> None:
        known, parts = self.known(stage), value.split() if self.directions else [value]
        for part in parts or [value]:
            if part not in known or _OPPOSITES.get(part) in parts:
                wrong = part if part not in known else value
                raise PerturbationError(f"value of {self.spec.name}", wrong, self._forms(stage))

    def _forms(self, stage: Stage) -> tuple[str, ...]:
        kind = " in [0, 1] (RGB)" if self.rgb else ""
        numbers = (f"a tuple of {self.numbers} numbers{kind}",) if self.numbers else ()
        return (*self.known(stage), *numbers)


class ObjectAxis(WorldAxis):
    """An axis that acts on one object of the scene, by default the task's target."""

    def targets(self, stage: Stage) -> tuple[str, ...]:
        """The objects that it can act on, the task's target first."""
        name = self.spec.name
        if name not in stage.targets:
            stage.targets[name] = tuple(key for key, handle in stage.objects.items() if self.able(handle))
        return stage.targets[name]

    def possible(self, stage: Stage) -> bool:
        """Whether there is an object that it can act on."""
        return bool(self.targets(stage))

    def able(self, handle: Handle) -> bool:
        """Whether it can act on an object."""
        del handle
        return True

    def check(self, perturbation: Perturbation, stage: Stage) -> None:
        """Raises PerturbationError also where the scene has no object that it can act on."""
        super().check(perturbation, stage)
        if not self.possible(stage):
            raise PerturbationError(f"target of {self.spec.name}", stage.target, ())

    def handle(self, stage: Stage, target: str | None) -> Handle:
        """The object that is meant."""
        return stage.objects[target or self.targets(stage)[0]]

    def stream(self, target: str | None, stage: Stage) -> str | None:
        """None for the default target, whatever its name."""
        return None if target in (None, *self.targets(stage)[:1]) else target


@lru_cache(maxsize=8192)
def draws(
    seed: int, axis: str, target: str | None, things: tuple[Group, ...] = (), split: Split = "all"
) -> Sequence[float]:
    """Uniform numbers in [0, 1), independent between axes and targets, the same on every machine. Shape (DRAWS,)."""
    stable = zlib.crc32(f"{axis}/{target or ''}".encode())
    drawn = np.random.default_rng((seed & 0xFFFFFFFFFFFFFFFF) << 32 | stable).random(DRAWS).tolist()
    return in_split(tuple(drawn), things, split)


def sign(value: object, plus: str, minus: str, u: float) -> float:
    """+1 or -1 by the value's name, or by an even draw where there is none."""
    if value is None:
        return 1.0 if u < 0.5 else -1.0
    return {plus: 1.0, minus: -1.0}[str(value)]


def on_sphere(u: float, v: float) -> tuple[float, float, float]:
    """A direction, uniform on the sphere (Archimedes: height and longitude are uniform)."""
    z, phi = 2 * u - 1, 2 * math.pi * v
    r = math.sqrt(max(0.0, 1 - z * z))
    return r * math.cos(phi), r * math.sin(phi), z


def chosen(axes: tuple[Axis, ...], names: tuple[str, ...] | None) -> tuple[Axis, ...]:
    """The axes of these names, in their order; all where there are no names."""
    known = {axis.name: axis for axis in axes}
    for name in names or ():
        if name not in known:
            raise PerturbationError("axis", name, known)
    return axes if names is None else tuple(known[name] for name in names)
