"""What an estimate has to know of a recipe's world, learnt without opening a stream."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.recipe import Recipe
from adversarl_odyssey.estimate.sums import Outline
from adversarl_odyssey.goal_pictures import asks_for_goal, goal_folder, goal_script
from adversarl_odyssey.inner import InnerOptions, make_inner
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.pure_options import OdysseyOptions, judge_of
from adversarl_odyssey.sources import Shown, Source

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
    missing, video_s = _videos(recipe, kind)
    return Outline(kind, axes, limit, num_envs, missing, video_s)


def simulator(recipe: Recipe) -> PerturbableVectorEnv:
    """One environment of a recipe's world, without its streams."""
    options, seed = recipe["backend"].options, recipe.run.seed
    if isinstance(options, InnerOptions):
        return make_inner(options, seed=seed, num_envs=1)
    if isinstance(options, OdysseyOptions):
        return _mute(options, seed)
    world: PerturbableVectorEnv = recipe["backend"].make().make(seed=seed, num_envs=1)
    return world


class Mute(Source):
    """A source for a world that is asked what it is, and never played."""

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """Nothing begins."""

    def prompt(self, env: int, text: str) -> None:
        """Nothing changes."""

    def show(self, env: int, *, fresh: bool) -> Shown:
        """There is nothing to see."""
        raise NotImplementedError

    def close(self) -> None:
        """There is nothing to end."""


def _mute(options: OdysseyOptions, seed: int) -> PerturbableVectorEnv:
    from adversarl_odyssey.pure_axes import chosen
    from adversarl_odyssey.pure_world import PureVectorEnv

    judge, axes = judge_of(options), chosen(options.axes)
    return PureVectorEnv(Mute(), judge, options, axes=axes, goal=lambda notice, paid: Path(), num_envs=1, seed=seed)


def _videos(recipe: Recipe, kind: str) -> tuple[int, float]:
    """How many videos have to be made first, and the length of each [s]."""
    from adversarl_odyssey.bank.plan import missing_from, unpaid
    from adversarl_odyssey.bank.store import Bank

    options = recipe["backend"].options
    if kind == "videos":
        return missing_from(recipe)
    if kind != "stream" or not isinstance(options, OdysseyOptions):
        return 0, 0.0
    script = goal_script(options)
    missing = asks_for_goal(options) and unpaid(Bank(goal_folder(options)), script)
    return (1, script.seconds) if missing else (0, 0.0)
