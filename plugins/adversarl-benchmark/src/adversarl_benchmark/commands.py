"""``adversarl benchmark``, ``suites``, ``reproduce`` and ``report``: what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adversarl.cli.options import Json, PluginFiles, Set, load_plugins

SUITE = "tabletop-heldout-v1"
Suite = Annotated[str, typer.Argument(metavar="SUITE", help="A held-out suite.")]


def add_commands(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(benchmark)
    app.command()(reproduce)
    app.command()(report)
    suites = typer.Typer(help="Held-out scenes that runs are judged on.", no_args_is_help=True)
    suites.command("list")(suites_list)
    suites.command("show")(suites_show)
    app.add_typer(suites, name="suites")


def benchmark(
    recipes: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RECIPE...", help="One condition each; recipes/{baseline,static,adaptive}.toml."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="How many, from 0 on; or which: 3,4 or 5-9.")] = "5",
    controls: Annotated[bool, typer.Option(help="Also no DR, random prompts, warm start alone, the oracle.")] = True,
    suite: Annotated[str, typer.Option(help="Held-out suite.")] = SUITE,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per cell of the suite.")] = 20,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes side by side; 1, and 2 of a smoke test.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Benchmark folder, which may grow; benchmarks/main or /smoke.")
    ] = None,
    overrides: Set = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Two seeds and tiny budgets: does all of it work?")] = False,
    report_only: Annotated[bool, typer.Option("--report-only", help="Train nothing; report what is there.")] = False,
    plugin: PluginFiles = None,
) -> None:
    """Compare recipes on scenes that none of them saw: train, evaluate, results table, report. Ctrl-C saves."""
    from adversarl_benchmark.run_command import Request, run_benchmark

    at_once, folder = jobs or (2 if smoke else 1), out or Path("benchmarks") / ("smoke" if smoke else "main")
    changes = overrides or []
    request = Request(recipes or [], seeds, controls, suite, episodes, at_once, folder, changes, smoke, report_only)
    run_benchmark(request, load_plugins(tuple(plugin or ())), tuple(plugin or ()))


def suites_list(json: Json = False, plugin: PluginFiles = None) -> None:
    """List held-out suites."""
    from adversarl_benchmark.suites_command import list_suites

    list_suites(load_plugins(tuple(plugin or ())), as_json=json)


def suites_show(
    name: Suite = SUITE,
    json: Json = False,
    render: Annotated[Path | None, typer.Option(metavar="PNG", help="Write a sheet of its scenes.")] = None,
    plugin: PluginFiles = None,
) -> None:
    """Show what a suite asks of the world, and what it keeps from training."""
    from adversarl_benchmark.suites_command import show_suite

    show_suite(name, load_plugins(tuple(plugin or ())), render, as_json=json)


def reproduce(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A report.html, or its folder.")],
    condition: Annotated[str | None, typer.Option(help="Which condition; the last recipe by default.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which seed; the first by default.")] = None,
    curve: Annotated[str | None, typer.Option(help="Which curve; mixed by default.")] = None,
    intensity: Annotated[float | None, typer.Option(help="Which intensity; one half by default.")] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train the run anew, too.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Where runs lie, and a new one stays; default: beside it.")] = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Run one cell of a report again and say whether it agrees; exit code 1 if it does not."""
    from adversarl_benchmark.reproduce_command import show_reproduction

    chosen = (condition, seed, curve, intensity)
    show_reproduction(report, chosen, load_plugins(tuple(plugin or ())), runs, retrain=retrain, as_json=json)


def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A results.json, or a report.html.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the report; that of RESULTS by default.")] = None,
    page: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write one Markdown page instead.")] = None,
    preface: Annotated[Path | None, typer.Option(metavar="FILE.md", help="What the page begins with.")] = None,
    plugin: PluginFiles = None,
) -> None:
    """Write the report of a results file again."""
    from adversarl_benchmark.reproduce_command import rewrite_report

    rewrite_report(results, out, page, preface, load_plugins(tuple(plugin or ())))
