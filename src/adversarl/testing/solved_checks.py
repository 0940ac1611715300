"""Checks of what a backend does once its task is solved, and of how it knows that it is nearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoTeacher
from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl.testing.backend_checks import demand_inside
from adversarl.testing.kit import conformance, demand
from adversarl.testing.traces import ENVS, SEEDS, world_of

BEYOND = 120
"""Control steps that a solved world is stepped on, at most."""


@conformance("backend")
def a_solved_world_goes_on(cls: type[Backend], options: BackendOptions) -> None:
    """A solved environment that is stepped on has observations and rewards still, and ends by the time limit at last.

    Whoever judges by pictures may not have seen that it is solved.
    """
    with world_of(cls, options) as world:
        if (solved := _solve(world)) is None:
            return
        steps, ended = solved.steps, np.zeros(ENVS, dtype=bool)
        while steps < min(world.max_episode_steps, solved.steps + BEYOND):
            observation, reward, terminated, truncated, _ = world.step(world.teacher(range(ENVS)))
            steps, ended = steps + 1, terminated | truncated
            demand_inside(world, observation, f"step {steps}, after success in step {solved.steps},")
            finite = all(np.all(np.isfinite(array)) for array in (observation["proprio"], world.state(), reward))
            demand(finite, f"after success in step {solved.steps} step {steps} has nan or inf", _ON)
        demand(steps < world.max_episode_steps or ended.all(), f"success, and no end after {steps} steps", _ON)


_ON = "Go on as if nothing had been solved, until somebody resets it; set terminated or truncated at the time limit"


@conformance("backend")
def potential_grows_towards_success(cls: type[Backend], options: BackendOptions) -> None:
    """Where the world knows how near it is to success, it is a finite number each, higher where solved than before."""
    with world_of(cls, options) as world:
        world.reset(seed=list(SEEDS))
        try:
            begun = world.potential()
        except NotImplementedError:
            return
        demand(
            np.shape(begun) == (ENVS,) and np.all(np.isfinite(begun)),
            f"potential() is {begun!r}",
            f"Return finite numbers of shape ({ENVS},)",
        )
        begun = np.array(begun)
        if (solved := _solve(world)) is None:
            return
        now = world.potential()[solved.where]
        demand(
            np.all(now > begun[solved.where]),
            f"the potential is {now} where solved, and was {begun[solved.where]} at the start",
            "Let it rise towards success: it labels the progress that reward detectors learn to see",
        )


@dataclass(frozen=True, slots=True)
class _Solved:
    """That the teacher solved environments, of which mask, in which control step."""

    where: NDArray[np.bool_]
    steps: int


def _solve(world: PerturbableVectorEnv) -> _Solved | None:
    """Plays the teacher until it solves some environment; None if there is no teacher or it solves none."""
    world.reset(seed=list(SEEDS))
    try:
        for step in range(1, world.max_episode_steps + 1):
            info = world.step(world.teacher(range(ENVS)))[4]
            if info["success"].any():
                return _Solved(info["success"].copy(), step)
    except NoTeacher:
        return None
    return None
