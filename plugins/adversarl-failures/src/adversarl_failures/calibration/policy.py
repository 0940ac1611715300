"""A policy whose failures have known causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import VectorWrapper
from numpy.typing import NDArray

from adversarl.interfaces.backend import Indices, Observation, PerturbableVectorEnv, Seeds
from adversarl.types import Perturbation

Truths = tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]
Causes = Mapping[str, float]
"""Axes that make the policy fail, each with the intensity above which it does."""


class SeededWorld(VectorWrapper[Observation, NDArray[Any], Observation, NDArray[Any], NDArray[Any]]):
    """A world that knows the seeds of its running episodes and ends them early; in all else the one that it wraps.

    Args:
        world: The world.
        limit: Its time limit from now on [control steps]; what nobody steers need not be watched to the end.

    Attributes:
        seeds: Reset seed of each environment's episode. Shape (num_envs,).
    """

    def __init__(self, world: PerturbableVectorEnv, limit: int) -> None:
        super().__init__(world)
        self.world, self.max_episode_steps = world, min(limit, world.max_episode_steps)
        self.seeds = np.zeros(world.num_envs, dtype=np.int64)
        self._steps = np.zeros(world.num_envs, dtype=np.int64)

    def __getattr__(self, name: str) -> Any:
        """Whatever a `PerturbableVectorEnv` has beyond a `gymnasium.vector.VectorEnv`."""
        if name == "world":
            raise AttributeError(name)
        return getattr(self.world, name)

    @property
    def pictures(self) -> bool:
        """Whether the world draws."""
        return self.world.pictures

    @pictures.setter
    def pictures(self, wanted: bool) -> None:
        self.world.pictures = wanted

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes; takes a list of seeds, one for each environment that begins one."""
        begins = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        self._steps[begins] = 0
        for env, given in enumerate(seed if isinstance(seed, list) else ()):
            self.seeds[env] = self.seeds[env] if given is None else given
        return self.world.reset(seed=seed, options=options)

    def step(self, actions: NDArray[Any]) -> Truths:
        """Acts for one control step."""
        observation, reward, terminated, truncated, info = self.world.step(actions)
        self._steps += 1
        late = (self._steps >= self.max_episode_steps) & ~terminated
        return observation, reward, terminated, truncated | late, info


class BlindPolicy:
    """Plays like the scripted teacher, and lets go of the controls wherever one of its causes is in force.

    Besides it fails on its own in a share of all episodes: those whose reset seed says so, whatever is in force. So
    neither do all failures have a cause, nor does a failure on its own vanish when something is restored.

    Args:
        worlds: The worlds it may be asked to play in, by their number of environments.
        causes: What makes it fail.
        base: Share of episodes in which it fails on its own, in [0, 1).
    """

    pictures = False

    def __init__(self, worlds: Mapping[int, SeededWorld], causes: Causes, base: float) -> None:
        self.worlds, self.causes, self.base = worlds, causes, base

    def act(self, observation: Observation, *, deterministic: bool = True) -> NDArray[np.float32]:
        """The teacher's actions, or none at all. Shape (n, a), in [-1, 1]."""
        del deterministic
        world = self.worlds[len(observation["proprio"])]
        everyone: Indices = range(world.num_envs)
        helpless = [self._blind(active) for active in world.world.active(everyone)]
        actions = world.world.teacher(everyone).copy()
        actions[np.array(helpless) | fails_anyway(world.seeds, self.base)] = 0.0
        return actions

    def _blind(self, active: tuple[Perturbation, ...]) -> bool:
        return any(p.intensity > self.causes.get(p.axis, 1.0) for p in active)


def fails_anyway(seeds: NDArray[np.int64], base: float) -> NDArray[np.bool_]:
    """Whether episodes with these reset seeds fail on their own; a share `base` of uniformly drawn seeds does."""
    scrambled = seeds.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing, Knuth 6.4
    result: NDArray[np.bool_] = (scrambled >> np.uint64(32)).astype(np.float64) < base * 2.0**32
    return result
