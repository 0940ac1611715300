"""How well `goal-image` tells success from failure, on pictures of the physics world, which knows the truth.

Run it with ``python plugins/adversarl-odyssey/benchmarks/goal_image.py``; it prints a table, and takes a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from adversarl_odyssey.goal import GoalImage, GoalImageOptions
from adversarl_odyssey.goal_pictures import ENDING, KEPT, SIZE, Goal
from adversarl_odyssey.wording import settle
from numpy.typing import NDArray

from adversarl.cli.output import console
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.plugins import build_plugin_manager
from adversarl.types import Perturbation

ENVS = 8
AXES = (
    "light-position",
    "light-intensity",
    "light-temperature",
    "saturation",
    "table-color",
    "background-color",
    "table-texture",
    "background-texture",
    "camera-position",
    "distractors",
)
FILMED = 60
"""Control steps of a film of the goal; the expert goes on holding the thing."""


@dataclass(frozen=True, slots=True)
class Played:
    """Episodes: the first and the last pictures, Shape (n, SIZE, SIZE, 3), and the truth, Shape (n,)."""

    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    success: NDArray[np.bool_]


def play(world: PerturbableVectorEnv, seeds: Sequence[int], rng: np.random.Generator, *, perturbed: bool) -> Played:
    """One episode each; half the experts never close the gripper, act at random, stop early, or rise with nothing."""
    world.restore(range(ENVS))
    if perturbed:
        world.perturb(range(ENVS), [[_draw(rng), _draw(rng)] for _ in range(ENVS)])
    observation, _ = world.reset(seed=seeds)
    first, last = observation["image"].copy(), observation["image"].copy()
    running, success = np.ones(ENVS, bool), np.zeros(ENVS, bool)
    kinds = rng.permutation([0, 0, 0, 0, 1, 2, 3, 4])
    for step in range(world.max_episode_steps):
        actions = world.teacher(range(ENVS)).copy()
        actions[kinds == 1, 3] = -1
        actions[kinds == 2] = rng.uniform(-1, 1, actions.shape[1])
        actions[(kinds == 3) & (step > 8)] = 0
        actions[kinds == 4] = _rising(actions[kinds == 4], step)
        observation, _, terminated, truncated, _ = world.step(actions)
        last[running] = observation["image"][running]
        success |= running & terminated
        running &= ~(terminated | truncated)
        if not running.any():
            break
    return Played(first, last, success)


def _rising(actions: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Reaches for the thing, rises, and closes on nothing. Shape (n, 4)."""
    changed = actions.copy()
    changed[:, 3] = -1 if step < 16 else 1
    if step >= 12:
        changed[:, :3] = (0, 0, 1 if step < 18 else 0)
    return changed


def _draw(rng: np.random.Generator) -> Perturbation:
    axis = AXES[int(rng.integers(len(AXES)))]
    return settle(Perturbation(axis, float(rng.uniform(0.2, 0.8)), seed=int(rng.integers(10**6))))


def film(world: PerturbableVectorEnv, seeds: Sequence[int]) -> list[Goal]:
    """What the world model is asked for: somebody doing the task and staying there."""
    world.restore(range(ENVS))
    observation, _ = world.reset(seed=seeds)
    shown = [observation["image"].copy()]
    for _ in range(FILMED):
        shown.append(world.step(world.teacher(range(ENVS)))[0]["image"].copy())
    places = np.linspace(len(shown) - ENDING, len(shown) - 1, KEPT).round().astype(int)
    return [Goal(tuple(shown[place][env] for place in places), shown[0][env]) for env in range(ENVS)]


def auroc(scores: NDArray[np.float64], success: NDArray[np.bool_]) -> float:
    """Share of pairs of a success and a failure in which the success has the lower score."""
    good, bad = scores[success][:, None], scores[~success][None]
    return float(np.mean(good < bad) + 0.5 * np.mean(good == bad))


def row(goals: Sequence[Goal], played: Played) -> str:
    """AUROC of the distance relative to the start, and how often the threshold is right."""
    judge = GoalImage(GoalImageOptions())
    judge.show_goals(goals)
    ratio = judge.distance(played.last) / judge.distance(played.first)
    said = ratio < judge.options.threshold
    hits, alarms = said[played.success].mean(), said[~played.success].mean()
    return f"AUROC {auroc(ratio, played.success):.2f}, hits {hits:.2f}, false alarms {alarms:.2f}"


def join(parts: Sequence[Played]) -> Played:
    """All their episodes."""
    return Played(*(np.concatenate([getattr(part, name) for part in parts]) for name in Played.__slots__))


def main() -> None:
    """Prints a line for each way of laying out the scene, and nominal or perturbed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=16, help=f"Blocks of {ENVS} episodes for each line.")
    blocks = parser.parse_args().blocks
    backend = build_plugin_manager().registry.get("backend", "mujoco").load()
    world = backend(backend.Options(num_envs=ENVS, image_size=SIZE)).make(seed=0)
    rng = np.random.default_rng(0)
    for perturbed in (False, True):
        name = "perturbed" if perturbed else "nominal"
        alike = list[tuple[list[Goal], Played]]()
        for layout in range(blocks // 4):  # each layout has a film of its own, as streams of one scene have
            goals = film(world, [layout] * ENVS)[:1]
            parts = [play(world, [layout] * ENVS, rng, perturbed=perturbed) for _ in range(4)]
            alike.append((goals, join(parts)))
        for goals, played in alike:
            console.print(f"{name}, the goal's own layout, {len(played.success)} episodes: {row(goals, played)}")
        seeds = [[10_000 + block * ENVS + env for env in range(ENVS)] for block in range(blocks)]
        played = join([play(world, one, rng, perturbed=perturbed) for one in seeds])
        for count in (1, 4, 8):
            goals = film(world, list(range(ENVS)))[:count]
            text = f"{name}, any layout, {count} goals, {len(played.success)} episodes: {row(goals, played)}"
            console.print(text)
    world.close()


if __name__ == "__main__":
    main()
