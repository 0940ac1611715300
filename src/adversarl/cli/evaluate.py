"""``adversarl evaluate`` and ``adversarl export``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import Progress

from adversarl.assembly import backend_for, checkpoint_of, load_checkpoint, load_recipe_of, make_learner, make_loop
from adversarl.cli.output import console, interval, print_json, table
from adversarl.errors import AdversarlError, RecipeError
from adversarl.evaluate import MakeWorld, Player, evaluate_everywhere, teacher
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.loop import ClosedLoop
from adversarl.metrics import paired_gap, rate, robustness_auc, wilson
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe, load_recipe
from adversarl.runs import read_json, write_json
from adversarl.types import Cell, CellResult

Results = dict[str | None, list[CellResult]]
"""Of the recipe's own world under None, of others under what differs in them."""


def load_run(folder: Path, plugins: Plugins, overrides: list[str]) -> tuple[Recipe, ClosedLoop, Learner]:
    """The recipe, the loop and the trained learner of a run folder.

    Raises:
        RunFolderError: It has no recipe or no checkpoint.
    """
    recipe, checkpoint = load_recipe_of(folder, plugins, overrides), checkpoint_of(folder)
    loop = make_loop(recipe, plugins)
    learner: Learner = make_learner(recipe, loop)
    load_checkpoint(checkpoint, loop, learner)
    return recipe, loop, learner


def evaluate_run(
    folder: Path,
    suite: str | None,
    overrides: list[str],
    also: list[str],
    plugins: Plugins,
    *,
    by_teacher: bool,
    as_json: bool,
) -> None:
    """Evaluates the latest policy and keeps the results beside the run's own.

    Args:
        folder: The run folder.
        suite: Another suite than the recipe's.
        overrides: ``key=value`` of ``[evaluation]``.
        also: ``backend.key=value`` of further worlds in which the same episodes are played.
        plugins: What is installed.
        by_teacher: Whether the world's scripted expert plays in place of the policy.
        as_json: Whether to print JSON.

    Raises:
        RecipeError: `also` changes something else than the world, or makes one that the policy does not fit.
        AdversarlError: A world must not go on, such as when the run's budget is spent.
    """
    sets = [*([f"evaluation.suite={suite}"] if suite else []), *(f"evaluation.{override}" for override in overrides)]
    for change in also:
        if not change.startswith("backend."):
            problem = "it changes the world, so its key begins with backend., such as backend.renderer=pbr"
            raise RecipeError("--also", change, problem)
    recipe, loop, learner = load_run(folder, plugins, sets)
    variants: dict[str | None, Recipe] = {None: recipe}
    for change in also:
        variants[change] = load_recipe(folder / "recipe.toml", plugins.registry, [*sets, change])
    cells = recipe["evaluation"].make().cells(loop.parts.world.axes, recipe.run.seed)
    player: Player = teacher if by_teacher else lambda world: learner.act
    with ExitStack() as stack:
        stack.callback(loop.close)
        worlds = _Worlds(variants, loop.parts.world, folder, stack, as_json=as_json)
        # All worlds before the first episode: one that cannot be made must not cost an evaluation.
        for variant, cell in product(variants, cells):
            worlds.make(variant, cell.world)
        results = {
            change: _evaluate_in(partial(worlds.make, change), cells, player, change or "evaluate", folder, as_json)
            for change in variants
        }
    _keep(folder, recipe, learner, results, "teacher" if by_teacher else "")
    name = recipe["evaluation"].component.name
    if as_json:
        print_json(_as_json(name, results))
        return
    who = f"{folder.name}{', its teacher,' if by_teacher else ''} on {name}"
    _print(who, results[None])
    for change in also:
        _print_gap(f"{who}, {change}", results[None], results[change])


