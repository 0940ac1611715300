"""One cell of a report, played again: does it say what the report says?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from scipy.stats import fisher_exact

from adversarl.assembly import load_checkpoint, make_learner, make_loop
from adversarl.errors import AdversarlError, RunFolderError, did_you_mean
from adversarl.evaluate import Player, evaluate_everywhere, teacher
from adversarl.metrics import rate
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe, load_recipe
from adversarl.runs import latest_checkpoint
from adversarl.training import train
from adversarl.types import Cell, Rate

_EMBEDDED = re.compile(r'<script type="application/json" id="results">(.*?)</script>', re.DOTALL)
ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of it.

    Attributes:
        cell: ``CONDITION/SEED/CURVE/INTENSITY``.
        how: ``played``: the run's own policy; ``retrained``: a policy trained again; ``teacher``: the scripted expert.
        reported: Success per episode in the report.
        now: Success per episode now.
        agrees: Whether every episode ended the same, or, of a policy trained again, whether the interval of the
            difference includes zero.
        p: Two-sided p-value of Fisher's exact test, of a policy trained again; None otherwise.
        difference: Success now less success in the report, with a 95 % interval: ``{"value", "low", "high", "n"}``.
        sentence: The outcome in words.
    """

    cell: str
    how: Literal["played", "retrained", "teacher"]
    reported: tuple[bool, ...]
    now: tuple[bool, ...]
    agrees: bool
    p: float | None
    difference: dict[str, Any]
    sentence: str


def read_results(report: Path) -> dict[str, Any]:
    """The results that a report carries, or those of a ``results.json``.

    Raises:
        AdversarlError: It cannot be read, or is no report of a benchmark.
    """
    try:
        text = report.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AdversarlError(f"{report}: cannot be read: {error}. Name the report.html of a benchmark") from None
    if report.suffix != ".json":
        found = _EMBEDDED.search(text)
        if found is None:
            raise AdversarlError(f"{report}: carries no results. Name a report.html that adversarl benchmark wrote")
        text = found[1]
    try:
        results: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise AdversarlError(f"{report}: its results are not valid JSON: {error}. Write the report again") from None
    return results


def reproduce(
    report: Path,
    *,
    condition: str,
    seed: int,
    curve: str,
    intensity: float,
    retrain: bool,
    plugins: Plugins,
    runs: Path | None = None,
) -> Reproduction:
    """Plays one cell of a report again.

    Args:
        report: A ``report.html``, or the ``results.json`` beside it.
        condition: Whose policy.
        seed: The run's.
        curve: What is varied.
        intensity: How much, in [0, 1].
        retrain: Train that policy again rather than take the run's own.
        plugins: What is installed.
        runs: Where runs lie; ``runs/`` beside the report by default. A run that is trained again is kept in
            ``runs/CONDITION-SEED-again`` where this is given, and thrown away otherwise.

    Raises:
        AdversarlError: The report has no such cell, or its run can neither be found nor be trained again.
    """
    results = read_results(report)
    key, reported = find_cell(results, condition, seed, curve, intensity, report)
    asked = Asked(results["suite"], curve, intensity, len(reported))
    play = partial(_play, seed=seed, asked=asked, plugins=plugins)
    folder = (runs or report.parent / "runs") / f"{condition}-{seed}"
    with TemporaryDirectory(prefix="adversarl-reproduce-") as temporary:
        if condition == ORACLE:
            recipe_file = _written(results, condition, Path(temporary), report)
            return played(key, "teacher", reported, play(recipe_file, None))
        if not retrain and latest_checkpoint(folder) is not None:
            return played(key, "played", reported, play(folder / "recipe.toml", folder))
        again = Path(temporary) / "run" if runs is None else runs / f"{condition}-{seed}-again"
        recipe_file = _written(results, condition, Path(temporary), report)
        if not (again / "summary.json").exists():
            recipe = load_recipe(recipe_file, plugins.registry, [f"run.seed={seed}", "run.evaluate_every=0"])
            train(recipe, plugins, again, resume=latest_checkpoint(again) is not None, source=str(recipe_file))
        return retrained(key, reported, play(recipe_file, again))


def find_cell(
    results: Mapping[str, Any], condition: str, seed: int, curve: str, intensity: float, report: Path
) -> tuple[str, tuple[bool, ...]]:
    """A cell's key in the report, and the success of its episodes.

    Raises:
        AdversarlError: The report has none; the message lists what it has.
    """
    cells: Mapping[str, str] = results.get("cells", {})
    if not cells:
        raise AdversarlError(f"{report}: has no outcomes of single episodes. Write it again with: adversarl benchmark")
    rest = [key.split("/") for key in cells]
    for index, (what, asked) in enumerate((("condition", condition), ("seed", str(seed)), ("curve", curve))):
        known = {parts[index] for parts in rest}
        if asked not in known:
            raise AdversarlError(f"{report}: has no {what} '{asked}'. {did_you_mean(asked, known)}")
        rest = [parts for parts in rest if parts[index] == asked]
    for parts in rest:
        if abs(float(parts[3]) - intensity) < 1e-9:
            key = "/".join(parts)
            return key, tuple(mark == "1" for mark in cells[key])
    raise AdversarlError(f"{report}: has no intensity {intensity:g} of '{curve}'. {_there(rest)}")


def _there(rest: Iterable[list[str]]) -> str:
    return f"There is: {', '.join(sorted(parts[3] for parts in rest))}."


