"""Checks of all reward detectors."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np

from adversarl.detection import FrameDetector
from adversarl.interfaces.reward import RewardDetector, RewardOptions, Score
from adversarl.testing.films import STEPS, detector_of, film
from adversarl.testing.kit import conformance, demand


def _demand_score(score: Score, num_envs: int) -> None:
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
def scores_have_one_row_per_environment(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Rewards are finite numbers and successes bool, both of shape (num_envs,), for any number of environments."""
    for num_envs in (1, 3):
        with detector_of(cls, options) as detector:
            _demand_score(detector.score(film(num_envs, count=1).steps[0]), num_envs)


@conformance("reward")
def scoring_leaves_the_step_alone(cls: type[RewardDetector], options: RewardOptions) -> None:
    """The step's arrays belong to the loop: none is changed."""
    step = film(2, count=1).steps[0]
    copy = deepcopy(step)
    with detector_of(cls, options) as detector:
        detector.score(step)
        detector.verdict(step, np.ones(2, dtype=bool))
    for name in ("frames", "reward", "success", "ending"):
        same = np.array_equal(getattr(step, name), getattr(copy, name))
        demand(same, f"score() or verdict() changed step.{name}", "Work on a copy")


@conformance("reward")
def a_detector_scores_with_and_without_begin(cls: type[RewardDetector], options: RewardOptions) -> None:
    """`begin` may come or not, for all environments or for one; `ending` may be known or not."""
    shown = film(2)
    for told in (True, False):
        with detector_of(cls, options) as detector:
            if told:
                first = shown.first.copy()
                detector.begin(first, shown.everywhere, shown.task)
                demand(np.array_equal(first, shown.first), "begin() changed the pictures", "Work on a copy")
            for number, step in enumerate(shown.steps):
                _demand_score(detector.score(step if told else replace(step, ending=None)), 2)
                if told and number == STEPS // 2:
                    detector.begin(step.frames, np.array([False, True]), shown.task)


@conformance("reward")
def a_verdict_is_about_the_episodes_that_end(cls: type[RewardDetector], options: RewardOptions) -> None:
    """`verdict` gives a bool for each environment of the mask, in their order, whether or not `score` was asked."""
    shown = film(3)
    for mask in (np.array([True, False, True]), np.ones(3, dtype=bool)):
        with detector_of(cls, options) as detector:
            verdict = np.asarray(detector.verdict(shown.steps[-1], mask))
        demand(
            verdict.shape == (mask.sum(),) and verdict.dtype == np.bool_,
            f"the verdict on {mask.sum()} of 3 episodes is {verdict!r}",
            "Return a bool array of shape (ended.sum(),)",
        )


@conformance("reward")
def what_it_says_of_itself_can_be_written_down(cls: type[RewardDetector], options: RewardOptions) -> None:
    """`reasons` has a text for each environment, or none at all; `scalars` are finite numbers."""
    with detector_of(cls, options) as detector:
        for step in film(2).steps:
            detector.score(step)
        reasons, scalars = detector.reasons(), detector.scalars()
    demand(
        len(reasons) in (0, 2) and all(isinstance(reason, str) for reason in reasons),
        f"the reasons for 2 environments are {reasons!r}",
        "Return one string each, or an empty tuple",
    )
    wrong = {name: value for name, value in scalars.items() if not np.isfinite(value)}
    demand(not wrong, f"scalars are {wrong}", "Leave out what is not known")


@conformance("reward")
def a_resumed_detector_scores_alike(cls: type[RewardDetector], options: RewardOptions) -> None:
    """A new detector with the pickled state of an old one goes on as the old one does."""
    demand_resumable(cls, options)


def demand_resumable(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Fails the running check unless a detector goes on alike with the pickled state of another one."""
    shown = film(2)
    with detector_of(cls, options) as first, detector_of(cls, options) as second:
        first.begin(shown.first, shown.everywhere, shown.task)
        for step in shown.steps[: STEPS // 2]:
            first.score(step)
        second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
        for step in shown.steps[STEPS // 2 :]:
            here, there = first.score(step), second.score(step)
            alike = np.array_equal(here.reward, there.reward) and np.array_equal(here.success, there.success)
            demand(
                alike, "a resumed detector scores differently", "Put all that later scores depend on into state_dict()"
            )


@conformance("reward")
def a_detector_can_be_closed_at_any_time(cls: type[RewardDetector], options: RewardOptions) -> None:
    """Also before it was asked anything, while pictures are on their way, and twice."""
    waiting = options.model_copy(update={"delay": 5}) if issubclass(cls, FrameDetector) else options
    for steps in ((), film(2).steps[:2]):
        with detector_of(cls, waiting) as detector:
            for step in steps:
                detector.score(step)
            detector.close()
            detector.close()
