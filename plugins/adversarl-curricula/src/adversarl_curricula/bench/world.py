"""The world of the benchmark: a vehicle that is to reach a goal, seen through a sensor that may be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from adversarl.interfaces.backend import Backend, Indices, Observation, PerturbableVectorEnv, Seeds
from adversarl.types import Grounding, Perturbation
from adversarl_curricula.bench.axes import (
    AXES,
    CONTEXT,
    DISTANCE_M,
    LIMIT,
    NOMINAL,
    SPEED_M,
    Conditions,
    conditions,
    ground,
    validate,
)

Truths = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]
PICTURE = 8
"""Edge of the picture, which is one grey [px]."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides the future of one environment."""

    offset_m: NDArray[np.float64]
    steps: int
    active: tuple[Perturbation, ...]
    conditions: Conditions
    generator: np.random.Generator


class Compensation(PerturbableVectorEnv):
    """A vehicle at the origin of a plane, a goal 1 m away in any direction, 8 control steps to reach it.

    The action is a velocity, in units of 0.25 m per step and cut to length 1. Proprioception is where the marker of the
    goal is seen, relative to the vehicle [m], and the context: a number or two for each condition, see `CONTEXT`. An
    episode is solved when the vehicle's centre is in the goal. The reward is 1 then and 0 before, so that episodes
    which never or always succeed teach nothing.

    Difficulty is known. ``tint`` and ``distractor`` matter to nobody. ``drift``, ``marker-across``, ``marker-up`` and
    ``turn`` make a policy fail that ignores the context; one that adds 2, 1, 1 and 4 weights times the context solves
    them at every intensity, alone and together. ``motor`` and ``goal-size`` are impossible from 75 % and from 70 % on,
    whoever acts, and need no compensation far below. Whether an episode with any constant conditions can be solved is
    a formula, `solvable`; the teacher solves exactly those.
    """

    task = "drive to the goal"
    axes = tuple(AXES)

    def __init__(self, num_envs: int, *, seed: int) -> None:
        """Makes the environments.

        Args:
            num_envs: Their number.
            seed: Root of their generators.
        """
        self.num_envs, self.max_episode_steps = num_envs, LIMIT
        self.single_observation_space = Dict(
            {
                "image": Box(0, 255, (PICTURE, PICTURE, 3), np.uint8),
                "proprio": Box(-np.inf, np.inf, (2 + len(CONTEXT),), np.float32),
            }
        )
        self.single_action_space = Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._offset_m = np.full((num_envs, 2), DISTANCE_M)
        """From the vehicle to the goal, world frame [m]. Shape (num_envs, 2)."""
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._active: list[tuple[Perturbation, ...]] = [()] * num_envs
        self._conditions = [NOMINAL] * num_envs
        self._stale = set[int]()
        self._generators = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(num_envs)]
        self._drift_m, self._marker_m = np.zeros((num_envs, 2)), np.zeros((num_envs, 2))
        self._turn = np.ones(num_envs, dtype=np.complex128)
        self._strength, self._radius_m = np.zeros(num_envs), np.zeros(num_envs)
        self._context = np.zeros((num_envs, len(CONTEXT)))
        self._image = np.zeros((num_envs, PICTURE, PICTURE, 3), dtype=np.uint8)
        self._tabulate(range(num_envs))

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes; see `PerturbableVectorEnv`."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        seeds = range(seed, seed + self.num_envs) if isinstance(seed, int) else seed or [None] * self.num_envs
        for i in np.flatnonzero(mask).tolist():
            if seeds[i] is not None:
                self._generators[i] = np.random.default_rng(seeds[i])
            angle = self._generators[i].uniform(-np.pi, np.pi)
            self._offset_m[i] = DISTANCE_M * np.cos(angle), DISTANCE_M * np.sin(angle)
            self._steps[i] = 0
        self._take_effect(np.flatnonzero(mask).tolist())
        return self._observe(), {"success": np.zeros(self.num_envs, dtype=bool)}

    def step(self, actions: NDArray[Any]) -> Truths:
        """Acts for one control step. Shape (num_envs, 2), in [-1, 1]."""
        self._take_effect(range(self.num_envs))
        action = np.asarray(actions, dtype=np.float64)
        action = action / np.maximum(1.0, np.linalg.norm(action, axis=1, keepdims=True))
        self._offset_m -= SPEED_M * self._strength[:, None] * action + self._drift_m
        self._steps += 1
        distance_m = np.linalg.norm(self._offset_m, axis=1)
        success = distance_m < self._radius_m
        truncated = (self._steps >= LIMIT) & ~success
        return self._observe(), success.astype(np.float64), success, truncated, {"success": success.copy()}

    def ground(self, text: str) -> Grounding:
        """See `adversarl_curricula.bench.axes.ground`."""
        return ground(text)

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force, from the next step or reset on."""
        valid = [[validate(p) for p in wanted] for wanted in perturbations]
        for i, wanted in zip(indices, valid, strict=True):
            if wanted:
                standing = {p.axis: p for p in self._active[i]}
                self._active[i] = tuple((standing | {p.axis: p for p in wanted}).values())
                self._stale.add(int(i))

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back."""
        for i in indices:
            if self._active[i]:
                self._active[i] = ()
                self._stale.add(int(i))

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force."""
        return [self._active[i] for i in indices]

    def state(self) -> NDArray[np.float32]:
        """Way to the goal [m], steps left, drift [m], strength [1], radius [m], context. Shape (num_envs, 15)."""
        left = (LIMIT - self._steps)[:, None]
        parts = (self._offset_m, left, self._drift_m, self._strength[:, None], self._radius_m[:, None], self._context)
        return np.concatenate(parts, axis=1).astype(np.float32)

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """Drives straight to where it is in the goal soonest, allowing for the drift. Shape (len(indices), 2)."""
        chosen = np.asarray(indices, dtype=np.intp)
        n = np.arange(1, LIMIT + 1)[:, None]
        way_m = self._offset_m[chosen, None, :] - n * self._drift_m[chosen, None, :]
        length_m = np.linalg.norm(way_m, axis=2)
        reach_m = n[:, 0] * SPEED_M * self._strength[chosen, None]
        arrives = length_m - reach_m < self._radius_m[chosen, None]
        soonest = np.where(arrives.any(axis=1), arrives.argmax(axis=1), LIMIT - 1)
        rows = np.arange(len(chosen))
        action = way_m[rows, soonest] / np.maximum(np.maximum(reach_m, length_m)[rows, soonest], 1e-9)[:, None]
        result: NDArray[np.float32] = np.clip(action, -1.0, 1.0).astype(np.float32)
        return result

    def snapshot(self, indices: Indices) -> list[Snapshot]:
        """Copies of the environments."""
        return [
            Snapshot(
                self._offset_m[i].copy(),
                int(self._steps[i]),
                self._active[i],
                self._conditions[i],
                deepcopy(self._generators[i]),
            )
            for i in indices
        ]

    def rewind(self, indices: Indices, snapshots: Sequence[Snapshot]) -> Observation:
        """Brings snapshots back."""
        for i, snapshot in zip(indices, snapshots, strict=True):
            self._offset_m[i], self._steps[i] = snapshot.offset_m, snapshot.steps
            self._active[i], self._conditions[i] = snapshot.active, snapshot.conditions
            self._generators[i] = deepcopy(snapshot.generator)
            self._stale.add(int(i))
        self._tabulate(int(i) for i in indices)
        return self._observe()

    def _take_effect(self, envs: Sequence[int]) -> None:
        """Puts what was asked for since the last step or reset in force."""
        due = self._stale.intersection(envs)
        if due:
            for i in due:
                self._conditions[i] = conditions(self._active[i])
            self._stale -= due
            self._tabulate(due)

    def _tabulate(self, envs: Iterable[int]) -> None:
        """The conditions as arrays."""
        for i in envs:
            c = self._conditions[i]
            self._drift_m[i] = c.drift_across_m, c.drift_up_m
            self._marker_m[i] = c.marker_across_m, c.marker_up_m
            self._turn[i] = np.exp(1j * c.turn_rad)
            self._strength[i], self._radius_m[i] = c.strength, c.radius_m
            self._context[i] = c.context
            self._image[i] = round(255 * c.tint)

    def _observe(self) -> Observation:
        marker_m = self._offset_m + self._marker_m
        seen = self._turn * (marker_m[:, 0] + 1j * marker_m[:, 1])
        proprio = np.concatenate([seen.real[:, None], seen.imag[:, None], self._context], axis=1)
        return {"image": self._image.copy(), "proprio": proprio.astype(np.float32)}


class CompensationBackend(Backend):
    """Makes `Compensation`."""

    def make(self, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
        """Makes the environments."""
        return Compensation(num_envs or self.options.num_envs, seed=seed)


def solvable(perturbations: tuple[Perturbation, ...], angle_rad: float) -> bool:
    """Whether anybody can solve an episode whose conditions hold from its reset to its end.

    After n steps the vehicle can be anywhere in a disc of radius n v s around n d, for speed v, strength s and drift d;
    the goal g of radius r is met if |g - n d| < n v s + r for some n up to the time limit.

    Args:
        perturbations: The conditions.
        angle_rad: Direction of the goal, world frame [rad].
    """
    c = conditions(perturbations)
    if c.radius_m == 0:
        return False
    goal_m = DISTANCE_M * np.array([np.cos(angle_rad), np.sin(angle_rad)])
    n = np.arange(1, LIMIT + 1)
    way_m = np.linalg.norm(goal_m - n[:, None] * np.array([c.drift_across_m, c.drift_up_m]), axis=1)
    return bool(np.any(way_m < n * SPEED_M * c.strength + c.radius_m))
