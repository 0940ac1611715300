"""What perturbations cost: of each axis alone, and of ten of them changing mid-episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.seeding import generator
from adversarl.types import Axis, Perturbation

NUMBER = 10
"""Axes that change together."""
STEPS, ROUNDS = 8, 5


class Changes:
    """New draws of ten visual axes in every environment, before each reset and again in the middle of each episode.

    Args:
        world: Whose first ten visual axes change.
    """

    def __init__(self, world: PerturbableVectorEnv) -> None:
        self._world, self._names = world, chosen(world)
        self._rng = generator(0, "bench axes")
        self._half = max(1, world.max_episode_steps // 2)
        self._steps, self._due = 0, {env: self._half for env in range(world.num_envs)}
        self._next = self._half

    def renew(self, envs: NDArray[np.intp]) -> None:
        """To be called before environments are reset."""
        self._draw(envs.tolist())
        self._due |= dict.fromkeys(envs.tolist(), self._steps + self._half)
        self._next = min(self._due.values())

    def step(self) -> None:
        """To be called before each step of the world."""
        if self._steps == self._next:
            envs = [env for env, due in self._due.items() if due == self._steps]
            self._draw(envs)
            self._due |= dict.fromkeys(envs, self._steps + self._world.max_episode_steps)
            self._next = min(self._due.values())
        self._steps += 1

    def _draw(self, envs: Sequence[int]) -> None:
        self._world.perturb(envs, [drawn(self._names, self._rng) for _ in envs])


def chosen(world: PerturbableVectorEnv) -> list[str]:
    """Names of the first ten visual axes that a world offers."""
    return [axis.name for axis in world.axes if axis.group == "visual"][:NUMBER]


class Samples:
    """What `Changes` puts in force, for loops that draw such scenes without changing them."""

    def __init__(self, world: PerturbableVectorEnv) -> None:
        self._names, self._rng = chosen(world), generator(0, "bench axes")

    def draw(self, number: int = 16) -> list[tuple[Perturbation, ...]]:
        """New sets of perturbations, others at each call: what a scene costs to draw depends on them."""
        return [drawn(self._names, self._rng) for _ in range(number)]


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
