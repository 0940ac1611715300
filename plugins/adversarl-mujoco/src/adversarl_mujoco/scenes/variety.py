"""What every episode draws anew of a scene's objects, as perturbations of the world's own axes.

Size, mass and colour change through the axes, so they are undone, rewound and combined with prompts as those are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from adversarl.types import Perturbation
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scenes.options import MASS_BOUND, SIZE_BOUND

_COLOR = "object-color"
_STREAM = 0x5CE7E
"""Keeps these draws apart from those of the task, which the same seed makes."""


class Variety:
    """The randomization of one scene.

    A simulation uses it so, at the reset of an episode and whenever prompts have changed::

        base = variety.draw(seed)
        perturber.apply(variety.beneath(base, active))

    Args:
        scene: Whose objects vary.
        target: The object that prompts mean when they name none.
    """

    def __init__(self, scene: Scene, target: str) -> None:
        self._target = target
        self._things = [about for about in scene.objects.values() if about.variation is not None]

    def draw(self, seed: int) -> tuple[Perturbation, ...]:
        """Sizes, masses and colours of an episode."""
        if not self._things:
            return ()
        rng = np.random.default_rng((_STREAM, seed))
        return tuple(change for thing in self._things for change in _changes(thing, rng.random(5).tolist()))

    def beneath(self, base: Iterable[Perturbation], active: tuple[Perturbation, ...]) -> tuple[Perturbation, ...]:
        """What is in force if prompts ask for `active`; a prompt about a colour replaces the colour that was drawn."""
        asked = {one.target or self._target for one in active if one.axis == _COLOR}
        kept = tuple(one for one in base if one.axis != _COLOR or one.target not in asked)
        return (*kept, *active) if kept else active


def _changes(thing: SceneObject, u: list[float]) -> list[Perturbation]:
    varies, changes = thing.variation, []
    if varies is None:
        return []
    if varies.size is not None:
        factor = between(varies.size, u[0])
        intensity = abs(factor - 1) / SIZE_BOUND
        changes.append(Perturbation("object-size", min(intensity, 1.0), thing.name, "large" if factor > 1 else "small"))
    if varies.mass is not None:
        octave = math.log(between(varies.mass, u[1])) / math.log(MASS_BOUND)
        changes.append(
            Perturbation("object-mass", min(abs(octave), 1.0), thing.name, "heavy" if octave > 0 else "light")
        )
    if varies.color:
        changes.append(Perturbation(_COLOR, 1.0, thing.name, tuple(u[2:])))
    return changes


def between(bounds: tuple[float, float], u: float) -> float:
    """A factor, log-uniform between its bounds for u in [0, 1)."""
    low, high = bounds
    return float(low * (high / low) ** u)
