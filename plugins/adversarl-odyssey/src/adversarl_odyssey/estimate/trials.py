"""How many steps a run plays aside, where its guard, its failure classifier or its curriculum asks "what if"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from adversarl.recipe import Recipe
from adversarl.trials import FEW


class Asked(NamedTuple):
    """What one component lets be played: environment steps, most episodes at a time, and the same as a sentence."""

    env_steps: float
    at_once: int
    sentence: str

    def width(self, num_envs: int) -> int:
        """Environments of the world that they are played in, see `adversarl.trials.SideTrials`."""
        return next((n for n in (1, FEW) if self.at_once <= n < num_envs), num_envs)


@dataclass(frozen=True, slots=True)
class Trials:
    """Everything that is played aside with pictures.

    Attributes:
        asked: By whom, and how much.
    """

    asked: tuple[Asked, ...]

    @property
    def env_steps(self) -> int:
        """Environment steps."""
        return round(sum(one.env_steps for one in self.asked))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was assumed."""
        return tuple(one.sentence for one in self.asked)

    def width(self, num_envs: int) -> int:
        """Environments of all worlds that trials are played in."""
        return sum({one.width(num_envs) for one in self.asked if one.env_steps})


def trials_of(recipe: Recipe, max_episode_steps: int, episode_share: float) -> Trials:
    """What a recipe's components play aside.

    Args:
        recipe: The recipe.
        max_episode_steps: Time limit [control steps].
        episode_share: Share of it that an episode lasts on average, in (0, 1].
    """
    length = max_episode_steps * episode_share
    episodes = recipe.run.total_steps / length
    sources: tuple[Callable[[Recipe, float, float], Iterator[Asked]], ...] = (_guard, _counterfactual, _curriculum)
    return Trials(tuple(one for source in sources for one in source(recipe, episodes, length)))


def _guard(recipe: Recipe, episodes: float, length: float) -> Iterator[Asked]:
    options: Any = recipe["curriculum"].options
    if options.guard == "teacher":
        yield Asked(0, 0, "The guard's teacher needs no pictures, so what it tries costs nothing.")
    elif options.guard == "antagonist":
        steps = (1 - options.clean_share) * episodes * length
        text = f"The guard tries every proposal once; where it refuses, it tries up to {options.guard_attempts}."
        yield Asked(steps, 1, text)


def _counterfactual(recipe: Recipe, episodes: float, length: float) -> Iterator[Asked]:
    del length
    choice = recipe["failure"]
    budget, every = getattr(choice.options, "budget", None), getattr(choice.options, "report_every", 0)
    if isinstance(budget, int) and budget and every:
        name = choice.component.name
        text = f"Failure classifier '{name}' spends its whole budget of {budget} steps every {every} episodes."
        yield Asked(episodes / every * budget, 2 * FEW, text)


def _curriculum(recipe: Recipe, episodes: float, length: float) -> Iterator[Asked]:
    choice = recipe["curriculum"]
    options: Any = choice.options
    name = choice.component.name
    if name == "plr" and options.robust:
        aside = (1 - options.replay_probability) / options.replay_probability * options.seeds
        text = f"Curriculum 'plr' tries {aside:.2g} episodes aside for each one of training."
        yield Asked((1 - options.clean_share) * aside * episodes * length, options.candidates, text)
    elif name == "adversary" and options.antagonist and options.objective == "regret":
        text = "Curriculum 'adversary' lets the antagonist try every perturbed episode; only failed ones have to be."
        yield Asked((1 - options.clean_share) * episodes * length, FEW, text)
    elif name in ("mix", "sequence", "replay"):
        yield Asked(0, 0, f"What parts of the curriculum '{name}' play aside, if any do, is not counted.")
