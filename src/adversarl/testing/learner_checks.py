"""Checks of learners, on a closed loop around the point-mass world."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation
from adversarl.interfaces.learner import Learner, LearnerOptions
from adversarl.loop import ClosedLoop
from adversarl.testing.fakes import make_loop, make_world
from adversarl.testing.kit import conformance, demand

IMAGE_SIZE = 64
"""Large enough for the usual convolutional networks [px]."""

FOREVER = 10**9


@contextmanager
def _learner(cls: type[Learner], options: LearnerOptions) -> Iterator[tuple[Learner, ClosedLoop]]:
    loop = make_loop(2, image_size=IMAGE_SIZE, max_episode_steps=20)
    try:
        yield cls(options, loop, np.random.default_rng(0)), loop
    finally:
        loop.close()


def _observation(n: int = 5) -> Observation:
    world = make_world(n, image_size=IMAGE_SIZE)
    return world.reset(seed=list(range(n)))[0]


def _stop(scalars: Mapping[str, float]) -> bool:
    del scalars
    return False


@conformance("learner")
def actions_are_valid(cls: type[Learner], options: LearnerOptions) -> None:
    """Actions for any number of observations are float32 in [-1, 1]; deterministic ones repeat."""
    with _learner(cls, options) as (learner, loop):
        size = (loop.single_action_space.shape or (0,))[0]
        for n in (1, 5):
            for deterministic in (True, False):
                actions = learner.act(_observation(n), deterministic=deterministic)
                demand(
                    actions.shape == (n, size) and actions.dtype == np.float32 and np.all(np.abs(actions) <= 1),
                    f"act() on {n} observation(s) returned {actions!r}",
                    f"Return float32 of shape ({n}, {size}), clipped to [-1, 1]",
                )
        _demand_equal(
            learner.act(_observation()), learner.act(_observation()), "two deterministic calls gave two actions"
        )


def _demand_equal(first: NDArray[Any], second: NDArray[Any], what: str) -> None:
    demand(np.array_equal(first, second), what, "Compare everything that act() and learn() read")


@conformance("learner")
def acting_changes_nothing(cls: type[Learner], options: LearnerOptions) -> None:
    """Evaluation in between does not alter training."""
    results = []
    for evaluate in (False, True):
        with _learner(cls, options) as (learner, _):
            if evaluate:
                learner.act(_observation())
            learner.learn(FOREVER, _stop)
            if evaluate:
                learner.act(_observation())
            learner.learn(FOREVER, _stop)
            results.append(learner.act(_observation()))
    _demand_equal(results[0], results[1], "training went differently because act() was called")


@conformance("learner")
def learning_stops_when_told(cls: type[Learner], options: LearnerOptions) -> None:
    """`on_progress` is called with finite scalars; False stops there, and learn() can be called again."""
    seen: list[dict[str, float]] = []

    def stop(scalars: Mapping[str, float]) -> bool:
        seen.append(dict(scalars))
        return False

    with _learner(cls, options) as (learner, _):
        learner.learn(FOREVER, stop)
        first = learner.env_steps
        demand(len(seen) == 1, f"learn() told its progress {len(seen)} times though told to stop", "Return on False")
        demand(0 < first < FOREVER, f"env_steps is {first} after the first progress", "Count environment steps")
        finite = all(isinstance(k, str) and np.isfinite(v) for k, v in seen[0].items())
        demand(finite, f"the scalars are {seen[0]}", "Pass finite numbers under names")
        learner.learn(FOREVER, stop)
        demand(learner.env_steps > first, "a second learn() made no steps", "Go on from where learning stopped")


@conformance("learner")
def env_steps_count_the_loops_steps(cls: type[Learner], options: LearnerOptions) -> None:
    """`env_steps` is the number of steps of all sub-environments, and reaches what was asked for."""
    with _learner(cls, options) as (learner, loop):
        learner.learn(500, lambda scalars: True)
        demand(
            learner.env_steps == loop.env_steps,
            f"env_steps is {learner.env_steps}, and the environment made {loop.env_steps}",
            "Add env.num_envs for every step() in learn()",
        )
        demand(learner.env_steps >= 500, f"learn(500) stopped after {learner.env_steps} steps", "Go on to total_steps")
        before = learner.env_steps
        learner.learn(500, lambda scalars: True)
        demand(learner.env_steps == before, "learn(500) went on after 500 steps", "Return when env_steps is there")


@conformance("learner")
def a_loaded_policy_acts_alike(cls: type[Learner], options: LearnerOptions) -> None:
    """Save and load keep the policy and the count of steps."""
    with tempfile.TemporaryDirectory() as folder, _learner(cls, options) as (learner, _):
        learner.learn(FOREVER, _stop)
        learner.save(Path(folder))
        with _learner(cls, options) as (copy, _):
            copy.load(Path(folder))
            _demand_equal(learner.act(_observation()), copy.act(_observation()), "a loaded policy acts differently")
            demand(
                copy.env_steps == learner.env_steps,
                f"env_steps is {copy.env_steps} after load() instead of {learner.env_steps}",
                "Save the count as well",
            )


@conformance("learner")
def a_resumed_learner_learns_alike(cls: type[Learner], options: LearnerOptions) -> None:
    """Interrupted, saved and loaded in a rewound environment, learning goes on bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        with _learner(cls, options) as (learner, loop):
            learner.learn(FOREVER, _stop)
            learner.save(Path(folder))
            snapshot = loop.snapshot()
            steps, actions = _go_on(learner)
        with _learner(cls, options) as (copy, other):
            other.rewind(snapshot)
            copy.load(Path(folder))
            steps_again, actions_again = _go_on(copy)
    demand(
        steps == steps_again,
        f"{steps_again} steps after a resume instead of {steps}",
        "Save counters and rollouts that are under way",
    )
    _demand_equal(actions, actions_again, "learning went differently after a resume")


def _go_on(learner: Learner) -> tuple[int, NDArray[np.float32]]:
    """Learns until told twice, as a lost generator may show only in what is drawn after the next update."""
    for _ in range(2):
        learner.learn(FOREVER, _stop)
    return learner.env_steps, learner.act(_observation())
