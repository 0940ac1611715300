"""Checks of reward detectors."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score, Step
from adversarl.testing.kit import conformance, demand
from adversarl.testing.traces import world_of


def _steps(count: int, num_envs: int) -> list[Step]:
    """Steps of the point-mass world under its teacher, some of them successful."""
    from adversarl.builtin.point_mass import PointMass

    steps = []
    with world_of(PointMass, PointMass.Options.model_validate({}), num_envs) as world:
        world.reset(seed=list(range(num_envs)))
        for _ in range(count):
            observation, reward, _, _, info = world.step(world.teacher(range(num_envs)))
            steps.append(Step(np.array(observation["image"]), world.task, np.array(reward), info["success"].copy()))
    return steps


@conformance("reward")
def scores_have_one_row_per_environment(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Rewards are finite numbers and successes bool, both of shape (num_envs,), for any number of environments."""
    for num_envs in (1, 3):
        score = cls(options).score(_steps(1, num_envs)[0])
        reward, success = np.asarray(score.reward), np.asarray(score.success)
        demand(
            isinstance(score, Score) and reward.shape == (num_envs,) and np.all(np.isfinite(reward)),
            f"the reward for {num_envs} environment(s) is {score.reward!r}",
            f"Return Score with a finite reward of shape ({num_envs},)",
        )
        demand(
            success.shape == (num_envs,) and success.dtype == np.bool_,
            f"the success for {num_envs} environment(s) is {score.success!r}",
            f"Return Score with a bool success of shape ({num_envs},)",
        )


@conformance("reward")
def scoring_leaves_the_step_alone(cls: type[RewardDetector], options: RewardOptions) -> None:
    """The step's arrays belong to the loop: none is changed."""
    step = _steps(1, 2)[0]
    copy = deepcopy(step)
    cls(options).score(step)
    for name in ("frames", "reward", "success"):
        demand(
            np.array_equal(getattr(step, name), getattr(copy, name)), f"score() changed step.{name}", "Work on a copy"
        )


@conformance("reward")
def a_resumed_detector_scores_alike(cls: type[RewardDetector], options: RewardOptions) -> None:
    """A new detector with the state of an old one goes on as the old one does."""
    steps = _steps(20, 2)
    first = cls(options)
    for step in steps[:10]:
        first.score(step)
    second = cls(options)
    second.load_state_dict(deepcopy(first.state_dict()))
    for step in steps[10:]:
        here, there = first.score(step), second.score(step)
        alike = np.array_equal(here.reward, there.reward) and np.array_equal(here.success, there.success)
        demand(alike, "a resumed detector scores differently", "Put all that later scores depend on into state_dict()")
