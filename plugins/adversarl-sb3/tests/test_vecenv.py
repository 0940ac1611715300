from __future__ import annotations

import numpy as np
from adversarl_sb3.vecenv import GLANCE, LoopVecEnv, privileged


def run_until_done(env, action):
    while True:
        before = env.loop.state()
        observation, rewards, done, infos = env.step(np.tile(action, (env.num_envs, 1)))
        if done.any():
            return before, observation, rewards, done, infos


def test_observation_carries_state_and_teacher_of_the_same_moment(world):
    env = LoopVecEnv(world(), labels=True)
    observation = env.reset()
    assert env.observation_space.contains({key: value[0] for key, value in observation.items()})
    np.testing.assert_array_equal(observation["state"], env.loop.state())
    np.testing.assert_array_equal(observation["teacher"], env.loop.teacher(range(4)))


def test_time_limit_is_a_truncation_with_its_last_observation(world):
    env = LoopVecEnv(world())
    env.reset()
    before, observation, _, done, infos = run_until_done(env, [0, 0, -1])
    for index in np.flatnonzero(done):
        info = infos[index]
        assert info["TimeLimit.truncated"]
        assert not info["is_success"]
        assert info["episode"]["l"] == 20
        np.testing.assert_array_equal(info["terminal_observation"]["state"][:4], before[index, :4])
        np.testing.assert_array_equal(info["terminal_observation"]["proprio"], before[index, :2])
        assert not np.array_equal(observation["state"][index], info["terminal_observation"]["state"])


def test_success_is_no_truncation_and_returns_are_summed(world):
    env = LoopVecEnv(world(), labels=True)
    observation = env.reset()
    total = np.zeros(4)
    ended = np.zeros(4, bool)
    while not ended.all():
        observation, rewards, done, infos = env.step(observation["teacher"])
        total[~ended] += rewards[~ended]
        for index in np.flatnonzero(done & ~ended):
            assert infos[index]["is_success"]
            assert not infos[index]["TimeLimit.truncated"]
            np.testing.assert_allclose(infos[index]["episode"]["r"], total[index], rtol=1e-5)
        ended |= done


def test_observations_are_not_overwritten_by_the_next_step(world):
    shared = {}

    class Reusing(world):
        def observe(self):
            for key, value in super().observe().items():
                shared.setdefault(key, np.empty_like(value))[...] = value
            return shared

    env = LoopVecEnv(Reusing())
    observation = env.reset()
    kept = {key: value.copy() for key, value in observation.items()}
    env.step(np.ones((4, 3)))
    for key in kept:
        np.testing.assert_array_equal(observation[key], kept[key])


def test_where_a_world_has_no_state_its_critic_sees_a_coarse_picture(world):
    loop = world()
    loop.state = lambda: np.zeros((loop.num_envs, 0), np.float32)
    env = LoopVecEnv(loop)
    observation = env.reset()
    assert env.observation_space.contains({key: value[0] for key, value in observation.items()})
    assert observation["state"].shape == (4, GLANCE**2 * 3)
    mean = observation["image"].reshape(4, -1).mean(axis=1) / 255
    np.testing.assert_allclose(observation["state"].mean(axis=1), mean, atol=0.05)
    while True:
        _, _, done, infos = env.step(np.zeros((4, 3), np.float32))
        if done.any():
            break
    final = infos[int(np.flatnonzero(done)[0])]["terminal_observation"]
    assert final["state"].shape == (GLANCE**2 * 3,)


def test_a_coarse_picture_has_the_mean_of_every_part():
    image = np.random.default_rng(0).integers(0, 256, (2, 2 * GLANCE, 3 * GLANCE, 3)).astype(np.uint8)
    parts = image.reshape(2, GLANCE, 2, GLANCE, 3, 3).mean(axis=(2, 4)) / 255
    coarse = privileged(np.zeros((2, 0), np.float32), image)
    np.testing.assert_allclose(coarse, parts.reshape(2, -1), rtol=1e-5)
