"""``adversarl evaluate`` and ``adversarl export``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress

from adversarl.assembly import load_checkpoint, make_learner, make_loop
from adversarl.cli.output import console, interval, print_json, table
from adversarl.errors import RunFolderError
from adversarl.evaluate import evaluate
from adversarl.interfaces.learner import Learner
from adversarl.loop import ClosedLoop
from adversarl.metrics import rate, robustness_auc
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe, load_recipe
from adversarl.runs import latest_checkpoint, read_json, write_json


def load_run(folder: Path, plugins: Plugins, overrides: list[str]) -> tuple[Recipe, ClosedLoop, Learner]:
    """The recipe, the loop and the trained learner of a run folder.

    Raises:
        RunFolderError: It has no recipe or no checkpoint.
    """
    if not (folder / "recipe.toml").exists():
        raise RunFolderError(folder, "is no run folder: it holds no recipe.toml. Make one with: adversarl run RECIPE")
    recipe = load_recipe(folder / "recipe.toml", plugins.registry, overrides)
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        raise RunFolderError(folder, f"has no checkpoint yet. Go on with: adversarl run RECIPE --out {folder} --resume")
    loop = make_loop(recipe, plugins)
    learner: Learner = make_learner(recipe, loop)
    load_checkpoint(checkpoint, loop, learner)
    return recipe, loop, learner


def evaluate_run(folder: Path, suite: str | None, overrides: list[str], plugins: Plugins, *, as_json: bool) -> None:
    """Evaluates the latest policy and keeps the result beside the run's own."""
    sets = [f"evaluation.{override}" for override in overrides]
    recipe, loop, learner = load_run(folder, plugins, [*([f"evaluation.suite={suite}"] if suite else []), *sets])
    choice = recipe["evaluation"]
    world = recipe["backend"].make().make(seed=recipe.run.seed)
    try:
        cells = choice.make().cells(world.axes, recipe.run.seed)
        with Progress(console=console, transient=True, disable=as_json) as progress:
            bar = progress.add_task("evaluate", total=None)
            results = evaluate(
                learner, world, cells, lambda done, total: progress.update(bar, completed=done, total=total)
            )
    finally:
        world.close()
        loop.close()
    name = choice.component.name
    path = folder / "evaluations.json"
    known: dict[str, Any] = read_json(path) if path.exists() else {}
    entry = {"env_steps": learner.env_steps, "options": choice.options.model_dump(mode="json")}
    write_json(path, known | {name: {**entry, "cells": [asdict(cell) for cell in results]}})
    rows = [{"axis": cell.axis, "intensity": cell.intensity, **rate(cell.success).to_json()} for cell in results]
    auc = robustness_auc(results)
    if as_json:
        print_json({"suite": name, "cells": rows, "robustness_auc": auc})
        return
    shown = [[row["axis"], f"{row['intensity']:.2f}", *interval(row)] for row in rows]
    shown.append(["mixed", "AUC", *interval(auc)])
    console.print(table(f"{folder.name} on {name}", ["axis", "intensity", "success", "95 % interval", "n"], shown))


def export_run(folder: Path, name: str, out: Path | None, plugins: Plugins) -> None:
    """Writes the latest policy as a file."""
    component = plugins.registry.get("exporter", name, "--with")
    exporter = component.load()
    _, loop, learner = load_run(folder, plugins, [])
    try:
        written = exporter(exporter.Options()).export(learner, out or folder / f"policy.{name}")
    finally:
        loop.close()
    console.print(f"wrote {written}", highlight=False, soft_wrap=True)
