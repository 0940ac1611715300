"""Learner ``random-search``: Augmented Random Search over linear policies, in numpy.

Mania, Guy and Recht, "Simple random search of static linear policies is competitive for reinforcement learning",
NeurIPS 2018, algorithm 2 (V2-t: normalised features, top directions only).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.builtin.features import RunningMoments, features
from adversarl.interfaces.backend import Observation
from adversarl.interfaces.learner import Learner, LearnerOptions, OnProgress

SPARE = -1
"""Candidate number of an environment that plays the current policy until its episode ends; it is not counted."""


class RandomSearchOptions(LearnerOptions):
    """Options of `RandomSearch`, named as in the paper."""

    step_size: float = Field(0.25, gt=0, description="Step size of an update, alpha [1].")
    noise: float = Field(0.2, gt=0, description="Standard deviation of exploration on the weights, nu [1].")
    directions: int = Field(16, ge=1, description="Directions N sampled per iteration; each costs two episodes.")
    top: int = Field(16, ge=1, description="Best directions b that the update uses; more than N means all.")


class RandomSearch(Learner):
    """Augmented Random Search: M += alpha / (b std(r)) sum_k [r(M + nu d_k) - r(M - nu d_k)] d_k, d_k ~ N(0, 1).

    The policy is ``clip(M features(o), -1, 1)``, see `adversarl.builtin.features`. Every sub-environment plays one
    candidate per episode; all that decides the future is in arrays, so a checkpoint is exact at any step.
    """

    Options: ClassVar[type[RandomSearchOptions]] = RandomSearchOptions
    options: RandomSearchOptions

    def __init__(
        self, options: RandomSearchOptions, env: gymnasium.vector.VectorEnv[Any, Any, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(options, env, rng)
        proprio = env.single_observation_space["proprio"].shape[0]  # type: ignore[index]
        actions = (env.single_action_space.shape or (0,))[0]
        self._moments = RunningMoments(features({"proprio": np.zeros((1, proprio)), "image": _black(env)}).shape[1])
        self._policy = np.zeros((actions, self._moments.size + 1))
        self._observation: Observation | None = None
        self._candidate = np.full(env.num_envs, SPARE)
        self._return = np.zeros(env.num_envs)
        self._new_iteration()

    def learn(self, total_steps: int, on_progress: OnProgress) -> None:
        """Searches until `env_steps` reaches `total_steps`; progress is told once an iteration."""
        if self._observation is None:
            self._observation, _ = self.env.reset()
            self._candidate = np.array([self._next_candidate() for _ in self._candidate])
        while self.env_steps < total_steps:
            self._step()
            if not np.isnan(self._scores).any():
                scalars = self._update()
                self._new_iteration()
                if not on_progress(scalars):
                    return

    def act(self, observation: Observation, *, deterministic: bool = True) -> NDArray[np.float32]:
        """Actions of the current policy, which has no randomness. Shape (n, a), in [-1, 1]."""
        del deterministic
        actions = self._inputs(observation) @ self._policy.T
        return np.clip(actions, -1.0, 1.0).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Writes ``random_search.npz``."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"moments_{name}": value for name, value in self._moments.arrays().items()}
        arrays |= {f"observation_{key}": value for key, value in (self._observation or {}).items()}
        generator = np.array(repr(self.rng.bit_generator.state))
        np.savez(folder / "random_search.npz", env_steps=self.env_steps, generator=generator, **arrays)

    def load(self, folder: Path) -> None:
        """Brings `save` back."""
        from ast import literal_eval

        with np.load(folder / "random_search.npz") as file:
            arrays = dict(file)
        for name in _ARRAYS:
            setattr(self, name, arrays[name])
        self._moments.load({name: arrays[f"moments_{name}"] for name in self._moments.arrays()})
        observation = {k.removeprefix("observation_"): v for k, v in arrays.items() if k.startswith("observation_")}
        self._observation = observation or None
        self.env_steps = int(arrays["env_steps"])
        self.rng.bit_generator.state = literal_eval(str(arrays["generator"]))

    def _new_iteration(self) -> None:
        self._directions = self.rng.standard_normal((self.options.directions, *self._policy.shape))
        self._scores = np.full(2 * self.options.directions, np.nan)
        self._dealt = np.zeros((), dtype=np.int64)

    def _next_candidate(self) -> int:
        """The next of the 2N candidates, M + nu d_k for even and M - nu d_k for odd numbers; then spares."""
        if self._dealt >= self._scores.size:
            return SPARE
        self._dealt = self._dealt + 1
        return int(self._dealt) - 1

    def _step(self) -> None:
        """One step of all environments; those whose episode ended hand in its return and take a candidate."""
        if self._observation is None:
            raise RuntimeError("learn() resets the environment before it steps")
        inputs = self._inputs(self._observation, remember=True)
        actions = np.clip(np.einsum("naf,nf->na", self._candidates(), inputs), -1.0, 1.0).astype(np.float32)
        self._observation, reward, terminated, truncated, _ = self.env.step(actions)
        self.env_steps += self.env.num_envs
        self._return += reward
        for i in np.flatnonzero(terminated | truncated):
            if self._candidate[i] != SPARE:
                self._scores[self._candidate[i]] = self._return[i]
            self._return[i], self._candidate[i] = 0.0, self._next_candidate()

    def _candidates(self) -> NDArray[np.float64]:
        """The weights each environment plays. Shape (num_envs, a, features + 1)."""
        playing = self._candidate != SPARE
        sign = np.where(playing, 1.0 - 2.0 * (self._candidate % 2), 0.0)
        offset = self._directions[np.where(playing, self._candidate // 2, 0)]
        result: NDArray[np.float64] = self._policy + self.options.noise * sign[:, None, None] * offset
        return result

    def _update(self) -> dict[str, float]:
        """The update of the paper from a complete iteration; returns its scalars."""
        plus, minus = self._scores[0::2], self._scores[1::2]
        top = np.argsort(-np.maximum(plus, minus), kind="stable")[: self.options.top]
        spread = float(np.concatenate([plus[top], minus[top]]).std()) + 1e-8
        gradient = np.tensordot(plus[top] - minus[top], self._directions[top], axes=1) / (len(top) * spread)
        self._policy = self._policy + self.options.step_size * gradient
        self._moments.commit()
        return {
            "rollout/ep_rew_mean": float(self._scores.mean()),
            "train/return_std": spread,
            "train/weight_norm": float(np.linalg.norm(self._policy)),
        }

    def _inputs(self, observation: Observation, *, remember: bool = False) -> NDArray[np.float64]:
        """Normalised features and a constant 1. Shape (n, features + 1)."""
        raw = features(observation)
        if remember:
            self._moments.add(raw)
        return np.concatenate([self._moments.normalise(raw), np.ones((len(raw), 1))], axis=1)


_ARRAYS = ("_policy", "_directions", "_scores", "_dealt", "_candidate", "_return")


def _black(env: gymnasium.vector.VectorEnv[Any, Any, Any]) -> NDArray[np.uint8]:
    return np.zeros((1, *env.single_observation_space["image"].shape), dtype=np.uint8)  # type: ignore[index]
