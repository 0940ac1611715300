"""Small real components to test against: nothing here is a mock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pluggy
from numpy.typing import NDArray

from adversarl import hooks
from adversarl.builtin.nothing import NoCurriculum, NoFailure
from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.random_search import RandomSearch
from adversarl.builtin.state import StateReward
from adversarl.detection import FrameDetector, Judgement
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumStrategy, World
from adversarl.interfaces.reward import RewardDetector
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


class SeesTheGoal(FrameDetector):
    """How far red is from green in pictures of the point mass; says nothing where either is out of sight."""

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Probability ½ at a distance of 0.09 picture widths."""
        del task
        colors = frames.astype(np.float64)
        red, green, blue = (colors[..., channel] for channel in range(3))
        apart = _center(red - np.maximum(green, blue)) - _center(green - np.maximum(red, blue))
        distance = np.linalg.norm(apart, axis=1)
        return Judgement(1 / (1 + np.exp((distance - 0.09) / 0.01)), 1 - distance / np.sqrt(2))


def _center(strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a color is, (across, down) in picture widths; nan if it is nowhere. Shape (n, 2)."""
    weight = np.where(strength > 60, strength, 0.0)
    down, across = np.indices(weight.shape[1:]) / weight.shape[2]
    total = weight.sum(axis=(1, 2))
    sums = np.stack([(weight * across).sum(axis=(1, 2)), (weight * down).sum(axis=(1, 2))], axis=1)
    center: NDArray[np.float64] = np.full_like(sums, np.nan)
    np.divide(sums, total[:, None], out=center, where=total[:, None] > 0)
    return center


def detector_part(key: str, table: Mapping[str, Any]) -> RewardDetector:
    """A detector that is a part of another one, from what is installed."""
    where = f"reward.{key}"
    detector: RewardDetector = choose("reward", table, build_plugin_manager().registry, "test.toml", where).make()
    detector.assemble(lambda below, content: detector_part(f"{key}.{below}", content))
    return detector


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
