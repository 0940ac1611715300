"""``adversarl reward train``: a reward detector, trained on the pictures of a recipe's simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adversarl.cli.options import Json, PluginFiles, RecipeFile, Set, load_plugins

if TYPE_CHECKING:
    from adversarl.plugins import Plugins
    from adversarl.recipe import Recipe
    from adversarl_rewards.training import Plan

TESTS = {"nominal": "nominal", "same_axes": "axes of training, intensity 0.5", "held_out_axes": "axes held out, 0.5"}


def add_commands(app: typer.Typer) -> None:
    """Adds the command ``reward``."""
    reward = typer.Typer(help="Reward detectors.", no_args_is_help=True)
    reward.callback()(_group)
    reward.command("train")(train_)
    app.add_typer(reward, name="reward")


def _group() -> None:
    """Reward detectors."""


def train_(
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(metavar="FILE.pt", help="File to write what is trained into.")],
    detector: Annotated[str, typer.Option(help="Name of the reward detector to train.")] = "classifier",
    episodes: Annotated[int, typer.Option(min=20, help="Episodes to play and to train on.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything.")] = 0,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS", help="Keep this axis out of training; may be repeated. Default: a drawn quarter."),
    ] = None,
    overrides: Set = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Train a reward detector on pictures that the simulator labels under perturbation.

    Keys of the detector count where the recipe's table `reward` uses it, such as --set reward.use=classifier --set
    reward.epochs=20.
    """
    from adversarl.cli.output import console, print_json
    from adversarl.recipe import load_recipe
    from adversarl_rewards.training import Plan

    plugins = load_plugins(tuple(plugin or ()))
    loaded = load_recipe(recipe, plugins.registry, overrides or [])
    plan = Plan(*_chosen(loaded, plugins, detector), out, episodes, seed=seed, hold_out=hold_out)
    found = _train(loaded, plan, quiet=json)
    if json:
        print_json(found)
    else:
        _print(found)
        console.print(f"wrote {out}", markup=False, highlight=False, soft_wrap=True)


def _chosen(recipe: Recipe, plugins: Plugins, name: str) -> tuple[Any, Any]:
    """Class and options of the detector: the recipe's, where it uses it."""
    from adversarl.detection import FrameDetector
    from adversarl.errors import NotTrainable
    from adversarl.recipe import choose

    choice = recipe["reward"]
    if choice.component.name != name:
        choice = choose("reward", {"use": name}, plugins.registry, recipe.source)
    cls = choice.component.load()
    if not issubclass(cls, FrameDetector):
        raise NotTrainable(name)
    return cls, choice.options


def _train(recipe: Recipe, plan: Plan, *, quiet: bool) -> dict[str, Any]:
    from contextlib import closing

    import torch
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from adversarl.cli.output import console
    from adversarl_rewards.training import train

    torch.set_num_threads(1)  # more gain nothing on a network this small
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bars = {phase: progress.add_task(phase, total=None) for phase in ("frames", "training", "test")}

        def show(phase: str, done: int, total: int) -> None:
            progress.update(bars[phase], completed=done, total=total)

        with closing(recipe["backend"].make().make(seed=plan.seed)) as world:
            return train(world, plan, show)


def _print(found: dict[str, Any]) -> None:
    from adversarl.cli.output import console, table

    columns = ["pictures", "balanced accuracy", "95 %", "AUROC", "95 %", "calibration error", "false yes", "n"]
    rows = []
    for name, test in found["tests"].items():
        bounds = [part for key in ("balanced_accuracy", "auroc") for part in _bounded(test[key])]
        false = _bounded(test["false_positives"])[0]
        rows.append([TESTS[name], *bounds, f"{test['calibration_error']:.3f}", false, f"{test['n']:,}"])
    console.print(table(f"{found['task']}: pictures of episodes that nothing was trained on", columns, rows))
    aside = ", ".join(found["held_out_axes"]) or "none"
    console.print(f"axes held out: {aside}", markup=False, highlight=False, soft_wrap=True)
    if threshold := found["trained"].get("threshold"):
        text = f"recommended: threshold = {threshold}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _bounded(row: dict[str, Any]) -> tuple[str, str]:
    if row["value"] is None:
        return "-", ""
    return f"{row['value']:.3f}", f"[{row['low']:.3f}, {row['high']:.3f}]"
