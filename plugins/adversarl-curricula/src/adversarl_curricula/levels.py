"""Levels: worlds that can be repeated exactly, where they come from, and which of them are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, World
from adversarl.phrases import chosen_axes
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Axis, Perturbation, Proposal
from adversarl_curricula.scores import replay_weights


class LevelOptions(CurriculumOptions):
    """How levels are drawn."""

    axes: tuple[str, ...] = Field((), description="Names of the axes to work with; empty means all of the world's.")
    max_axes: int | None = Field(None, ge=1, description="Most axes of a level. Default: all of them.")
    max_intensity: float = Field(1.0, gt=0, le=1, description="Highest intensity [1] of every axis.")
    mid_episode_share: float = Field(
        0.2, ge=0, le=1, description="Share of levels that change while the episode runs instead of at its reset."
    )
    brief_share: float = Field(
        0.5, ge=0, le=1, description="Share of mid-episode changes that end again before the episode does."
    )


@dataclass(slots=True)
class Level:
    """One perturbed world and the reset seeds it is played from; each seed is an episode that repeats exactly.

    Attributes:
        number: Running number, from 0.
        text: What varies, in English.
        perturbations: What varies, with seeds, onsets and durations.
        onset: Control steps after the reset at which it takes effect.
        duration: Control steps it stays in force; None is until the episode ends.
        seeds: Reset seeds.
        results: The latest result from each reset seed; None where there is none yet.
        highest: The highest discounted return from each reset seed; None where it is not known.
        score: How much there is to learn.
        sampled: How many levels had been sampled when it was sampled last.
    """

    number: int
    text: str
    perturbations: tuple[Perturbation, ...]
    onset: int
    duration: int | None
    seeds: tuple[int, ...]
    results: list[float | None]
    highest: list[float | None]
    score: float = 0.0
    sampled: int = 0

    @property
    def complete(self) -> bool:
        """Whether there is a result from each reset seed."""
        return None not in self.results

    def proposal(self, index: int, why: str) -> Proposal:
        """Asks for the episode of one of its reset seeds."""
        return Proposal(self.text, why, self.perturbations, self.onset, self.duration, self.seeds[index])

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Level:
        """Brings `to_json` back."""
        perturbations = tuple(Perturbation(**one) for one in state["perturbations"])
        return cls(**{**state, "perturbations": perturbations, "seeds": tuple(state["seeds"])})


class LevelMaker:
    """Draws levels at random: how many axes, which, how much, from when to when, and from which reset seeds.

    Args:
        options: Ranges of what is drawn.
        world: What can vary.
        seeds: Reset seeds of a level.
        rng: The curriculum's generator.

    Raises:
        PerturbationError: The options name an axis that the world does not have.
    """

    def __init__(self, options: LevelOptions, world: World, seeds: int, rng: np.random.Generator) -> None:
        self.options, self.seeds, self.rng = options, seeds, rng
        self.axes, self.limit = chosen_axes(world, options.axes), world.max_episode_steps

    def draw(self, number: int) -> Level:
        """A new level that nobody has played."""
        most = min(self.options.max_axes or len(self.axes), len(self.axes))
        count = int(self.rng.integers(1, most + 1))
        chosen = sorted(self.rng.choice(len(self.axes), size=count, replace=False).tolist())
        axes = [self.axes[index] for index in chosen]
        onset, duration = self._times(axes)
        perturbations = tuple(
            replace(one, onset=onset if axis.mid_episode else 0, duration=duration)
            for axis, one in zip(axes, self._perturbations(axes), strict=True)
        )
        seeds = tuple(self.rng.integers(TRAINING_SEEDS, size=self.seeds).tolist())
        text = _describe(perturbations, onset, duration)
        empty: list[float | None] = [None] * self.seeds
        return Level(number, text, perturbations, onset, duration, seeds, empty, list(empty))

    def _perturbations(self, axes: list[Axis]) -> list[Perturbation]:
        intensities = self.rng.uniform(0, self.options.max_intensity, size=len(axes)).tolist()
        seeds = self.rng.integers(2**31, size=len(axes)).tolist()
        drawn = zip(axes, intensities, seeds, strict=True)
        return [Perturbation(axis.name, intensity, seed=seed) for axis, intensity, seed in drawn]

    def _times(self, axes: list[Axis]) -> tuple[int, int | None]:
        """Onset in the first half of the time limit, and perhaps a duration of at most as long; [control steps]."""
        can_wait = self.limit > 1 and any(axis.mid_episode for axis in axes)
        if not can_wait or self.rng.random() >= self.options.mid_episode_share:
            return 0, None
        half = max(2, self.limit // 2)
        onset = int(self.rng.integers(1, half))
        brief = self.rng.random() < self.options.brief_share
        return onset, int(self.rng.integers(1, half)) if brief else None


def _describe(perturbations: tuple[Perturbation, ...], onset: int, duration: int | None) -> str:
    what = "randomize " + ", ".join(f"{p.axis} {p.intensity:.0%}" for p in perturbations)
    if not onset:
        return what
    return f"{what} from step {onset}" + (f" for {duration} steps" if duration else "")


class LevelBuffer:
    """The levels worth repeating.

    Args:
        size: Most levels kept.
        beta: Temperature of the ranks, see `rank_weights`.
        rho: Share of the weight that goes by staleness, see `stale_weights`.
    """

    def __init__(self, size: int, beta: float, rho: float) -> None:
        self.size, self.beta, self.rho = size, beta, rho
        self.levels: dict[int, Level] = {}
        """By number."""

    def weights(self, sampled: int) -> NDArray[np.float64]:
        """Probability of replaying each level, in their order, after `sampled` levels in all. Shape (n,)."""
        levels = self.levels.values()
        ages = [sampled - level.sampled for level in levels]
        return replay_weights([level.score for level in levels], ages, self.beta, self.rho)

    def draw(self, sampled: int, rng: np.random.Generator) -> Level:
        """A level to replay."""
        numbers = list(self.levels)
        return self.levels[numbers[int(rng.choice(len(numbers), p=self.weights(sampled)))]]

    def rank(self, level: Level) -> int:
        """1 for the highest score."""
        return 1 + sum(other.score > level.score for other in self.levels.values())

    def insert(self, level: Level) -> None:
        """Keeps a scored level; once full, in place of the oldest of those with the lowest score, if that is no higher.

        The rule for equal scores is that of the authors' code, where newer levels win.
        """
        if len(self.levels) >= self.size:
            worst = min(self.levels.values(), key=lambda other: (other.score, other.number))
            if worst.score > level.score:
                return
            del self.levels[worst.number]
        self.levels[level.number] = level
