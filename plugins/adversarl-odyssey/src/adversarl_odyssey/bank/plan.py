"""Which videos a recipe needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import World
from adversarl.recipe import Recipe
from adversarl.seeding import generator
from adversarl.types import Perturbation
from adversarl_odyssey.bank.store import Bank, Script
from adversarl_odyssey.bank.words import canonical, complete, joined
from adversarl_odyssey.estimate.outline import simulator
from adversarl_odyssey.goal_pictures import asks_for_goal, goal_folder, goal_script
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.pure_options import OdysseyOptions
from adversarl_odyssey.wording import SIMULATED, Wording

LEVELS = (0.5, 1.0)
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a bank shall hold, besides what its recipe asks for.

    Attributes:
        levels: Intensities in (0, 1] of every axis that can be seen.
        seconds: Length of a video [s].
        prompts: Conditions in words of one's own.
        goal: Whether a video of somebody doing the task is wanted.
    """

    levels: tuple[float, ...] = LEVELS
    seconds: float = SECONDS
    prompts: tuple[str, ...] = ()
    goal: bool = False


def scripts_of(recipe: Recipe, wanted: Wanted, *, only_prompts: bool = False) -> list[Script]:
    """The scripts of a recipe: the nominal world, every axis at every level, and what it is known to ask for.

    That is the prompts of a curriculum which are fixed beforehand, and the cells of its evaluation; what an adaptive
    curriculum combines is not known beforehand. A world that is nothing but a stream looks at no video but its goal's.

    Args:
        recipe: The recipe, of any backend.
        wanted: What else.
        only_prompts: Whether only what else is meant.
    """
    service = service_of(recipe)
    with closing(simulator(recipe)) as world:
        found = (
            {}
            if only_prompts or isinstance(service, OdysseyOptions)
            else dict.fromkeys(_conditions(recipe, world, wanted))
        )
        task = world.task
    texts = [complete(service.scene, text) for text in (*found, *map(_sentence, wanted.prompts))]
    scripts = [Script(text, wanted.seconds, portrait=service.portrait) for text in dict.fromkeys(texts)]
    if task and (wanted.goal or (isinstance(service, OdysseyOptions) and asks_for_goal(service))):
        scripts.append(_goal_script(service, task, wanted.seconds))
    return scripts


def _goal_script(service: ServiceOptions, task: str, seconds: float) -> Script:
    """Somebody does the task; a pure world finds the video of its own under the same script.

    The scene of a hybrid world has no robot, since the simulator's stands before it, so that the default is taken.
    """
    if isinstance(service, OdysseyOptions):
        return goal_script(service)
    scene = str(ServiceOptions.model_fields["scene"].default)
    return Script(scene, seconds, f"The robot arm does its task: {task}.", service.portrait)


def service_of(recipe: Recipe) -> ServiceOptions:
    """How to reach the service: as the recipe says, or by default where its world is a simulator alone."""
    options = recipe["backend"].options
    return options if isinstance(options, ServiceOptions) else ServiceOptions()


def folder_of(recipe: Recipe) -> Path:
    """The bank that the worlds of a recipe look into; for those that look into none the default of `odyssey-batch`."""
    options = recipe["backend"].options
    return goal_folder(options) if isinstance(options, OdysseyOptions) else Path(getattr(options, "bank", "bank"))


def unpaid(bank: Bank, script: Script, *, retry: bool = True) -> bool:
    """Whether a script has yet to be paid: there is no video, and the service works at none.

    Args:
        bank: Where it would be.
        script: What it shows.
        retry: Whether it is tried again if it failed for good.
    """
    entry = bank.entries.get(script.hash)
    if entry is None or bank.has(script):
        return entry is None
    return entry.status in ("wanted", "sending", "done") or (retry and entry.status == "failed")


def missing_from(recipe: Recipe) -> tuple[int, float]:
    """How many videos have yet to be paid for a recipe's bank, and the length of each [s]."""
    options: Any = recipe["backend"].options
    bank = Bank(Path(options.bank))
    wanted = Wanted(bank.levels_with(options.levels), options.seconds)
    return sum(unpaid(bank, script) for script in scripts_of(recipe, wanted)), options.seconds


def _conditions(recipe: Recipe, world: PerturbableVectorEnv, wanted: Wanted) -> Iterator[str]:
    wording = Wording(silent=SIMULATED)
    for perturbations in _asked(recipe, world, wanted.levels):
        yield joined(canonical(wording, perturbations, wanted.levels, valued=False))
        yield joined(canonical(wording, perturbations, wanted.levels, valued=True))


def _asked(recipe: Recipe, world: PerturbableVectorEnv, levels: Sequence[float]) -> Iterator[Iterable[Perturbation]]:
    yield ()
    for axis in world.axes:
        for level in levels:
            yield (Perturbation(axis.name, level),)
    for prompt in _fixed_prompts(recipe, world):
        yield world.ground(prompt).perturbations
    for cell in recipe["evaluation"].make().cells(world.axes, recipe.run.seed):
        yield from cell.perturbations


def _fixed_prompts(recipe: Recipe, world: PerturbableVectorEnv) -> tuple[str, ...]:
    """The prompts of a curriculum that has a list of them."""
    choice = recipe["curriculum"]
    if not hasattr(choice.options, "prompts"):
        return ()
    about = World(world.axes, world.max_episode_steps, world.ground, world.presets, world.task)
    curriculum = choice.make(about, generator(recipe.run.seed, "curriculum"))
    prompts = getattr(curriculum, "prompts", ())
    curriculum.close()
    return tuple(prompt for prompt in prompts if isinstance(prompt, str))


def _sentence(text: str) -> str:
    said = " ".join(text.split())
    said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "!", "?")) else f"{said}."
