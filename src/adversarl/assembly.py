"""From a recipe to the closed loop.

The module is not called ``make``: importing a submodule of that name would replace the function `adversarl.make`.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adversarl.interfaces.curriculum import World
from adversarl.interfaces.learner import Learner
from adversarl.loop import STREAMS, ClosedLoop, Parts
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import Recipe, load_recipe
from adversarl.seeding import generator


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
    return make_loop(load_recipe(Path(recipe), loaded.registry, (*overrides, *more)), loaded)


def make_loop(recipe: Recipe, plugins: Plugins) -> ClosedLoop:
    """The closed loop of a validated recipe."""
    seed: int = recipe.run.seed
    streams = {name: generator(seed, name) for name in STREAMS}
    world = recipe["backend"].make().make(seed=seed)
    about = World(world.axes, world.max_episode_steps, world.ground, world.presets)
    parts = Parts(
        world,
        recipe["reward"].make(),
        recipe["failure"].make(world.axes),
        recipe["curriculum"].make(about, streams["curriculum"]),
    )
    return ClosedLoop(parts, plugins.manager.hook, seed=seed, streams=streams)


def make_learner(recipe: Recipe, loop: ClosedLoop) -> Any:
    """The learner of a recipe, on its loop."""
    return recipe["learner"].make(loop, generator(recipe.run.seed, "learner"))


def load_checkpoint(checkpoint: Path, loop: ClosedLoop, learner: Learner) -> None:
    """Brings a run folder's checkpoint back: the loop first, because a learner may look at its environment."""
    loop.rewind(pickle.loads((checkpoint / "loop.pkl").read_bytes()))  # our own file, not foreign input
    learner.load(checkpoint / "learner")
