"""A small real world with pixels, a teacher and exact snapshots, as the closed loop presents one."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

SIZE = 32
STEP = 0.25
LIMIT = 20


class PointWorld(gymnasium.vector.VectorEnv):
    """Points that must reach a target which only the image shows, and close a gripper there."""

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs=4, seed=0):
        self.num_envs = num_envs
        self.rng = np.random.default_rng(seed)
        self.single_observation_space = spaces.Dict(
            image=spaces.Box(0, 255, (SIZE, SIZE, 3), np.uint8), proprio=spaces.Box(-np.inf, np.inf, (2,), np.float32)
        )
        self.single_action_space = spaces.Box(-1, 1, (3,), np.float32)
        self.position = np.zeros((num_envs, 2))
        self.target = np.zeros((num_envs, 2))
        self.time = np.zeros(num_envs, int)

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        self._begin(np.ones(self.num_envs, bool))
        return self.observe(), {}

    def step(self, actions):
        self.position = np.clip(self.position + STEP * np.clip(actions[:, :2], -1, 1), -1, 1)
        self.time += 1
        distance = np.linalg.norm(self.target - self.position, axis=1)
        success = (distance < 0.2) & (actions[:, 2] > 0)
        truncated = (self.time >= LIMIT) & ~success
        done = success | truncated
        info: dict[str, Any] = {"success": success}
        if done.any():
            info |= {"final_obs": self.observe(), "_final_obs": done, "final_state": self.state()}
            self._begin(done)
        return self.observe(), success - 0.1 * distance, success.copy(), truncated, info

    def _begin(self, mask):
        for index in np.flatnonzero(mask):
            self.position[index] = self.rng.uniform(-1, 1, 2)
            self.target[index] = self.rng.uniform(-1, 1, 2)
            self.time[index] = 0

    def observe(self):
        image = np.full((self.num_envs, SIZE, SIZE, 3), 40, np.uint8)
        for channel, points in enumerate((self.position, self.target)):
            for index, (x, y) in enumerate(((points + 1) / 2 * (SIZE - 5)).astype(int)):
                image[index, y : y + 5, x : x + 5, channel] = 255
        return {"image": image, "proprio": self.position.astype(np.float32)}

    def state(self):
        return np.hstack([self.position, self.target, self.time[:, None] / LIMIT]).astype(np.float32)

    def teacher(self, indices):
        offset = (self.target - self.position)[list(indices)]
        near = np.linalg.norm(offset, axis=1, keepdims=True) < 0.3
        return np.hstack([np.clip(offset / STEP, -1, 1), np.where(near, 1.0, -1.0)]).astype(np.float32)

    def snapshot(self):
        return copy.deepcopy((self.rng.bit_generator.state, self.position, self.target, self.time))

    def rewind(self, snapshot):
        state, self.position, self.target, self.time = copy.deepcopy(snapshot)
        self.rng.bit_generator.state = state


@pytest.fixture
def world():
    return PointWorld


@pytest.fixture
def success_of():
    """Success rate of a learner's deterministic policy in fresh worlds."""

    def measure(learner, episodes=100):
        env = PointWorld(episodes, seed=1234)
        observation, _ = env.reset()
        solved, ended = np.zeros(episodes, bool), np.zeros(episodes, bool)
        for _ in range(LIMIT):
            observation, _, terminated, truncated, _ = env.step(learner.act(observation))
            solved |= terminated & ~ended
            ended |= terminated | truncated
        return solved.mean()

    return measure
