"""Episodes played aside are the episodes of training, to the last bit of their returns."""

from __future__ import annotations

import numpy as np
import pytest

from adversarl.errors import NoCritic, NoPlayer
from adversarl.interfaces.trials import Trial
from adversarl.testing.fakes import make_learner, make_loop, make_trials
from adversarl.types import Perturbation, Proposal

SHIFT = Perturbation("camera-shift", 0.8, seed=3)
NOISE = Perturbation("action-noise", 1.0, seed=5, onset=4, duration=6)
HEAVY = Perturbation("mass", 1.0, seed=1, onset=2)


class Still:
    """A policy that does nothing, and values a state by the dot's distance from the middle."""

    pictures = True

    def act(self, observation, *, deterministic=True):
        return np.zeros((len(observation["proprio"]), 2), dtype=np.float32)

    def values(self, observation, state):
        return np.linalg.norm(state[:, :2], axis=1).astype(float)


@pytest.fixture
def trials():
    trials = make_trials(3)
    yield trials
    trials.close()


@pytest.fixture
def played(make_bench):
    """Episodes that the teacher played in a closed loop that changes them while they run."""
    bench = make_bench(
        Proposal("shake the controls strongly", "", onset=3, duration=5),
        Proposal("make the dot heavier at 60 % and shift the camera at 40 %", "", onset=1),
        Proposal("back to normal", "", onset=11),
        Proposal("shrink the goal at 50 %", "", onset=2),
        max_episode_steps=40,
    )
    bench.loop.reset(seed=0)
    while len(bench.heard.episodes) < 12:
        bench.loop.step(bench.loop.teacher(range(2)))
    return bench.heard.episodes


def test_an_episode_of_training_is_repeated_to_the_last_bit(played):
    trials = make_trials(4, image_size=16, max_episode_steps=40)
    outcomes = trials.play([Trial(e.seed, e.perturbations) for e in played], "teacher")
    trials.close()
    assert [(o.success, o.length, o.total_reward) for o in outcomes] == [
        (e.success, e.length, e.total_reward) for e in played
    ]
    assert len({o.total_reward for o in outcomes}) == len(played)


def test_perturbations_matter(played):
    trials = make_trials(4, image_size=16, max_episode_steps=40)
    with_them = trials.play([Trial(e.seed, e.perturbations) for e in played], "teacher")
    without = trials.play([Trial(e.seed) for e in played], "teacher")
    trials.close()
    assert [o.total_reward for o in with_them] != [o.total_reward for o in without]


@pytest.mark.parametrize("num_envs", [1, 2, 7])
def test_outcomes_do_not_depend_on_the_number_of_environments(trials, num_envs):
    wanted = [Trial(seed, perturbations) for seed in range(9) for perturbations in ((), (SHIFT, NOISE), (HEAVY,))]
    others = make_trials(num_envs)
    assert others.play(wanted, "teacher") == trials.play(wanted, "teacher")
    others.close()


def test_the_steps_of_trials_are_counted_and_those_of_idle_environments_are_not(trials):
    outcomes = trials.play([Trial(seed) for seed in range(4)], "teacher")
    assert trials.env_steps == sum(o.length for o in outcomes)


def test_nothing_is_played_and_no_world_is_made_for_no_trials(trials):
    assert trials.play([]) == []
    assert trials.env_steps == 0
    assert trials._worlds == {}


def test_a_few_trials_are_played_in_a_world_of_their_own_size():
    trials = make_trials(8)
    for count, widths in ((1, {1}), (3, {1, 4}), (5, {1, 4, 8}), (20, {1, 4, 8})):
        trials.play([Trial(seed) for seed in range(count)], "teacher")
        assert set(trials._worlds) == widths
    trials.close()
    assert trials._worlds == {}


def test_a_trace_says_how_it_went(trials):
    trials.learner = Still()
    (outcome,) = trials.play([Trial(0)], trace=True)
    trace, limit = outcome.trace, trials.world.max_episode_steps
    assert outcome.length == limit
    assert not outcome.success
    assert trace.frame.shape == (32, 32, 3)
    assert trace.proprio.shape == (limit, 4)
    assert trace.state.shape == (limit, 6)
    assert trace.rewards.sum() == pytest.approx(outcome.total_reward)
    assert trace.values is None


def test_values_are_those_of_the_states_before_each_step(trials):
    trials.learner = Still()
    (outcome,) = trials.play([Trial(0)], values=True)
    trace = outcome.trace
    np.testing.assert_allclose(trace.values[1:], np.linalg.norm(trace.state[:-1, :2], axis=1))


def test_without_a_policy_only_the_teacher_plays(trials):
    assert trials.play([Trial(0)], "teacher")
    with pytest.raises(NoPlayer, match="no policy to play an episode"):
        trials.play([Trial(0)])
    with pytest.raises(NoPlayer, match=r"no antagonist .* Set curriculum\.antagonist to the folder of a run"):
        trials.play([Trial(0)], "antagonist")


def test_a_learner_without_a_critic_says_so(trials):
    loop = make_loop()
    trials.learner = make_learner(loop)
    with pytest.raises(NoCritic, match="RandomSearch estimates no values of states"):
        trials.play([Trial(0)], values=True)
    loop.close()
