"""Evaluation: a policy on a grid of perturbed episodes, each fixed by its seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.trials import Trial
from adversarl.rollouts import Rollouts
from adversarl.types import Cell, CellResult

OnEpisode = Callable[[int, int], None]


def evaluate(
    learner: Learner, world: PerturbableVectorEnv, cells: Sequence[Cell], on_episode: OnEpisode | None = None
) -> list[CellResult]:
    """Runs every episode of every cell with the deterministic policy; see `Rollouts`.

    Args:
        learner: Whose `act` is judged.
        world: Where; whatever is in force in it is restored to nominal at the end.
        cells: The grid.
        on_episode: Called with (finished, total) after every episode.
    """
    trials = [Trial(*one) for cell in cells for one in zip(cell.seeds, cell.perturbations, strict=True)]
    outcomes = iter(Rollouts(world, learner.act).play(trials, on_episode or (lambda done, total: None)))
    results = []
    for cell in cells:
        rows = list(islice(outcomes, len(cell.seeds)))
        success, reward = tuple(row.success for row in rows), tuple(row.total_reward for row in rows)
        results.append(CellResult(cell.axis, cell.intensity, cell.seeds, success, reward))
    return results
