"""``adversarl bench failures``: how well failure classifiers find causes that were put there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adversarl.plugins import Plugins
    from adversarl_failures.calibration.design import Injected
    from adversarl_failures.calibration.workers import Setup

DEFAULTS = ("statistics", "counterfactual")
LIMITS = {"mujoco": 12, "point-mass": 40}
"""Time limits [control steps]; the teachers need 4 and 17 on average."""


def add_failures(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("failures")(failures)


def failures(
    classifier: Annotated[list[str] | None, typer.Option(help="Only this classifier; may be repeated.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of every axis alone, in a pair, with a companion.")] = 1,
    clean: Annotated[int, typer.Option(min=1, help="Trials without a cause, for every axis.")] = 4,
    episodes: Annotated[int, typer.Option(min=20, help="Episodes of a trial.")] = 300,
    group: Annotated[str, typer.Option(help="Axes injected: visual, geometry, dynamics or sensor.")] = "visual",
    backend: Annotated[str | None, typer.Option(help="mujoco or point-mass; mujoco if installed.")] = None,
    seed: Annotated[int, typer.Option(help="Root of all that is drawn.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; they do not change the result.")] = 2,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how often failure classifiers name the axes that a policy was made blind to, and nothing else.

    Classifiers that name ways of failing instead of axes are measured like the others: what counts is causes.
    """
    from adversarl.cli.options import load_plugins
    from adversarl.cli.output import print_json
    from adversarl.cli.prompt import default_backend
    from adversarl_failures.calibration.design import Design
    from adversarl_failures.calibration.workers import Setup

    plugins = load_plugins()
    names, missing = _classifiers(plugins, classifier or [])
    world = default_backend(plugins, backend)
    design = Design(trials=trials, clean=clean, episodes=episodes, limit=LIMITS.get(world, 50), seed=seed)
    setup = Setup(world, group, names, design)
    with closing(setup.harness()) as harness:
        about = {"task": harness.task, "axes": [axis.name for axis in harness.varied]}
        injected = list(design.injected(harness.varied))
    results = _measured(setup, injected, jobs)
    if json:
        settings = {"backend": world, "group": group, **asdict(design), **about}
        print_json({"design": settings, "missing": missing, "classifiers": results})
    else:
        _print(results, missing, f"{design.episodes} episodes a trial, {len(about['axes'])} {group} axes")


def _classifiers(plugins: Plugins, asked: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Those asked for, or the usual ones and why some of them cannot be had."""
    from adversarl.errors import BrokenPlugin, MissingExtra

    found, missing = list[str](), dict[str, str]()
    for name in dict.fromkeys(asked or DEFAULTS):
        try:
            plugins.registry.get("failure", name, "--classifier").load()
            found.append(name)
        except (BrokenPlugin, MissingExtra) as error:
            if asked:
                raise
            missing[name] = str(error)
    return tuple(found), missing


def _measured(setup: Setup, injected: list[Injected], jobs: int) -> dict[str, dict[str, Any]]:
    from rich.console import Console
    from rich.progress import Progress

    from adversarl_failures.calibration.figures import figures
    from adversarl_failures.calibration.workers import measure

    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("trials", total=None)
        verdicts = measure(
            setup, injected, jobs, lambda done, total: progress.update(task, completed=done, total=total)
        )
    return {name: figures(found) for name, found in verdicts.items()}


def _print(results: dict[str, dict[str, Any]], missing: dict[str, str], what: str) -> None:
    from adversarl.cli.output import console, interval, table
    from adversarl_failures.calibration.figures import FIGURES, mistaken

    rows = [[name, text, *interval(found[key])] for name, found in results.items() for key, text in FIGURES.items()]
    console.print(table(f"known causes, {what}", ["classifier", "what", "share", "95 %", "n"], rows))
    costs = [[name, f"{found['env_steps']:,.0f}"] for name, found in results.items()]
    console.print(table("cost of a trial", ["classifier", "env steps played again"], costs))
    wrong = [[name, *row] for name, found in results.items() for row in mistaken(found["confusion"])]
    if wrong:
        console.print(table("confusions", ["classifier", "injected", "blamed first", "times"], wrong))
    for name in (name for name, found in results.items() if not found["precision"]["n"]):
        console.print(f"{name} names no axis: causes are what is measured here", style="yellow", highlight=False)
    for name, why in missing.items():
        console.print(f"{name} is left out: {why}", style="yellow", highlight=False)
