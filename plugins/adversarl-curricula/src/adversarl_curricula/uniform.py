"""Hand-coded domain randomization: what people use today, and the baseline to beat."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.types import FailureReport, Perturbation, Proposal
from adversarl_curricula.selection import chosen_axes

log = logging.getLogger(__name__)

ROBOSUITE = {
    "camera-position": 0.1,
    "camera-orientation": 0.97,
    "camera-fov": 1.0,
    "light-position": 0.1,
    "light-direction": 0.5,
    "light-intensity": 0.1,
    "ambient-light": 0.2,
    "table-color": 0.3,
    "object-color": 0.3,
    "robot-color": 0.3,
    "background-color": 0.3,
    "table-texture": 0.2,
    "object-texture": 0.2,
    "robot-texture": 0.2,
    "background-texture": 0.2,
}
"""Highest intensity per axis that matches the defaults of robosuite 1.5's ``DomainRandomizationWrapper``.

Camera 0.01 m of 0.1 m, 0.087 rad of 0.09 rad, 5 deg of 5 deg; light 0.1 m of 1 m, 0.35 rad of 0.7 rad, diffuse 0.1,
ambient 0.1 of 0.5; colours interpolated by 0.3 (material) and 0.2 (local noise, here the texture's opacity).
"""


class UniformOptions(CurriculumOptions):
    """Options of `Uniform`."""

    preset: Literal["robosuite", "strong"] = Field(
        "robosuite",
        description="robosuite: the defaults of its DomainRandomizationWrapper, axes that it does not randomize stay "
        "nominal; strong: the full range of every axis.",
    )
    max_intensity: float | None = Field(
        None, gt=0, le=1, description="Highest intensity [1] of every axis; replaces the preset's."
    )
    axes: tuple[str, ...] = Field((), description="Names of the axes to randomize; empty means all of the world's.")


class Uniform(CurriculumStrategy):
    """Draws every axis anew at each reset, independently, intensity from U[0, maximum of the axis].

    Nothing changes within an episode and nothing is learnt from failures (Tobin et al. 2017). No language is needed:
    proposals carry their perturbations, the text only describes them.
    """

    Options: ClassVar[type[CurriculumOptions]] = UniformOptions
    options: UniformOptions

    def __init__(self, options: UniformOptions, world: World, rng: np.random.Generator) -> None:
        """Looks the axes up.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
        """
        super().__init__(options, world, rng)
        highest = {axis.name: self._highest(axis.name) for axis in chosen_axes(world, options.axes)}
        self._names = tuple(name for name, maximum in highest.items() if maximum > 0)
        self._maxima = np.array([highest[name] for name in self._names])
        if not self._names:
            log.warning("uniform: the preset '%s' randomizes no axis of this world", options.preset)

    def _highest(self, axis: str) -> float:
        if self.options.max_intensity is not None:
            return self.options.max_intensity
        return 1.0 if self.options.preset == "strong" else ROBOSUITE.get(axis, 0.0)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal with an independent draw for every axis."""
        if not self._names:
            return ()
        intensities = self.rng.uniform(0.0, self._maxima).tolist()
        seeds = self.rng.integers(2**31, size=len(self._names)).tolist()
        drawn = zip(self._names, intensities, seeds, strict=True)
        perturbations = tuple(Perturbation(name, intensity, seed=seed) for name, intensity, seed in drawn)
        return (Proposal(self._text(perturbations), self._why(), perturbations),)

    @staticmethod
    def _text(perturbations: Sequence[Perturbation]) -> str:
        return "randomize " + ", ".join(f"{p.axis} {p.intensity:.0%}" for p in perturbations)

    def _why(self) -> str:
        given = self.options.max_intensity
        reach = f"up to {given:.0%}" if given is not None else f"preset {self.options.preset}"
        return f"hand-coded randomization of {len(self._names)} axes, {reach}, whatever the policy does"
