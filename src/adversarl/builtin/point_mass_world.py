"""The point-mass world: a vector environment that obeys prompts, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from adversarl.builtin.point_mass_axes import AXES, NOMINAL, Conditions, conditions, validate
from adversarl.builtin.point_mass_camera import draw
from adversarl.builtin.point_mass_prompts import ground
from adversarl.interfaces.backend import Indices, Observation, PerturbableVectorEnv, Seeds, reset_seeds
from adversarl.types import Grounding, Perturbation

DT_S = 0.1
MAX_FORCE_N = 2.0
DRAG_NS_PER_M = 1.5
ARENA_M = 0.85
"""Goals and starts lie within ±0.85 m; walls are at ±1 m."""

Truths = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides the future of one environment."""

    rows: tuple[NDArray[Any], ...]
    active: tuple[Perturbation, ...]
    conditions: Conditions
    generator: np.random.Generator


def _apart(rng: np.random.Generator) -> NDArray[np.float64]:
    """A start and a goal at least 0.4 m apart, so that no episode is solved before it begins. Shape (2, 2), [m]."""
    while True:
        points = rng.uniform(-ARENA_M, ARENA_M, (2, 2))
        if np.linalg.norm(points[0] - points[1]) >= 0.4:
            return points


class PointMassWorld(PerturbableVectorEnv):
    """Dots under force and drag, m dv/dt = F - c v, integrated by semi-implicit Euler at 10 Hz.

    The action is the force, in units of 2 N. Proprioception is the dot's position [m] and velocity [m/s], arena
    frame; where the goal is, only the picture tells. Reward per step is minus the distance to the goal [m] times
    0.1, plus 1 when the dot's centre enters the goal, which ends the episode.
    """

    task = "move the red dot onto the green goal"
    axes = tuple(AXES)

    def __init__(self, num_envs: int, *, seed: int, image_size: int = 32, max_episode_steps: int = 60) -> None:
        """Makes the environments.

        Args:
            num_envs: Their number.
            seed: Root of their generators, used where `reset` is given no seed.
            image_size: Height and width of the picture [px].
            max_episode_steps: Time limit [control steps].
        """
        self.num_envs, self.image_size, self.max_episode_steps = num_envs, image_size, max_episode_steps
        image = Box(0, 255, (image_size, image_size, 3), np.uint8)
        self.single_observation_space = Dict({"image": image, "proprio": Box(-np.inf, np.inf, (4,), np.float32)})
        self.single_action_space = Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._position_m, self._velocity, self._goal_m = (np.zeros((num_envs, 2)) for _ in range(3))
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._active: list[tuple[Perturbation, ...]] = [()] * num_envs
        self._conditions = [NOMINAL] * num_envs
        self._generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(num_envs)]

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes; see `PerturbableVectorEnv`."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        seeds = reset_seeds(seed, self.num_envs)
        for i in np.flatnonzero(mask).tolist():
            if seeds[i] is not None:
                self._generators[i] = np.random.default_rng(seeds[i])
            self._position_m[i], self._goal_m[i] = _apart(self._generators[i])
            self._velocity[i], self._steps[i] = 0.0, 0
            self._conditions[i] = conditions(self._active[i])
        return self._observe(), {"success": np.zeros(self.num_envs, dtype=bool)}

    def step(self, actions: NDArray[Any]) -> Truths:
        """Acts for one control step. Shape (num_envs, 2), in [-1, 1]."""
        self._take_effect()
        mass_kg = np.array([c.mass_kg for c in self._conditions])[:, None]
        force = MAX_FORCE_N * np.clip(np.asarray(actions, dtype=np.float64) + self._noise(), -1.0, 1.0)
        self._velocity += DT_S * (force - DRAG_NS_PER_M * self._velocity) / mass_kg
        self._position_m += DT_S * self._velocity
        self._velocity[np.abs(self._position_m) > 1.0] = 0.0
        np.clip(self._position_m, -1.0, 1.0, out=self._position_m)
        self._steps += 1
        distance_m = np.linalg.norm(self._goal_m - self._position_m, axis=1)
        success = distance_m < np.array([c.goal_radius_m for c in self._conditions])
        truncated = (self._steps >= self.max_episode_steps) & ~success
        return self._observe(), success - 0.1 * distance_m, success, truncated, {"success": success.copy()}

    def ground(self, text: str) -> Grounding:
        """See `adversarl.builtin.point_mass_prompts`."""
        return ground(text)

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force, from the next step or reset on."""
        valid = [[validate(p) for p in wanted] for wanted in perturbations]
        for i, wanted in zip(indices, valid, strict=True):
            standing = {(p.axis, p.target): p for p in self._active[i]}
            self._active[i] = tuple((standing | {(p.axis, p.target): p for p in wanted}).values())

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back."""
        for i in indices:
            self._active[i] = ()

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force."""
        return [self._active[i] for i in indices]

    def state(self) -> NDArray[np.float32]:
        """Position [m], velocity [m/s] and goal [m], arena frame. Shape (num_envs, 6)."""
        return np.concatenate([self._position_m, self._velocity, self._goal_m], axis=1).astype(np.float32)

    def potential(self) -> NDArray[np.float64]:
        """Minus the distance to the goal [m]. Shape (num_envs,)."""
        return np.asarray(-np.linalg.norm(self._goal_m - self._position_m, axis=1))

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """A proportional-derivative controller on the true goal. Shape (len(indices), 2)."""
        chosen = np.asarray(indices, dtype=np.intp)
        pull = 4.0 * (self._goal_m[chosen] - self._position_m[chosen]) - 2.0 * self._velocity[chosen]
        return np.clip(pull, -1.0, 1.0).astype(np.float32)

    def snapshot(self, indices: Indices) -> list[Snapshot]:
        """Copies of the environments."""
        return [
            Snapshot(
                tuple(array[i].copy() for array in self._arrays()),
                self._active[i],
                self._conditions[i],
                deepcopy(self._generators[i]),
            )
            for i in indices
        ]

    def rewind(self, indices: Indices, snapshots: Sequence[Snapshot]) -> Observation:
        """Brings snapshots back."""
        for i, snapshot in zip(indices, snapshots, strict=True):
            for array, row in zip(self._arrays(), snapshot.rows, strict=True):
                array[i] = row
            self._active[i], self._conditions[i] = snapshot.active, snapshot.conditions
            self._generators[i] = deepcopy(snapshot.generator)
        return self._observe()

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self._position_m, self._velocity, self._goal_m, self._steps

    def _take_effect(self) -> None:
        """Puts what was asked for since the last step in force; the goal keeps its size until the next reset."""
        for i, active in enumerate(self._active):
            new = conditions(active)
            self._conditions[i] = replace(new, goal_radius_m=self._conditions[i].goal_radius_m)

    def _noise(self) -> NDArray[np.float64]:
        """Noise on the actions; drawn only where in force, so that other episodes do not depend on it."""
        noise = np.zeros((self.num_envs, 2))
        for i, condition in enumerate(self._conditions):
            if condition.noise > 0:
                noise[i] = self._generators[i].normal(0.0, condition.noise, 2)
        return noise

    def _observe(self) -> Observation:
        image = draw(self._position_m, self._goal_m, self._conditions, self.image_size)
        proprio = np.concatenate([self._position_m, self._velocity], axis=1).astype(np.float32)
        return {"image": image, "proprio": proprio}
