"""Automatic domain randomization: ranges that widen where the policy succeeds at their boundary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import chosen_axes
from adversarl.types import Episode, FailureReport, Perturbation, Proposal


class AdrOptions(CurriculumOptions):
    """Keys of a ``[curriculum]`` table with ``use = "adr"``; symbols are those of Akkaya et al. 2019."""

    axes: tuple[str, ...] = Field((), description="Names of the axes to randomize; empty means all of the world's.")
    boundary_share: float = Field(
        0.5, gt=0, le=1, description="Share of episodes in which one axis is pinned to its boundary."
    )
    buffer: int = Field(10, ge=1, description="Episodes at a boundary that decide whether it moves, m.")
    step: float = Field(0.1, gt=0, le=1, description="How far a boundary moves, Delta, in intensity [1].")
    widen_at: float = Field(0.7, gt=0, le=1, description="Success rate at a boundary that widens the range, t_H.")
    narrow_at: float = Field(0.3, ge=0, lt=1, description="Success rate at a boundary that narrows the range, t_L.")
    start: float = Field(0.1, gt=0, le=1, description="First boundary of every axis, intensity [1].")
    min_width: float = Field(
        0.05, gt=0, le=1, description="Narrowest range, intensity [1]; above 0, so that the entropy stays finite."
    )

    @model_validator(mode="after")
    def _consistent(self) -> AdrOptions:
        if self.narrow_at >= self.widen_at:
            raise ValueError("narrow_at must be below widen_at. Lower it, or raise widen_at")
        if self.min_width > self.start:
            raise ValueError("min_width must not exceed start. Lower it, or raise start")
        return self


class Boundary:
    """The moving end phi_H of one axis' range [0, phi_H], and the results D that its next move depends on.

    Algorithm 1 of Akkaya et al. 2019: once m results are there, a mean of at least t_H moves it up by Delta, one of at
    most t_L down, and in every case the buffer is cleared.

    Args:
        options: m, Delta, t_H, t_L and the narrowest range.
    """

    def __init__(self, options: AdrOptions) -> None:
        self.options = options
        self.high = options.start
        """phi_H, intensity in [min_width, 1]."""
        self.results: list[int] = []
        """1 for a success, 0 for a failure; fewer than m."""

    def observe(self, success: bool) -> None:
        """Takes the result of an episode at the boundary."""
        options = self.options
        self.results.append(int(success))
        if len(self.results) < options.buffer:
            return
        mean = sum(self.results) / options.buffer
        self.results.clear()
        if mean >= options.widen_at:
            self.high = min(1.0, self.high + options.step)
        elif mean <= options.narrow_at:
            self.high = max(options.min_width, self.high - options.step)


class Adr(CurriculumStrategy):
    """Draws every axis from its own range, and lets the ranges grow with success (Akkaya et al. 2019, algorithm 1).

    Each axis has lambda_i ~ U[phi_L, phi_H]. In half of the episodes one axis, drawn uniformly, is pinned to its
    boundary; only their results move that boundary, all other axes being drawn as ever. There, a parameter has two
    boundaries. Here intensity is a magnitude, 0 is nominal and the direction is drawn from the perturbation's seed, so
    phi_L is 0 and each axis has one moving boundary, phi_H in [min_width, 1]. A result counts only if the boundary
    still is where the episode was pinned: episodes that were under way while it moved are left out.

    The defaults suit thousands of episodes on tens of axes; the paper had m = 240 and Delta = 0.02. No language is
    needed: proposals carry their perturbations, the text only describes them.
    """

    Options: ClassVar[type[CurriculumOptions]] = AdrOptions
    options: AdrOptions

    def __init__(self, options: AdrOptions, world: World, rng: np.random.Generator) -> None:
        """Starts with the same narrow range for every axis.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
        """
        super().__init__(options, world, rng)
        self.boundaries = {axis.name: Boundary(options) for axis in chosen_axes(world, options.axes)}
        self._pinned: dict[int, tuple[str, float]] = {}

    @property
    def entropy(self) -> float:
        """ADR entropy, 1/d sum_i log(phi_H - phi_L) of d axes [nats per dimension]; at most 0."""
        return sum(math.log(one.high) for one in self.boundaries.values()) / len(self.boundaries)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal that draws every axis, perhaps with one of them at its boundary."""
        names = tuple(self.boundaries)
        shares = self.rng.uniform(size=len(names)).tolist()
        seeds = self.rng.integers(2**31, size=len(names)).tolist()
        intensities = {name: share * self.boundaries[name].high for name, share in zip(names, shares, strict=True)}
        self._pinned.pop(slot.env, None)
        why = f"drawn from ranges of {math.exp(self.entropy):.0%} in geometric mean"
        if self.rng.random() < self.options.boundary_share:
            pinned = names[int(self.rng.integers(len(names)))]
            intensities[pinned] = self.boundaries[pinned].high
            self._pinned[slot.env] = (pinned, intensities[pinned])
            why = self._why(pinned)
        perturbations = tuple(
            Perturbation(name, intensity, seed=seed)
            for (name, intensity), seed in zip(intensities.items(), seeds, strict=True)
        )
        text = "randomize " + ", ".join(f"{p.axis} {p.intensity:.0%}" for p in perturbations)
        return (Proposal(text, why, perturbations),)

    def _why(self, pinned: str) -> str:
        boundary = self.boundaries[pinned]
        evidence = f"{sum(boundary.results)} of {len(boundary.results)} solved there"
        return f"{pinned} at its boundary of {boundary.high:.0%}, {evidence}; it is judged at {self.options.buffer}"

    def observe(self, episode: Episode) -> None:
        """Gives the result of an episode at a boundary to that boundary."""
        pinned = self._pinned.pop(episode.env, None)
        if pinned is None or episode.clean:
            return
        name, intensity = pinned
        if self.boundaries[name].high == intensity:
            self.boundaries[name].observe(episode.success)

    def refuse(self, slot: Slot) -> None:
        """Forgets what was pinned: nobody is going to play it."""
        self._pinned.pop(slot.env, None)

    def scalars(self) -> dict[str, float]:
        """Boundaries as intensities in [0, 1] under ``curriculum/boundary/``, and ``curriculum/adr_entropy``."""
        highs = {f"curriculum/boundary/{name}": one.high for name, one in self.boundaries.items()}
        return {"curriculum/adr_entropy": self.entropy} | highs

    def state_dict(self) -> dict[str, Any]:
        """Boundaries with their results, and what running episodes are pinned to; JSON-ready."""
        return {
            "boundaries": {name: [one.high, list(one.results)] for name, one in self.boundaries.items()},
            "pinned": [[env, *pinned] for env, pinned in self._pinned.items()],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        for name, (high, results) in state["boundaries"].items():
            self.boundaries[name].high, self.boundaries[name].results = high, list(results)
        self._pinned = {env: (name, intensity) for env, name, intensity in state["pinned"]}
