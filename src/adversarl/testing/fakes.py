"""Small real components to test against: nothing here is a mock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pluggy

from adversarl import hooks
from adversarl.builtin.nothing import NoCurriculum, NoFailure
from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.random_search import RandomSearch
from adversarl.builtin.state import StateReward
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumStrategy, World
from adversarl.loop import STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import choose
from adversarl.seeding import generator
from adversarl.trials import SideTrials
from adversarl.types import Axis, Episode, Perturbation


def make_world(num_envs: int = 2, *, seed: int = 0, **options: Any) -> PerturbableVectorEnv:
    """A point-mass world; options are those of `adversarl.builtin.point_mass.PointMassOptions`."""
    return PointMass(PointMass.Options(num_envs=num_envs, **options)).make(seed=seed)


def about(world: PerturbableVectorEnv) -> World:
    """What a curriculum may know of a world."""
    return World(world.axes, world.max_episode_steps, world.ground, world.presets, world.task, _part)


def _part(key: str, table: Mapping[str, Any], world: World, rng: np.random.Generator) -> CurriculumStrategy:
    """A curriculum that is a part of another one, from what is installed."""
    choice = choose("curriculum", table, build_plugin_manager().registry, "test.toml", f"curriculum.{key}")
    curriculum: CurriculumStrategy = choice.make(world, rng)
    return curriculum


def make_trials(num_envs: int = 2, *, seed: int = 0, **options: Any) -> SideTrials:
    """Trials in a point-mass world; set its `learner` to play the policy."""
    return SideTrials(lambda n: make_world(n, seed=seed, **options), num_envs)


def make_loop(num_envs: int = 2, *, seed: int = 0, **options: Any) -> ClosedLoop:
    """A closed loop around a point-mass world that no curriculum changes."""
    world = make_world(num_envs, seed=seed, **options)
    streams = {name: generator(seed, name) for name in STREAMS}
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    parts = Parts(
        world,
        Detectors(StateReward(StateReward.Options())),
        NoFailure(NoFailure.Options.model_validate({}), world.axes),
        NoCurriculum(NoCurriculum.Options.model_validate({}), about(world), streams["curriculum"]),
        make_trials(num_envs, seed=seed, **options),
    )
    return ClosedLoop(parts, manager.hook, seed=seed, streams=streams)


def make_learner(loop: ClosedLoop | None = None, *, seed: int = 0, **options: Any) -> RandomSearch:
    """A random-search learner on a small closed loop; options are those of `RandomSearchOptions`."""
    return RandomSearch(RandomSearch.Options(**options), loop or make_loop(), generator(seed, "learner"))


def make_episodes(
    n: int, axes: Sequence[Axis], *, seed: int = 0, fragile: str | None = None, start: int = 0
) -> list[Episode]:
    """Plausible finished episodes: every other one is perturbed along one axis.

    Args:
        n: Their number.
        axes: Axes to perturb.
        seed: Of all that is drawn.
        fragile: Axis along which the policy always fails; elsewhere it always succeeds. None draws success at 70 %.
        start: Index of the first one.
    """
    rng = np.random.default_rng(seed)
    episodes = []
    for index in range(start, start + n):
        axis = axes[int(rng.integers(len(axes)))].name
        intensity = float(rng.uniform(0.2, 1.0))
        perturbations = (Perturbation(axis, intensity, seed=index),) if index % 2 else ()
        hit = bool(perturbations) and axis == fragile
        success = bool(rng.random() < 0.7) if fragile is None else not hit
        episodes.append(_episode(index, success, perturbations))
    return episodes


def _episode(index: int, success: bool, perturbations: tuple[Perturbation, ...]) -> Episode:
    return Episode(
        index=index,
        env=index % 2,
        seed=index,
        env_steps=20 * (index + 1),
        length=20,
        total_reward=float(success),
        success=success,
        truncated=not success,
        clean=not perturbations,
        perturbations=perturbations,
        prompts=tuple(f"{p.axis} at {p.intensity:.0%}" for p in perturbations),
    )
