"""``adversarl bench``: a recipe's speed, and everything else that is measured by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from adversarl.cli.options import BackendName, Json, PluginFiles, RecipeFile, Set, load_plugins


class RecipeOrName(TyperGroup):
    """Named benchmarks; a file, or an option, in a name's place means the benchmark ``recipe``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the benchmark's name before a recipe."""
        first = args[0] if args else ""
        is_file = "." in first or "/" in first or first.startswith("-")
        return super().parse_args(ctx, ["recipe", *args] if is_file and first not in ("-h", "--help") else args)


def bench_app() -> typer.Typer:
    """The command ``bench`` with every plugin's named benchmarks."""
    app = typer.Typer(
        cls=RecipeOrName,
        help="Measure things; `adversarl bench RECIPE` is short for `adversarl bench recipe RECIPE`.",
        no_args_is_help=True,
        subcommand_metavar="RECIPE|BENCHMARK [ARGS]...",
    )

    @app.command("recipe")
    def recipe_(
        recipe: RecipeFile,
        overrides: Set = None,
        seconds: Annotated[float, typer.Option(min=0.1, help="Seconds per measurement and round.")] = 1.0,
        rounds: Annotated[int, typer.Option(min=1, help="Rounds; medians of their ratios are printed.")] = 5,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """Measure env steps/s beside the bare simulator loop of the same scene."""
        from adversarl.cli.bench import show_bench

        show_bench(recipe, overrides or [], seconds, rounds, load_plugins(tuple(plugin or ())), as_json=json)

    @app.command()
    def teachers(
        task: Annotated[list[str] | None, typer.Option(help="Only this task; may be repeated.")] = None,
        episodes: Annotated[int, typer.Option(min=1, help="Nominal episodes of each task.")] = 100,
        backend: BackendName = None,
        overrides: Set = None,
        seed: Annotated[int, typer.Option(help="Seed of the first episode; the others follow.")] = 0,
        render: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write pictures of each.")] = None,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """Measure how often the scripted teachers solve their tasks."""
        from adversarl.cli.teachers import show_teachers

        plugins = load_plugins(tuple(plugin or ()))
        show_teachers(task or [], episodes, backend, overrides or [], seed, render, plugins, as_json=json)

    load_plugins().manager.hook.adversarl_benchmarks(app=app)
    return app
