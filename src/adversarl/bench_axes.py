"""What perturbations cost: of each axis alone, and of ten of them changing mid-episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.seeding import generator
from adversarl.types import Axis, Perturbation

NUMBER = 10
"""Axes that change together."""
STEPS, ROUNDS = 8, 5


class Changes:
    """New draws of ten visual axes in every environment, at each reset and again in the middle of each episode.

    Args:
        world: Whose first ten visual axes change.
    """

    def __init__(self, world: PerturbableVectorEnv) -> None:
        self.world = world
        self.names = chosen(world)
        self.age = np.zeros(world.num_envs, dtype=np.int64)
        """Control steps since each environment's reset. Shape (num_envs,)."""
        self._rng = generator(0, "bench axes")
        self._half = max(1, world.max_episode_steps // 2)

    def step(self) -> None:
        """To be called before each step of the world."""
        envs = np.flatnonzero(self.age % self._half == 0)
        if len(envs):
            self.world.perturb(envs, [drawn(self.names, self._rng) for _ in envs])
        self.age += 1


def chosen(world: PerturbableVectorEnv) -> list[str]:
    """Names of the first ten visual axes that a world offers."""
    return [axis.name for axis in world.axes if axis.group == "visual"][:NUMBER]


def sample_changes(world: PerturbableVectorEnv, number: int = 16) -> list[tuple[Perturbation, ...]]:
    """What `Changes` would put in force, for loops that draw scenes without changing them."""
    rng, names = generator(0, "bench axes"), chosen(world)
    return [drawn(names, rng) for _ in range(number)]


def drawn(names: Sequence[str], rng: np.random.Generator) -> tuple[Perturbation, ...]:
    """Each axis at an intensity in [0, 1) with a seed of its own."""
    seeds, intensities = rng.integers(2**31, size=len(names)).tolist(), rng.random(len(names)).tolist()
    return tuple(Perturbation(n, i, seed=s) for n, i, s in zip(names, intensities, seeds, strict=True))


def axis_costs(world: PerturbableVectorEnv) -> list[dict[str, Any]]:
    """What each axis costs in a world of one environment.

    Returns:
        A row an axis: ``change_us``, what a step costs more at which the axis changes to a new draw at intensity 1/2,
        and ``frame_us``, what every step costs more while it is in force, both medians over rounds in [us].
    """
    rng = generator(0, "bench axes")
    return [_cost(world, axis, rng) for axis in world.axes]


def _cost(world: PerturbableVectorEnv, axis: Axis, rng: np.random.Generator) -> dict[str, Any]:
    def change() -> None:
        world.perturb([0], [(Perturbation(axis.name, 0.5, seed=int(rng.integers(2**31))),)])

    def nothing() -> None:
        pass

    rounds = []
    for _ in range(ROUNDS):
        world.restore([0])
        world.reset(seed=0)
        nominal = _step_time(world, nothing)
        change()
        world.reset(seed=0)
        constant, changing = _step_time(world, nothing), _step_time(world, change)
        rounds.append((changing - constant, constant - nominal))
    world.restore([0])
    change_us, frame_us = (1e6 * median(values) for values in zip(*rounds, strict=True))
    return {"axis": axis.name, "group": axis.group, "change_us": change_us, "frame_us": frame_us}


def _step_time(world: PerturbableVectorEnv, before: Callable[[], None]) -> float:
    """Median time of a step with what goes before it, the arm at rest [s]."""
    action = np.zeros(world.action_space.shape or (), np.float32)
    times = []
    for _ in range(STEPS):
        begun = time.perf_counter()
        before()
        world.step(action)
        times.append(time.perf_counter() - begun)
    return median(times)
