"""``adversarl bench failures``: how well failure classifiers find causes that were put there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adversarl.interfaces.failure import FailureClassifier
    from adversarl.plugins import Plugins
    from adversarl_failures.calibration.design import Design
    from adversarl_failures.calibration.harness import Harness

NUM_ENVS = 16
DEFAULTS = ("statistics", "counterfactual")
WORLDS: dict[str, dict[str, Any]] = {
    "mujoco": {"task": "reach", "image_size": 16},
    "point-mass": {"image_size": 8},
}
"""Keys of the backends: the shortest task and the smallest pictures, since nobody looks at them."""
LIMITS = {"mujoco": 12, "point-mass": 40}
"""Time limits [control steps]; the teachers need 4 and 17 on average."""


def add_failures(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("failures")(failures)


def failures(
    classifier: Annotated[list[str] | None, typer.Option(help="Only this classifier; may be repeated.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each kind for every axis.")] = 1,
    episodes: Annotated[int, typer.Option(min=20, help="Episodes of a trial.")] = 300,
    group: Annotated[str, typer.Option(help="Axes injected: visual, geometry, dynamics or sensor.")] = "visual",
    backend: Annotated[str | None, typer.Option(help="mujoco or point-mass; mujoco if installed.")] = None,
    seed: Annotated[int, typer.Option(help="Root of all that is drawn.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how often failure classifiers name the axes that a policy was made blind to, and nothing else."""
    from adversarl.cli.options import load_plugins
    from adversarl.cli.output import print_json
    from adversarl.cli.prompt import default_backend
    from adversarl_failures.calibration.design import Design

    plugins = load_plugins()
    judges, missing = _classifiers(plugins, classifier or [])
    name = default_backend(plugins, backend)
    limit = LIMITS.get(name, 50)
    design = Design(trials=trials, episodes=episodes, limit=limit, seed=seed)
    with closing(_harness(plugins, name, design, group)) as harness:
        results = _measured(harness, judges)
    if json:
        told = {**asdict(design), "group": group, "task": harness.task, "axes": len(harness.varied)}
        print_json({"design": told, "missing": missing, "classifiers": results})
    else:
        _print(results, missing, f"{design.episodes} episodes a trial, {len(harness.varied)} {group} axes")


def _classifiers(plugins: Plugins, asked: list[str]) -> tuple[dict[str, type[FailureClassifier]], dict[str, str]]:
    """Those asked for, or the usual ones and why some of them cannot be had."""
    from adversarl.errors import BrokenPlugin, MissingExtra

    found: dict[str, type[FailureClassifier]] = {}
    missing: dict[str, str] = {}
    for name in asked or DEFAULTS:
        try:
            found[name] = plugins.registry.get("failure", name, "--classifier").load()
        except (BrokenPlugin, MissingExtra) as error:
            if asked:
                raise
            missing[name] = str(error)
    return found, missing


def _harness(plugins: Plugins, name: str, design: Design, group: str) -> Harness:
    from adversarl.cli.prompt import chosen_backend
    from adversarl.errors import UnknownComponent
    from adversarl_failures.calibration.harness import Harness

    keys = {"use": name, "num_envs": NUM_ENVS} | WORLDS.get(name, {})
    recipe = chosen_backend(plugins, keys, [], "--backend").make()
    harness = Harness(lambda num_envs: recipe.make(seed=design.seed, num_envs=num_envs), NUM_ENVS, design, group)
    if not harness.varied:
        groups = dict.fromkeys(axis.group for axis in harness.axes)
        harness.close()
        raise UnknownComponent("group of axes", group, groups, "--group")
    return harness


def _measured(harness: Harness, judges: dict[str, type[FailureClassifier]]) -> dict[str, dict[str, Any]]:
    from rich.console import Console
    from rich.progress import Progress

    from adversarl_failures.calibration.figures import figures

    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("trials", total=None)
        verdicts = harness.run(judges, lambda done, total: progress.update(task, completed=done, total=total))
    return {name: figures(found) for name, found in verdicts.items()}


def _print(results: dict[str, dict[str, Any]], missing: dict[str, str], what: str) -> None:
    from adversarl.cli.output import console, interval, table
    from adversarl_failures.calibration.figures import FIGURES, mistaken

    rows = [[name, text, *interval(found[key])] for name, found in results.items() for key, text in FIGURES.items()]
    console.print(table(f"known causes, {what}", ["classifier", "what", "share", "95 %", "n"], rows))
    costs = [[name, f"{found['seconds']:.2f}", f"{found['env_steps']:,.0f}"] for name, found in results.items()]
    console.print(table("cost of a trial", ["classifier", "seconds", "env steps played again"], costs))
    wrong = [[name, *row] for name, found in results.items() for row in mistaken(found["confusion"])]
    if wrong:
        console.print(table("confusions", ["classifier", "injected", "blamed first", "times"], wrong))
    for name, why in missing.items():
        console.print(f"{name} is left out: {why}", style="yellow", highlight=False)
