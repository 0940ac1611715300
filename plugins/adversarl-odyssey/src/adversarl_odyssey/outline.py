"""What an estimate has to know of a recipe's world, learnt without opening a stream."""

from __future__ import annotations

from contextlib import closing

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.recipe import Choice, Recipe
from adversarl_odyssey.estimate import Outline
from adversarl_odyssey.inner import InnerOptions, inner_choice
from adversarl_odyssey.options import ServiceOptions

KINDS = {"odyssey": "stream", "odyssey-hybrid": "hybrid", "odyssey-batch": "videos"}


def outline_of(recipe: Recipe) -> Outline:
    """The outline of a recipe's world; any world's, those without streams included."""
    choice = recipe["backend"]
    kind = KINDS.get(choice.component.name, "none")
    options = choice.options
    if isinstance(options, ServiceOptions) and options.playback is not None:
        kind = "none"
    with closing(simulator(recipe)) as world:
        axes, limit = world.axes, world.max_episode_steps
    num_envs = int(getattr(options, "num_envs", 1))
    missing, video_s = _videos(recipe) if kind == "videos" else (0, 0.0)
    return Outline(kind, axes, limit, num_envs, missing, video_s)


def simulator(recipe: Recipe) -> PerturbableVectorEnv:
    """One environment of a recipe's world, without its streams, and without any file that it reads or writes."""
    return _plain(recipe["backend"]).make().make(seed=recipe.run.seed, num_envs=1)  # type: ignore[no-any-return]


def _plain(choice: Choice) -> Choice:
    options = choice.options
    if isinstance(options, InnerOptions):
        return inner_choice(options)
    if isinstance(options, ServiceOptions):
        return Choice(choice.component, options.model_copy(update={"record": None, "playback": None}))
    return choice


def _videos(recipe: Recipe) -> tuple[int, float]:
    from adversarl_odyssey.bank_plan import missing_from

    return missing_from(recipe)
