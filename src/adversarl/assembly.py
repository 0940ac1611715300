"""From a recipe to the closed loop.

The module is not called ``make``: importing a submodule of that name would replace the function `adversarl.make`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adversarl.errors import RecipeError, RunFolderError
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumStrategy, World
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.reward import RewardDetector
from adversarl.loop import STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import Choice, Recipe, choose, load_recipe
from adversarl.registry import Registry
from adversarl.runs import latest_checkpoint
from adversarl.seeding import generator
from adversarl.trials import SideTrials


def make(recipe: str | Path, *overrides: str, seed: int | None = None, plugins: Iterable[Path] = ()) -> ClosedLoop:
    """The closed loop of a recipe as a `gymnasium.vector.VectorEnv`; ``adversarl run`` trains on the same object.

    Args:
        recipe: A TOML file.
        *overrides: ``table.key=value`` strings, as on the command line.
        seed: Overrides ``run.seed``.
        plugins: One-file plugins to load first.

    Raises:
        AdversarlError: The recipe cannot be used; the message says why and what to do.

    Example::

        env = adversarl.make("recipes/adaptive.toml", "backend.num_envs=4")
        observation, info = env.reset(seed=0)
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """
    loaded = build_plugin_manager(plugins)
    more = () if seed is None else (f"run.seed={seed}",)
    loop = make_loop(load_recipe(Path(recipe), loaded.registry, (*overrides, *more)), loaded)
    try:
        loop.parts.trials.load_antagonist()
        loop.connect(None)
    except BaseException:
        loop.close()
        raise
    return loop


def make_loop(recipe: Recipe, plugins: Plugins) -> ClosedLoop:
    """The closed loop of a validated recipe."""
    world = recipe["backend"].make().make(seed=recipe.run.seed)
    try:
        return _loop(recipe, plugins, world)
    except BaseException:
        world.close()
        raise


def _loop(recipe: Recipe, plugins: Plugins, world: PerturbableVectorEnv) -> ClosedLoop:
    seed: int = recipe.run.seed
    streams = {name: generator(seed, name) for name in STREAMS}
    about = World(world.axes, world.max_episode_steps, world.ground, world.presets, world.task, _parts(recipe, plugins))
    parts = Parts(
        world,
        _detectors(recipe, plugins),
        recipe["failure"].make(world.axes),
        recipe["curriculum"].make(about, streams["curriculum"]),
        SideTrials(lambda num_envs: recipe["backend"].make().make(seed=seed, num_envs=num_envs), world.num_envs),
    )
    loop = ClosedLoop(parts, plugins.manager.hook, seed=seed, streams=streams)
    antagonist = parts.curriculum.options.antagonist
    if antagonist is not None:
        parts.trials.make_antagonist = partial(load_policy, Path(antagonist), loop, plugins)
    return loop


def _detectors(recipe: Recipe, plugins: Plugins) -> Detectors:
    """The reward, the test of success and the monitors, each with what it is made of."""

    def made(choice: Choice, table: str) -> RewardDetector:
        return make_detector(choice, plugins.registry, recipe.source, table)

    reward = recipe["reward"]
    monitors = {name: made(choice, f"watch.monitors.{name}") for name, choice in recipe.monitors.items()}
    verdict = None if recipe.verdict is None else made(recipe.verdict, "watch.verdict")
    return Detectors(made(reward, "reward"), verdict, monitors, recipe.watch, reward.component.name)


def make_detector(choice: Choice, registry: Registry, source: str, table: str = "reward") -> RewardDetector:
    """A reward detector with those that it is made of, from tables inside its own.

    Args:
        choice: Which.
        registry: Where names are looked up.
        source: The file, for errors.
        table: The table that named it, for errors.
    """
    detector: RewardDetector = choice.make()

    def part(key: str, content: Mapping[str, Any]) -> RewardDetector:
        where = f"{table}.{key}"
        return make_detector(choose("reward", content, registry, source, where), registry, source, where)

    detector.assemble(part)
    return detector


def _parts(recipe: Recipe, plugins: Plugins) -> Callable[..., CurriculumStrategy]:
    """Makes curricula that are parts of another one, from tables inside ``[curriculum]``."""

    def part(key: str, table: Mapping[str, Any], world: World, rng: np.random.Generator) -> CurriculumStrategy:
        choice = choose("curriculum", table, plugins.registry, recipe.source, f"curriculum.{key}")
        curriculum: CurriculumStrategy = choice.make(world, rng)
        return curriculum

    return part


def load_policy(folder: Path, loop: ClosedLoop, plugins: Plugins) -> Learner:
    """The latest policy of a run, to act in the worlds of another loop.

    Raises:
        RunFolderError: There is no run, no checkpoint, or a policy for other observations or actions.
    """
    recipe, checkpoint = load_recipe_of(folder, plugins, []), checkpoint_of(folder)
    learner: Learner = make_learner(recipe, loop)
    try:
        learner.load(checkpoint / "learner")
    except (ValueError, RuntimeError, KeyError) as error:
        problem = f"its policy does not fit this world: {error}. Name a run with the same [backend] and [learner]"
        raise RunFolderError(folder, problem) from error
    return learner


def load_recipe_of(folder: Path, plugins: Plugins, overrides: list[str]) -> Recipe:
    """The recipe of a run folder.

    Raises:
        RunFolderError: It holds none.
    """
    if not (folder / "recipe.toml").exists():
        raise RunFolderError(folder, "is no run folder: it holds no recipe.toml. Make one with: adversarl run RECIPE")
    return load_recipe(folder / "recipe.toml", plugins.registry, overrides)


def checkpoint_of(folder: Path) -> Path:
    """The latest checkpoint of a run folder.

    Raises:
        RunFolderError: It has none.
    """
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        raise RunFolderError(folder, f"has no checkpoint yet. Go on with: adversarl run RECIPE --out {folder} --resume")
    return checkpoint


def make_learner(recipe: Recipe, loop: ClosedLoop) -> Any:
    """The learner of a recipe, on its loop."""
    return recipe["learner"].make(loop, generator(recipe.run.seed, "learner"))


def backend_for(recipe: Recipe, keys: Mapping[str, Any]) -> Choice:
    """The recipe's backend with the keys of ``[backend]`` that a cell of its suite wants.

    Raises:
        RecipeError: The backend does not have them.
    """
    backend, suite = (recipe[table].component.name for table in ("backend", "evaluation"))
    try:
        return recipe["backend"].changed(keys, recipe.source, "backend")
    except RecipeError as error:
        wanted = ", ".join(f"{key} = {value!r}" for key, value in keys.items())
        problem = f"'{suite}' plays in worlds with {wanted}, which backend '{backend}' does not have ({error})"
        raise RecipeError(recipe.source, "[evaluation] suite", f"{problem}. Choose another suite or backend") from None


def load_checkpoint(checkpoint: Path, loop: ClosedLoop, learner: Learner) -> None:
    """Brings a run folder's checkpoint back: the loop first, because a learner may look at its environment."""
    loop.rewind(pickle.loads((checkpoint / "loop.pkl").read_bytes()))  # our own file, not foreign input
    learner.load(checkpoint / "learner")
