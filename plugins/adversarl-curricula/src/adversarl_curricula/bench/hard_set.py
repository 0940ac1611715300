"""The episodes that every policy is judged on: held-out seeds, all of them solvable."""

from __future__ import annotations

import numpy as np

from adversarl.evaluate import evaluate
from adversarl.interfaces.learner import Learner
from adversarl.seeding import TRAINING_SEEDS, generator
from adversarl.types import Cell, CellResult, Perturbation
from adversarl_curricula.bench.axes import LEARNABLE
from adversarl_curricula.bench.world import Compensation

PLAYERS = 64
"""Environments that play at once; outcomes do not depend on it."""
TOGETHER = (0.25, 0.5, 0.75, 1.0)
MIXED = "mixed"
NOMINAL = "nominal"


def hard_set(episodes: int = 50) -> list[Cell]:
    """The cells of the hard set, and a nominal one, which does not count.

    Of every learnable axis alone at intensity 1 there are `episodes`, as many of all four together at each of 25, 50,
    75 and 100 %, and four times as many with independent intensities U[0, 1]; the nominal cell has `episodes` more.
    """
    rng = generator(0, "hard set")

    def cell(axis: str, intensity: float, count: int, draw: dict[str, float] | None) -> Cell:
        seeds = tuple((TRAINING_SEEDS + rng.integers(TRAINING_SEEDS, size=count)).tolist())
        return Cell(axis, intensity, seeds, tuple(_perturbations(draw, rng) for _ in seeds))

    alone = [cell(axis, 1.0, episodes, {axis: 1.0}) for axis in LEARNABLE]
    together = [cell("together", x, episodes, dict.fromkeys(LEARNABLE, x)) for x in TOGETHER]
    return [*alone, *together, cell(MIXED, 1.0, 4 * episodes, None), cell(NOMINAL, 0.0, episodes, {})]


def _perturbations(draw: dict[str, float] | None, rng: np.random.Generator) -> tuple[Perturbation, ...]:
    """Given intensities, or independent ones of all learnable axes; directions are drawn in any case."""
    intensities = draw if draw is not None else {axis: float(rng.random()) for axis in LEARNABLE}
    return tuple(Perturbation(axis, x, seed=int(rng.integers(2**31))) for axis, x in intensities.items())


def judge(learner: Learner, cells: list[Cell]) -> list[CellResult]:
    """Plays the cells with the deterministic policy in a world of their own."""
    return evaluate(learner.act, Compensation(PLAYERS, seed=0), cells)


def success(results: list[CellResult]) -> float:
    """Success on the hard set: over all its episodes, the nominal ones left out."""
    outcomes = [outcome for cell in results if cell.axis != NOMINAL for outcome in cell.success]
    return float(np.mean(outcomes))
