"""The command ``adversarl odyssey bank``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adversarl.cli.options import Json, PluginFiles, RecipeFile, Set, load_plugins
from adversarl.errors import RecipeError

if TYPE_CHECKING:
    from adversarl.recipe import Recipe


def bank(
    recipe: RecipeFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the bank; default: where the recipe looks for it.")
    ] = None,
    levels: Annotated[
        str, typer.Option(metavar="LEVELS", help='Intensities of each axis, such as "0.5 1"; the recipe\'s by default.')
    ] = "",
    prompt: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Also these conditions, in words.")] = None,
    seconds: Annotated[float | None, typer.Option(min=1, max=600, help="Length of a video, in seconds.")] = None,
    goal: Annotated[bool, typer.Option("--goal", help="Also a video of the robot doing the task.")] = False,
    only_prompts: Annotated[bool, typer.Option("--only-prompts", help="Only --prompt and --goal.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing and its cost; make none.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Also those that failed before.")] = False,
    max_queued: Annotated[int, typer.Option(min=1, max=100, help="Most jobs at the service at once.")] = 10,
    poll: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the jobs.")] = 2.0,
    overrides: Set = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Make the videos that a recipe needs, so that odyssey-batch runs without a network; goes on where it stopped."""
    from adversarl.recipe import load_recipe
    from adversarl_odyssey.bank.making import Making, make
    from adversarl_odyssey.bank.plan import folder_of

    if only_prompts and not (prompt or goal):
        raise RecipeError("--only-prompts", "nothing is wanted", "add --prompt TEXT or --goal")
    loaded = load_recipe(recipe, load_plugins(tuple(plugin or ())).registry, overrides or [])
    folder = out or folder_of(loaded)
    wanted = _wanted(loaded, folder, levels, seconds, tuple(prompt or ()), goal=goal)
    command = shlex.join(["adversarl", *sys.argv[1:]])
    making = Making(folder, wanted, command, only_prompts, dry_run, retry_failed, max_queued, poll)
    make(loaded, making, as_json=json)


def _wanted(
    recipe: Recipe, folder: Path, levels: str, seconds: float | None, prompts: tuple[str, ...], *, goal: bool
) -> Any:
    from adversarl_odyssey.bank.plan import LEVELS, SECONDS, Wanted
    from adversarl_odyssey.bank.store import Bank

    options = recipe["backend"].options
    chosen = _levels(levels) or tuple(getattr(options, "levels", LEVELS))
    return Wanted(
        Bank(folder).levels_with(chosen), seconds or float(getattr(options, "seconds", SECONDS)), prompts, goal
    )


def _levels(text: str) -> tuple[float, ...]:
    try:
        found = tuple(sorted({float(part) for part in text.replace(",", " ").split()}))
    except ValueError:
        found = (0.0,)
    if any(not 0 < level <= 1 for level in found):
        raise RecipeError("--levels", repr(text), 'write intensities above 0 and up to 1, such as "0.5 1"')
    return found
