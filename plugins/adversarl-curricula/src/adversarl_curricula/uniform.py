"""Hand-coded domain randomization: what people use today, and the baseline to beat."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import chosen_axes
from adversarl.presets import Range
from adversarl.types import FailureReport, Perturbation, Proposal

log = logging.getLogger(__name__)

FULL = "full"
"""Name of the preset that every world has: all axes, each up to 1."""


class UniformOptions(CurriculumOptions):
    """Options of `Uniform`."""

    preset: str | None = Field(
        None,
        description="A preset of the world (`adversarl axes list` shows them), such as robosuite, or full: the whole "
        "range of every axis. Axes that a preset leaves out stay nominal. Default: the world's first, else full.",
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
        """Looks axes and preset up.

        Raises:
            PerturbationError: The options name an axis or a preset that the world does not have.
        """
        super().__init__(options, world, rng)
        self._preset = options.preset or next((preset.name for preset in world.presets), FULL)
        ranges: dict[str, list[Range]] = {axis.name: [] for axis in chosen_axes(world, options.axes)}
        for one in self._ranges():
            ranges.get(one.axis, []).append(one)
        self._choices = [tuple(several) for several in ranges.values() if several]
        if not self._choices:
            log.warning("uniform: the preset '%s' randomizes none of the axes", self._preset)

    def _ranges(self) -> Sequence[Range]:
        everything = tuple(Range(axis.name, self.options.max_intensity or 1.0) for axis in self.world.axes)
        presets = {preset.name: preset.ranges for preset in self.world.presets} | {FULL: everything}
        if self._preset not in presets:
            raise PerturbationError("preset", self._preset, presets)
        return everything if self.options.max_intensity is not None else presets[self._preset]

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal with an independent draw for every axis."""
        if not self._choices:
            return ()
        shares = self.rng.uniform(size=len(self._choices)).tolist()
        seeds = self.rng.integers(2**31, size=len(self._choices)).tolist()
        drawn = [ranges[seed % len(ranges)] for ranges, seed in zip(self._choices, seeds, strict=True)]
        perturbations = tuple(
            Perturbation(one.axis, share * one.high, value=one.value, seed=seed)
            for one, share, seed in zip(drawn, shares, seeds, strict=True)
        )
        return (Proposal(self._text(perturbations), self._why(), perturbations),)

    @staticmethod
    def _text(perturbations: Sequence[Perturbation]) -> str:
        return "randomize " + ", ".join(f"{p.axis} {p.intensity:.0%}" for p in perturbations)

    def _why(self) -> str:
        given = self.options.max_intensity
        reach = f"up to {given:.0%}" if given is not None else f"preset {self._preset}"
        return f"hand-coded randomization of {len(self._choices)} axes, {reach}, whatever the policy does"
