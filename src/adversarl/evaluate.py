"""Evaluation: a policy on a grid of perturbed episodes, each fixed by its seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.types import Cell, CellResult, Perturbation

OnEpisode = Callable[[int, int], None]
Job = tuple[int, tuple[Perturbation, ...]]


def evaluate(
    learner: Learner, world: PerturbableVectorEnv, cells: Sequence[Cell], on_episode: OnEpisode | None = None
) -> list[CellResult]:
    """Runs every episode of every cell with the deterministic policy.

    An episode depends on its seed and its perturbations alone, so two policies are judged on the same ones and
    the number of environments does not matter.

    Args:
        learner: Whose `act` is judged.
        world: Where; whatever is in force in it is restored to nominal at the end.
        cells: The grid.
        on_episode: Called with (finished, total) after every episode.
    """
    jobs: list[Job] = [job for cell in cells for job in zip(cell.seeds, cell.perturbations, strict=True)]
    outcomes = iter(_run(learner, world, jobs, on_episode or (lambda done, total: None)))
    results = []
    for cell in cells:
        rows = list(islice(outcomes, len(cell.seeds)))
        success, reward = tuple(s for s, _ in rows), tuple(r for _, r in rows)
        results.append(CellResult(cell.axis, cell.intensity, cell.seeds, success, reward))
    return results


def _run(
    learner: Learner,
    world: PerturbableVectorEnv,
    jobs: Sequence[Job],
    on_episode: OnEpisode,
) -> list[tuple[bool, float]]:
    """Plays the jobs, each environment taking the next one when it is free."""
    results: list[tuple[bool, float]] = [(False, 0.0)] * len(jobs)
    queue = list(reversed(range(len(jobs))))
    playing = np.full(world.num_envs, -1)
    total = np.zeros(world.num_envs)
    finished, free = 0, np.ones(world.num_envs, dtype=bool)
    while finished < len(jobs):
        if free.any():
            observation = _deal(world, jobs, queue, playing, free)
            total[free] = 0.0
        observation, reward, terminated, truncated, info = world.step(learner.act(observation))
        total += reward
        free = terminated | truncated
        for env in np.flatnonzero(free & (playing >= 0)):
            results[playing[env]] = (bool(info["success"][env]), float(total[env]))
            finished += 1
            on_episode(finished, len(jobs))
    world.restore(range(world.num_envs))
    return results


def _deal(
    world: PerturbableVectorEnv,
    jobs: Sequence[Job],
    queue: list[int],
    playing: NDArray[np.int64],
    free: NDArray[np.bool_],
) -> Observation:
    """Resets free environments into their next jobs; those without one idle in the nominal world."""
    indices = np.flatnonzero(free)
    playing[indices] = [queue.pop() if queue else -1 for _ in indices]
    seeds: list[int | None] = [None] * world.num_envs
    for env in indices:
        seeds[env] = jobs[playing[env]][0] if playing[env] >= 0 else 0
    world.restore(indices)
    world.perturb(indices, [jobs[playing[env]][1] if playing[env] >= 0 else () for env in indices])
    return world.reset(seed=seeds, options={"reset_mask": free})[0]
