from __future__ import annotations

import numpy as np
import pytest
from adversarl_sb3.ppo import PPO
from adversarl_sb3.sac import SAC
from stable_baselines3.common.callbacks import CallbackList

from adversarl.errors import NoCritic
from adversarl.interfaces.trials import Trial
from adversarl.testing.fakes import make_loop, make_trials
from adversarl.types import Perturbation

SMALL = dict(n_steps=32, batch_size=64, n_epochs=2, hidden=64, warm_start_steps=0, distillation=0.0, threads=1)


def make(env, **options):
    return PPO(PPO.Options(**(SMALL | options)), env, np.random.default_rng(0))


def go_on(scalars):
    return True


def collect(learner):
    """A rollout as training collects one, without the update that would change the critic afterwards."""
    algorithm, buffer = learner.algorithm, learner.algorithm.rollout_buffer
    algorithm.collect_rollouts(algorithm.env, algorithm._init_callback(CallbackList([])), buffer, algorithm.n_steps)
    return buffer


def test_values_are_those_that_the_rollout_buffer_holds_for_the_same_observations(world):
    learner = make(world(4))
    learner.learn(512, go_on)
    buffer = collect(learner)
    rows = [{key: array[step] for key, array in buffer.observations.items()} for step in range(buffer.buffer_size)]
    states = [row.pop("state") for row in rows]
    found = np.array([learner.values(row, state) for row, state in zip(rows, states, strict=True)])
    assert found.shape == (32, 4)
    assert found.dtype == np.float64
    assert found.std() > 1e-3
    np.testing.assert_array_equal(found, buffer.values)


def test_the_critic_sees_the_state_and_not_the_picture(world):
    env = world(4)
    learner = make(env)
    observation, _ = env.reset(seed=0)
    values = learner.values(observation, env.state())
    dark = observation | {"image": np.zeros_like(observation["image"])}
    np.testing.assert_array_equal(learner.values(dark, env.state()), values)
    assert np.all(learner.values(observation, env.state() + 0.5) != values)


def test_values_come_to_be_discounted_returns_in_units_of_reward(world):
    learner = make(world(8), learning_rate=1e-2, n_epochs=4, gamma=0.9, critic_warm_up=10_000)
    learner.learn(2_048, go_on)
    buffer = collect(learner)
    ends = np.vstack([buffer.episode_starts[1:], learner.algorithm._last_episode_starts])
    returns, running = np.full(buffer.rewards.shape, np.nan), np.full(8, np.nan)
    for step in reversed(range(32)):
        running = np.where(ends[step] == 1, 0.0, running) * 0.9 + buffer.rewards[step]
        returns[step] = running
    known = ~np.isnan(returns)
    error = np.sqrt(np.mean((buffer.values - returns)[known] ** 2))
    assert known.sum() > 100
    assert error < 0.6 * returns[known].std()


def test_asking_for_values_does_not_change_what_is_trained(world):
    straight = make(world(4))
    straight.learn(256, go_on)
    asked = make(env := world(4))
    asked.learn(256, lambda scalars: asked.values(env.observe(), env.state()) is not None)
    expected, found = (learner.algorithm.policy.state_dict() for learner in (straight, asked))
    assert all(expected[name].equal(found[name]) for name in expected)


def test_trials_of_the_policy_carry_its_values():
    trials = make_trials(max_episode_steps=12)
    trials.learner = make(make_loop(max_episode_steps=12))
    played = [Trial(5), Trial(6, (Perturbation("mass", 0.7),))]
    outcomes = trials.play(played, trace=True, values=True)
    assert [outcome.trace.values.shape for outcome in outcomes] == [(outcome.length,) for outcome in outcomes]
    assert trials.play(played, values=True)[1].trace.values == pytest.approx(outcomes[1].trace.values)


def test_a_learner_without_a_critic_of_states_says_so(world):
    env = world(2)
    learner = SAC(SAC.Options(hidden=8, buffer_size=64, threads=1), env, np.random.default_rng(0))
    observation, _ = env.reset(seed=0)
    with pytest.raises(NoCritic, match="SAC estimates no values"):
        learner.values(observation, env.state())
