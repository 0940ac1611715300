"""How often a world's scripted teacher solves it: the proof that a task can be solved at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.metrics import rate
from adversarl.types import Rate


@dataclass(frozen=True, slots=True)
class TeacherResult:
    """What a teacher did with nominal episodes.

    Attributes:
        text: The task in English.
        success: How often it solved the task in time.
        mean_length: Mean length of the solved episodes [control steps]; None if it solved none.
        mean_return: Mean return of all episodes.
        limit: The time limit [control steps].
        failed: Seeds of the episodes that it did not solve.
    """

    text: str
    success: Rate
    mean_length: float | None
    mean_return: float
    limit: int
    failed: tuple[int, ...]


def measure_teacher(world: PerturbableVectorEnv, episodes: int, seed: int = 0) -> TeacherResult:
    """Plays nominal episodes with the teacher's actions.

    Args:
        world: A world with a teacher; it is reset.
        episodes: How many episodes; their seeds are `seed`, `seed` + 1, ...
        seed: Seed of the first.

    Raises:
        NoTeacher: The world has none.
    """
    seeds: NDArray[Any] = np.arange(seed, seed + episodes)
    parts = [_play(world, seeds[n : n + world.num_envs]) for n in range(0, episodes, world.num_envs)]
    solved, lengths, returns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return TeacherResult(
        world.task,
        rate(solved.tolist()),
        float(lengths[solved].mean()) if solved.any() else None,
        float(returns.mean()),
        world.max_episode_steps,
        tuple(seeds[~solved].tolist()),
    )


def _play(world: PerturbableVectorEnv, seeds: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Success, length [control steps] and return of one episode per seed; environments beyond them repeat the last."""
    everyone = range(world.num_envs)
    world.restore(everyone)
    world.reset(seed=[int(seeds[min(env, len(seeds) - 1)]) for env in everyone])
    solved, over = np.zeros(world.num_envs, bool), np.zeros(world.num_envs, bool)
    lengths, returns = np.zeros(world.num_envs, int), np.zeros(world.num_envs)
    while not over.all():
        _, rewards, terminated, truncated, info = world.step(world.teacher(everyone))
        returns += rewards * ~over
        lengths += ~over
        solved |= info["success"] & ~over
        over |= terminated | truncated
    count = len(seeds)
    return solved[:count], lengths[:count], returns[:count]
