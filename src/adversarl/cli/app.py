"""The commands and what they take; what they do is imported when they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adversarl.cli.bench_app import bench_app
from adversarl.cli.options import (
    KIND_HELP,
    BackendName,
    Json,
    PluginFiles,
    RecipeFile,
    RunPath,
    Seed,
    Set,
    Sheet,
    WhoseBackend,
    load_plugins,
)


def build_app() -> typer.Typer:
    """The application with every plugin's commands."""
    app = typer.Typer(
        name="adversarl",
        help="Train visual robot-manipulation policies in worlds that fight back.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (run, evaluate, export, prompt, doctor):
        app.command()(command)
    app.add_typer(bench_app(), name="bench")
    app.add_typer(_axes_app(), name="axes")
    app.add_typer(_plugins_app(), name="plugins")
    app.add_typer(_recipes_app(), name="recipes")
    app.callback()(_root)
    load_plugins().manager.hook.adversarl_commands(app=app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        import adversarl

        typer.echo(f"adversarl {adversarl.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def run(
    recipe: RecipeFile,
    overrides: Set = None,
    seed: Annotated[int | None, typer.Option(help="Override run.seed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME-SEED by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's latest checkpoint.")] = False,
    warm_start: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Begin where the warm start of this run ended.")
    ] = None,
    plugin: PluginFiles = None,
) -> None:
    """Train a recipe in the closed loop. Ctrl-C saves and says how to go on."""
    from adversarl.cli.run import run_recipe

    files = tuple(plugin or ())
    run_recipe(recipe, overrides or [], seed, out, resume, load_plugins(files), files, warm_start)


def evaluate(
    run: RunPath,
    suite: Annotated[str | None, typer.Option(help="Suite; the recipe's by default.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of [evaluation].")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="backend.KEY=VALUE",
            help="Play the same episodes in a world that differs in this, such as backend.renderer=pbr: the gap.",
        ),
    ] = None,
    teacher: Annotated[bool, typer.Option("--teacher", help="The scripted expert plays, not the policy.")] = False,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Evaluate a run's latest policy on a suite."""
    from adversarl.cli.evaluate import evaluate_run

    plugins = load_plugins(tuple(plugin or ()))
    evaluate_run(run, suite, overrides or [], also or [], plugins, by_teacher=teacher, as_json=json)


def export(
    run: RunPath,
    exporter: Annotated[str, typer.Option("--with", help="Exporter, such as onnx.")],
    out: Annotated[Path | None, typer.Option(help="File to write; RUN/policy.SUFFIX by default.")] = None,
    plugin: PluginFiles = None,
) -> None:
    """Write a run's latest policy as a file that runs without AdversaRL."""
    from adversarl.cli.evaluate import export_run

    export_run(run, exporter, out, load_plugins(tuple(plugin or ())))


def prompt(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help='Prompts, such as "dim the lights".')],
    recipe: WhoseBackend = None,
    backend: BackendName = None,
    overrides: Set = None,
    render: Annotated[Path | None, typer.Option(metavar="PNG", help="Write a picture before and after.")] = None,
    seed: Seed = 0,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Show what prompts are grounded to and what was not understood; exit code 1 if anything was not."""
    from adversarl.cli.prompt import show_prompts

    plugins = load_plugins(tuple(plugin or ()))
    show_prompts(texts, recipe, backend, overrides or [], render, seed, plugins, as_json=json)


def doctor(
    backend: Annotated[str | None, typer.Option(help="Backend to examine; mujoco if installed.")] = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Check versions, rendering, determinism and what is missing; exit code 1 if something is wrong."""
    from adversarl.cli.doctor import show_doctor

    show_doctor(backend, load_plugins(tuple(plugin or ())), as_json=json)


def _axes_app() -> typer.Typer:
    app = typer.Typer(help="What a world can vary, and presets of it.", no_args_is_help=True)

    @app.command("list")
    def list_(
        group: Annotated[str | None, typer.Option(help="Only visual, geometry, dynamics or sensor axes.")] = None,
        recipe: WhoseBackend = None,
        backend: BackendName = None,
        overrides: Set = None,
        render: Sheet = None,
        seed: Seed = 0,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """List axes with unit, nominal and bound, and presets; a sheet shows every axis at 0, 1/2 and 1."""
        from adversarl.cli.axes import list_axes
        from adversarl.cli.prompt import opened_world

        with opened_world(load_plugins(tuple(plugin or ())), recipe, backend, overrides or [], seed) as world:
            list_axes(world, group, render, seed, as_json=json)

    @app.command()
    def show(
        name: Annotated[str, typer.Argument(help="Axis or preset, such as fog or robosuite.")],
        recipe: WhoseBackend = None,
        backend: BackendName = None,
        overrides: Set = None,
        render: Sheet = None,
        seed: Seed = 0,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """Show an axis with its source, or the ranges of a preset."""
        from adversarl.cli.axes import show_axis
        from adversarl.cli.prompt import opened_world

        with opened_world(load_plugins(tuple(plugin or ())), recipe, backend, overrides or [], seed) as world:
            show_axis(world, name, render, seed, as_json=json)

    return app


def _plugins_app() -> typer.Typer:
    app = typer.Typer(help="Installed components and how to write one.", no_args_is_help=True)

    @app.command("list")
    def list_(
        kind: Annotated[str | None, typer.Option(help=f"Only this kind: {KIND_HELP}")] = None,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """List components: kind, name, distribution, summary, status."""
        from adversarl.cli.plugins import list_components

        list_components(load_plugins(tuple(plugin or ())), kind, as_json=json)

    @app.command()
    def show(
        name: Annotated[str, typer.Argument(help="Component, such as ppo or learner:ppo.")],
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """Show a component's options: type, default, range, unit."""
        from adversarl.cli.plugins import show_component

        show_component(load_plugins(tuple(plugin or ())), name, as_json=json)

    @app.command()
    def new(
        name: Annotated[str, typer.Argument(help="Name of the component, such as fog.")],
        kind: Annotated[str, typer.Option(help=KIND_HELP)],
        out: Annotated[Path, typer.Option(help="Folder to write the package into.")] = Path(),
    ) -> None:
        """Write a working, tested, installable plugin package."""
        from adversarl.cli.plugins import new_plugin

        new_plugin(name, kind, out)

    @app.command()
    def check(
        name: Annotated[str, typer.Argument(help="Component, such as ppo or learner:ppo.")],
        overrides: Annotated[
            list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set one of its options.")
        ] = None,
        json: Json = False,
        plugin: PluginFiles = None,
    ) -> None:
        """Run the conformance kit on a component; exit code 1 if a check fails."""
        from adversarl.cli.plugins import check_component

        check_component(load_plugins(tuple(plugin or ())), name, overrides or [], as_json=json)

    return app


def _recipes_app() -> typer.Typer:
    app = typer.Typer(help="Check and show recipes.", no_args_is_help=True)

    @app.command()
    def check(recipes: list[Path], overrides: Set = None, plugin: PluginFiles = None) -> None:
        """Validate recipes without running them."""
        from adversarl.cli.recipes import check_recipes

        check_recipes(recipes, overrides or [], load_plugins(tuple(plugin or ())))

    @app.command()
    def show(recipe: RecipeFile, overrides: Set = None, json: Json = False, plugin: PluginFiles = None) -> None:
        """Print a recipe with every default written out."""
        from adversarl.cli.recipes import show_recipe

        show_recipe(recipe, overrides or [], load_plugins(tuple(plugin or ())), as_json=json)

    return app
