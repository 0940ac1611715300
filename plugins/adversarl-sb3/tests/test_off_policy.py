from __future__ import annotations

import numpy as np
import pytest
import torch
from adversarl_sb3.sac import SAC
from adversarl_sb3.td3 import TD3

SMALL = dict(buffer_size=1000, learning_starts=64, batch_size=32, hidden=64, report_every=100, threads=1)


def make(learner, env, seed=0, **options):
    return learner(learner.Options(**(SMALL | options)), env, np.random.default_rng(seed))


def go_on(scalars):
    return True


@pytest.mark.parametrize("learner", [SAC, TD3])
def test_resumed_training_gives_the_very_same_parameters(world, tmp_path, learner):
    straight = make(learner, world())
    straight.learn(400, go_on)

    first_env = world()
    first = make(learner, first_env)
    first.learn(400, lambda scalars: first.env_steps < 200)
    first.save(tmp_path)

    env = world()
    env.rewind(first_env.snapshot())
    torch.manual_seed(99)
    second = make(learner, env, seed=7)
    second.load(tmp_path)
    assert second.env_steps == 200
    second.learn(400, go_on)

    expected, found = straight.algorithm.policy.state_dict(), second.algorithm.policy.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert straight.rng.bit_generator.state == second.rng.bit_generator.state


@pytest.mark.parametrize("learner", [SAC, TD3])
def test_full_replay_buffer_survives_a_checkpoint(world, tmp_path, learner):
    first = make(learner, world(), buffer_size=80)
    first.learn(120, go_on)
    first.save(tmp_path)
    second = make(learner, world(), buffer_size=80)
    second.load(tmp_path)
    stored, found = first.algorithm.replay_buffer.state(), second.algorithm.replay_buffer.state()
    assert all(np.array_equal(stored[name], found[name]) for name in stored)


def test_time_limits_are_no_ends_to_the_critic(world):
    learner = make(SAC, world(), learning_starts=10_000)
    learner.learn(400, go_on)
    buffer = learner.algorithm.replay_buffer
    assert buffer.timeouts.sum() > 0
    everything = buffer.sample(4000)
    successes = buffer.dones.sum() - buffer.timeouts.sum()
    assert (everything.dones.sum() == 0) == (successes == 0)


@pytest.mark.parametrize(("learner", "options"), [(SAC, {"ent_coef": 0.01}), (TD3, {})])
def test_critic_learns_that_near_the_target_is_better(world, learner, options):
    trained = make(learner, world(), learning_rate=1e-3, gamma=0.9, gradient_steps=2, batch_size=64, **options)
    trained.learn(600, go_on)
    env = world(200, seed=5)
    observation, _ = env.reset()
    tensors = {key: torch.as_tensor(value) for key, value in (observation | {"state": env.state()}).items()}
    with torch.no_grad():
        values = trained.algorithm.critic.q1_forward(tensors, torch.as_tensor(env.teacher(range(200)))).numpy()
    distance = np.linalg.norm(env.target - env.position, axis=1)
    assert np.corrcoef(values[:, 0], -distance)[0, 1] > 0.5


@pytest.mark.parametrize("learner", [SAC, TD3])
def test_actor_needs_no_privileged_state(world, learner):
    env = world()
    observation, _ = env.reset(seed=0)
    trained = make(learner, env)
    actions = trained.act(observation)
    assert actions.shape == (4, 3)
    np.testing.assert_array_equal(actions, trained.act(observation))