def _written(results: Mapping[str, Any], condition: str, folder: Path, report: Path) -> Path:
    """The recipe that the report carries, as a file."""
    recipe = results.get("recipes", {}).get(condition)
    if recipe is None:
        problem = f"carries no recipe of '{condition}', so it cannot be made again"
        raise AdversarlError(f"{report}: {problem}. Name the folder of its runs with --runs")
    path = folder / f"{condition}.toml"
    path.write_text(recipe, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Asked:
    """A cell of a suite: the report's suite, curve, intensity and number of episodes."""

    suite: str
    curve: str
    intensity: float
    episodes: int


def _play(recipe_file: Path, folder: Path | None, *, seed: int, asked: Asked, plugins: Plugins) -> tuple[bool, ...]:
    """Success per episode of the cell, by a run's latest policy or, without a folder, by the teacher."""
    # A suite of one's own has the name of its file's contents; the recipe names the file.
    named = asked.suite in plugins.registry.names("suite")
    sets = [f"run.seed={seed}", *([f"evaluation.suite={asked.suite}"] if named else [])]
    recipe = load_recipe(recipe_file, plugins.registry, sets)
    with closing(make_loop(recipe, plugins)) as loop:
        player: Player = teacher
        if folder is not None:
            learner, checkpoint = make_learner(recipe, loop), latest_checkpoint(folder)
            if checkpoint is None:
                raise RunFolderError(folder, "has no checkpoint. Train it again with --retrain")
            load_checkpoint(checkpoint, loop, learner)
            player = lambda world: learner.act  # noqa: E731
        return _outcomes(recipe, _cell(recipe, loop.parts.world.axes, asked), player)


def _cell(recipe: Recipe, axes: Any, asked: Asked) -> Cell:
    choice = recipe["evaluation"]
    wanted = {"episodes": asked.episodes, "curves": (asked.curve,), "intensities": (asked.intensity,)}
    keys = {key: value for key, value in wanted.items() if key in type(choice.options).model_fields}
    for cell in choice.changed(keys, recipe.source, "evaluation").make().cells(axes, recipe.run.seed):
        if cell.axis == asked.curve and abs(cell.intensity - asked.intensity) < 1e-9:
            found: Cell = cell
            return found
    problem = f"has no cell '{asked.curve}' at {asked.intensity:g} any more"
    raise AdversarlError(f"suite {choice.component.name} {problem}. Install the versions of the report's provenance")


def _outcomes(recipe: Recipe, cell: Cell, player: Player) -> tuple[bool, ...]:
    def make_world(keys: Mapping[str, Any]) -> Any:
        return recipe["backend"].changed(keys, recipe.source, "evaluation").make().make(seed=recipe.run.seed)

    return evaluate_everywhere(player, make_world, [cell], lambda world, done, total: None)[0].success


def played(
    key: str, how: Literal["played", "teacher"], reported: tuple[bool, ...], now: tuple[bool, ...]
) -> Reproduction:
    """Compares the same player's episodes, which must end the same."""
    same = sum(a == b for a, b in zip(reported, now, strict=True))
    agrees = same == len(reported)
    who = "The teacher" if how == "teacher" else "The run's own policy"
    outcome = f"{who} ended {same} of {len(now)} episodes as the report says, success {_share(now)}"
    if not agrees:
        outcome += (
            f" against {_share(reported)}. Other versions, another machine or another renderer can change an episode; "
            "compare them with the report's provenance"
        )
    return Reproduction(key, how, reported, now, agrees, None, newcombe(reported, now), f"{outcome}.")


def retrained(key: str, reported: tuple[bool, ...], now: tuple[bool, ...]) -> Reproduction:
    """Compares two policies of the same recipe and seed.

    Their episodes have the same seeds, but another machine or thread count makes another policy; so the two success
    rates are compared as independent ones, which is the careful choice.
    """
    difference, n = newcombe(reported, now), len(now)
    table = [[sum(now), n - sum(now)], [sum(reported), len(reported) - sum(reported)]]
    p = float(fisher_exact(table).pvalue)
    agrees = difference["low"] <= 0.0 <= difference["high"]
    value, low, high = (f"{100 * difference[name]:+.0f}" for name in ("value", "low", "high"))
    verdict = (
        "The data do not contradict the report; differences inside the interval cannot be excluded"
        if agrees
        else "That is more than chance among these episodes explains; a policy trained elsewhere is another draw of "
        "the training, so look at further seeds before you call the report wrong"
    )
    sentence = (
        f"Trained again, the policy succeeds in {_share(now)}, the report says {_share(reported)}: {value} points, "
        f"95 % from {low} to {high}, Fisher's p = {p:.2g}. {verdict}."
    )
    return Reproduction(key, "retrained", reported, now, agrees, p, difference, sentence)


def _share(success: tuple[bool, ...]) -> str:
    return f"{sum(success)} of {len(success)}"


def newcombe(first: tuple[bool, ...], second: tuple[bool, ...]) -> dict[str, Any]:
    """Success of the second less that of the first as independent proportions.

    The 95 % interval is Newcombe's (1998, method 10), made of two Wilson intervals.

    Returns:
        ``{"value", "low", "high", "n"}`` with n the episodes of the second.
    """
    a, b = rate(second), rate(first)
    value = a.value - b.value
    return {"value": value, "low": value - _half(a, b), "high": value + _half(b, a), "n": a.n}


def _half(down: Rate, up: Rate) -> float:
    return sqrt((down.value - down.low) ** 2 + (up.high - up.value) ** 2)
