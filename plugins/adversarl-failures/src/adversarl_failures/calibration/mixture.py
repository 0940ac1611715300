"""What is in force in the episodes of a calibration: a mixture as curricula make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from adversarl.interfaces.trials import Trial
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Axis, Perturbation

STEP = 0.05
"""Intensities are multiples of 5 %, as in the prompts of curricula."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How episodes are drawn.

    Attributes:
        clean: Share of episodes left nominal.
        alone: Share of the perturbed episodes with one axis.
        few: Share of the perturbed episodes with 2 to 4 axes; the rest have 5 to 10.
        late: Share of the perturbed episodes that change only while they run.
        latest: Last control step at which they do.
        loyal: Share of the episodes with one of two companions that have the other one as well.
    """

    clean: float = 0.1
    alone: float = 0.25
    few: float = 0.5
    late: float = 0.2
    latest: int = 2
    loyal: float = 0.9

    def trial(self, axes: Sequence[Axis], rng: np.random.Generator, companions: Sequence[Axis] = ()) -> Trial:
        """One episode: axes without replacement, each with its own intensity from 5 % to 100 %.

        Args:
            axes: What may vary.
            rng: Draws.
            companions: Two axes that mostly come together, then with one intensity.
        """
        seed = int(rng.integers(TRAINING_SEEDS))
        if rng.random() < self.clean:
            return Trial(seed)
        count = min(self._count(rng), len(axes))
        onset = int(rng.integers(1, self.latest + 1)) if rng.random() < self.late else 0
        chosen = [axes[index] for index in rng.choice(len(axes), count, replace=False)]
        drawn = [_perturbation(axis, onset, rng) for axis in chosen]
        return Trial(seed, tuple(self._joined(drawn, companions, onset, rng)))

    def _joined(
        self, drawn: list[Perturbation], companions: Sequence[Axis], onset: int, rng: np.random.Generator
    ) -> list[Perturbation]:
        there = {p.axis: p for p in drawn}
        met = [there[axis.name].intensity for axis in companions if axis.name in there]
        if not met or (len(met) == 1 and rng.random() >= self.loyal):
            return drawn
        both = [replace(_perturbation(axis, onset, rng), intensity=met[0]) for axis in companions]
        return [*(p for p in drawn if all(p.axis != axis.name for axis in companions)), *both]

    def _count(self, rng: np.random.Generator) -> int:
        kind = rng.random()
        if kind < self.alone:
            return 1
        return int(rng.integers(2, 5) if kind < self.alone + self.few else rng.integers(5, 11))


def _perturbation(axis: Axis, onset: int, rng: np.random.Generator) -> Perturbation:
    intensity = STEP * int(rng.integers(1, round(1 / STEP) + 1))
    seed = int(rng.integers(TRAINING_SEEDS))
    return Perturbation(axis.name, min(1.0, intensity), seed=seed, onset=onset if axis.mid_episode else 0)