class _Worlds:
    """The worlds of an evaluation, each made once, and all like the one that the policy was trained in."""

    def __init__(
        self,
        variants: Mapping[str | None, Recipe],
        trained_in: PerturbableVectorEnv,
        folder: Path,
        stack: ExitStack,
        *,
        as_json: bool,
    ) -> None:
        self._variants, self._first, self._folder, self._stack = variants, trained_in, folder, stack
        self._as_json = as_json
        self._made: dict[tuple[str | None, str], PerturbableVectorEnv] = {}

    def make(self, change: str | None, keys: Mapping[str, Any]) -> PerturbableVectorEnv:
        """The world of a variant in which some keys of ``[backend]`` differ besides."""
        known = change, repr(sorted(keys.items()))
        if known not in self._made:
            recipe = self._variants[change]
            backend = backend_for(recipe, keys).make()
            world = self._stack.enter_context(closing(backend.make(seed=recipe.run.seed)))
            self._check_alike(world, ("--also", change) if change else ("--suite", repr(dict(keys))))
            world.connect(self._notice, self._folder)
            self._made[known] = world
        return self._made[known]

    def _notice(self, text: str) -> None:
        if not self._as_json:
            console.print(f"[yellow]backend:[/] {escape(text)}")

    def _check_alike(self, world: PerturbableVectorEnv, asked: tuple[str, str]) -> None:
        for what in ("single_observation_space", "single_action_space"):
            mine, other = getattr(self._first, what), getattr(world, what)
            if mine != other:
                problem = (
                    f"the policy was trained for {what[7:-6]}s of {mine}, this world has {other}. Change another key"
                )
                raise RecipeError(*asked, problem)


def _evaluate_in(
    make_world: MakeWorld, cells: Sequence[Cell], player: Player, name: str, folder: Path, as_json: bool
) -> list[CellResult]:
    with Progress(console=console, transient=True, disable=as_json) as progress:
        bar = progress.add_task(name, total=None)

        def on_episode(world: PerturbableVectorEnv, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)
            if world.exhausted and done < total:
                advice = f"To evaluate all the same, raise the limit in {folder / 'recipe.toml'}"
                raise AdversarlError(f"stopped after {done} of {total} episodes: {world.exhausted}. {advice}")

        return evaluate_everywhere(player, make_world, cells, on_episode)


def _keep(folder: Path, recipe: Recipe, learner: Learner, results: Results, player: str) -> None:
    """Adds the results to those of other suites and worlds."""
    choice, path = recipe["evaluation"], folder / "evaluations.json"
    known: dict[str, Any] = read_json(path) if path.exists() else {}
    entry = {"env_steps": learner.env_steps, "options": choice.options.model_dump(mode="json")}
    for change, cells in results.items():
        name = ", ".join(part for part in (choice.component.name, player, change) if part)
        known[name] = {**entry, "cells": [asdict(cell) for cell in cells]}
    write_json(path, known)


def _rows(cells: list[CellResult]) -> list[dict[str, Any]]:
    return [{"axis": cell.axis, "intensity": cell.intensity, **rate(cell.success).to_json()} for cell in cells]


def _as_json(name: str, results: Results) -> dict[str, Any]:
    first = results[None]
    worlds = [
        {
            "world": change,
            "cells": _rows(cells),
            "robustness_auc": robustness_auc(cells),
            "gaps": [{"axis": axis, "intensity": intensity, **gap} for axis, intensity, gap in _gaps(first, cells)],
        }
        for change, cells in results.items()
        if change is not None
    ]
    content = {"suite": name, "cells": _rows(first), "robustness_auc": robustness_auc(first)}
    return content | ({"also": worlds} if worlds else {})


def _gaps(first: list[CellResult], second: list[CellResult]) -> Iterator[tuple[str, float | None, dict[str, Any]]]:
    """Axis, intensity and `paired_gap` of each cell; at the end those of all episodes together."""
    for a, b in zip(first, second, strict=True):
        yield a.axis, a.intensity, paired_gap(a.success, b.success)
    everything = [tuple(chain.from_iterable(cell.success for cell in cells)) for cells in (first, second)]
    yield "all", None, paired_gap(*everything)


def _print(title: str, cells: list[CellResult]) -> None:
    shown = [[row["axis"], f"{row['intensity']:.2f}", *interval(row)] for row in _rows(cells)]
    shown.append(["mixed", "AUC", *interval(robustness_auc(cells))])
    console.print(table(title, ["axis", "intensity", "success", "95 % interval", "n"], shown))


def _print_gap(title: str, first: list[CellResult], second: list[CellResult]) -> None:
    successes = [rate(cell.success) for cell in second]
    successes.append(wilson(sum(row.successes for row in successes), sum(row.n for row in successes)))
    shown = [
        [axis, "" if intensity is None else f"{intensity:.2f}", *interval(success.to_json())[:2], *interval(gap)]
        for success, (axis, intensity, gap) in zip(successes, _gaps(first, second), strict=True)
    ]
    columns = ["axis", "intensity", "success", "95 % interval", "gap", "95 % interval", "n"]
    console.print(table(title, columns, shown))
    console.print("gap: success here less success in the run's own world, on the same episodes")


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
