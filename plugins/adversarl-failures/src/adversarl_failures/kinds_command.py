"""``adversarl failures train``: a model of kinds of failure, from a recipe's simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adversarl.cli.options import Json, PluginFiles, RecipeFile, Set, load_plugins

if TYPE_CHECKING:
    from adversarl.plugins import Plugins
    from adversarl.recipe import Recipe
    from adversarl.rollouts import Act
    from adversarl_failures.kinds_model import KindModel


def add_commands(app: typer.Typer) -> None:
    """Adds the command ``failures``."""
    failures = typer.Typer(help="Models of how episodes fail.", no_args_is_help=True)
    failures.callback()(_group)
    failures.command("train")(train_)
    app.add_typer(failures, name="failures")


def _group() -> None:
    """Models of how episodes fail."""


def train_(
    recipe: RecipeFile,
    out: Annotated[Path, typer.Option(metavar="FILE.pt", help="File to write the model into.")],
    episodes: Annotated[int, typer.Option(min=40, help="Episodes to play; those that succeed teach nothing.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training failures.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything.")] = 0,
    run: Annotated[Path | None, typer.Option(metavar="RUN", help="A run folder whose policy's failures count.")] = None,
    overrides: Set = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Train the failure classifier on failures that the simulator labels."""
    from adversarl.cli.output import console, print_json
    from adversarl.recipe import load_recipe

    plugins = load_plugins(tuple(plugin or ()))
    loaded = load_recipe(recipe, plugins.registry, overrides or [])
    model = _train(loaded, plugins, episodes, epochs, seed, run, quiet=json)
    model.save(out)
    if json:
        print_json({"task": model.task, "kinds": list(model.kinds), **model.figures})
    else:
        _print(model)
        console.print(f"wrote {out}", markup=False, highlight=False, soft_wrap=True)


def _train(
    recipe: Recipe, plugins: Plugins, episodes: int, epochs: int, seed: int, run: Path | None, *, quiet: bool
) -> KindModel:
    from contextlib import closing

    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from adversarl.cli.output import console
    from adversarl_failures.kinds_training import train

    _one_thread()
    policy, close = _policy(run, recipe, plugins)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bars = {"episodes": progress.add_task("episodes", total=episodes), "epochs": progress.add_task("epochs")}

        def show(phase: str, done: int, total: int) -> None:
            progress.update(bars[phase], completed=done, total=total)

        try:
            with closing(recipe["backend"].make().make(seed=seed)) as world:
                return train(world, episodes=episodes, epochs=epochs, seed=seed, policy=policy, on_progress=show)
        finally:
            close()


def _one_thread() -> None:
    """Two threads gain nothing on a network this small; says how to get PyTorch where it is missing."""
    from adversarl.errors import MissingExtra

    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtra("adversarl failures train", "torch", "adversarl-failures[classifier]") from None
    torch.set_num_threads(1)


def _policy(run: Path | None, recipe: Recipe, plugins: Plugins) -> tuple[Act | None, Any]:
    """The policy of a run folder, and what closes the loop that it needs."""
    from adversarl.assembly import load_policy, make_loop

    if run is None:
        return None, lambda: None
    loop = make_loop(recipe, plugins)
    return load_policy(run, loop, plugins).act, loop.close


def _print(model: KindModel) -> None:
    from adversarl.cli.output import console, interval, table

    figures = model.figures
    for name, test in figures["tests"].items():
        rows = [[kind, *interval(row["precision"]), *interval(row["recall"])] for kind, row in test["kinds"].items()]
        columns = ["kind", "precision", "95 %", "said", "recall", "95 %", "were"]
        title = f"{model.task}: {test['n']} failures, {name.replace('_', ' ')}"
        console.print(table(title, columns, rows))
        console.print(table("rows: the truth, columns: what was said", *_confusion(model.kinds, test["confusion"])))
        right, usual = interval(test["accuracy"]), interval(test["majority"]["accuracy"])
        console.print(
            f"accuracy {right[0]} {right[1]}, always '{test['majority']['kind']}' {usual[0]} {usual[1]}, "
            f"calibration error {test['calibration_error']:.3f}",
            markup=False,
        )
    console.print(f"axes held out: {', '.join(figures['held_out_axes'])}", markup=False)


def _confusion(kinds: tuple[str, ...], counts: list[list[int]]) -> tuple[list[str], list[list[str]]]:
    return ["", *kinds], [[kind, *map(str, row)] for kind, row in zip(kinds, counts, strict=True)]
