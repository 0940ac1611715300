"""``adversarl benchmark``: what it does and prints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from adversarl.cli.output import console, interval, table
from adversarl.cli.run import stop_on_signals
from adversarl.errors import AdversarlError
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe
from adversarl_benchmark.benchmark import Benchmark, common_changes, held_out_suite, watched
from adversarl_benchmark.conditions import conditions_of, differences
from adversarl_benchmark.jobs import Job
from adversarl_benchmark.plan import Plan, now

USUAL = ("baseline", "static", "adaptive")
SMOKE = (
    "run.total_steps=512",
    "backend.num_envs=8",
    "backend.image_size=64",
    "learner.warm_start_steps=512",
    "learner.warm_start_passes=2",
    "learner.n_steps=32",
    "backend.threads=1",
    "evaluation.episodes=2",
    "tracking.use=[]",
)
"""Tiny budgets; keys that a recipe's components do not have are left out."""


@dataclass(frozen=True, slots=True)
class Request:
    """The command's options."""

    recipes: list[Path]
    seeds: str
    controls: bool
    suite: str
    episodes: int
    jobs: int
    out: Path
    overrides: list[str]
    smoke: bool
    report_only: bool


def run_benchmark(request: Request, plugins: Plugins, files: Sequence[Path]) -> None:
    """Trains, judges and reports, as far as it is not done."""
    if files:
        raise AdversarlError("benchmark runs other processes, which know no --plugin. Install the plugin instead")
    benchmark = Benchmark(request.out, _plan(request, plugins), plugins)
    for difference in differences(benchmark.recipes):
        console.print(f"[yellow]conditions differ beside [curriculum]:[/] {difference}", markup=True)
    benchmark.plan.write(request.out)
    if not request.report_only:
        _work(benchmark, request)
    rows, facts = benchmark.collect()
    if not rows:
        raise AdversarlError(f"{request.out} holds no judged run yet. Give the same command without --report-only")
    from adversarl_benchmark.publish import publish

    with console.status("writing the report"):
        results, page = publish(benchmark, rows, facts)
    _print(results)
    console.print(f"wrote {page}", highlight=False, soft_wrap=True)


def _plan(request: Request, plugins: Plugins) -> Plan:
    recipes = request.recipes or [Path("recipes") / f"{name}.toml" for name in USUAL]
    conditions = conditions_of(recipes, controls=request.controls)
    given = conditions[len(recipes) - 1]
    changes = [*(_tiny(given.load(plugins.registry, ())) if request.smoke else ()), *request.overrides]
    last = given.load(plugins.registry, changes)
    common = common_changes(held_out_suite(request.suite, plugins), last, changes, request.suite)
    plan = Plan(
        name=request.out.name,
        suite=request.suite,
        episodes=1 if request.smoke else request.episodes,
        common=common,
        conditions=tuple(conditions),
        seeds=(0, 1) if request.smoke else seeds_of(request.seeds),
        command=shlex.join(["adversarl", *sys.argv[1:]]),
        started=now(),
    )
    return plan.merged(request.out)


def _tiny(recipe: Recipe) -> Iterator[str]:
    for change in SMOKE:
        table, key = change.partition("=")[0].split(".")
        options = recipe.tables[table].options if table in recipe.tables else None
        if options is None or key in type(options).model_fields:
            yield change


def seeds_of(text: str) -> tuple[int, ...]:
    """``5`` is 0 to 4; ``3,4`` and ``5-9`` are those.

    Raises:
        AdversarlError: It is none of these.
    """
    try:
        if text.isdecimal():
            return tuple(range(int(text)))
        parts = [part.partition("-") for part in text.split(",")]
        return tuple(sorted({seed for low, _, high in parts for seed in range(int(low), int(high or low) + 1)}))
    except ValueError:
        raise AdversarlError(f"--seeds {text}: write a number of seeds, or which: 3,4 or 5-9") from None


def _work(benchmark: Benchmark, request: Request) -> None:
    with stop_on_signals() as stop_requested, _View() as view:
        if benchmark.work(request.jobs, view.show, stop_requested):
            return
    raise AdversarlError(f"stopped and saved. Go on with the same command: {benchmark.plan.command}")


class _View:
    """How far the jobs are, and what the running ones say."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._all = self._progress.add_task("jobs", total=None)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _View:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, running: Mapping[str, Job], done: int, total: int) -> None:
        """Draws it; a job that begins or ends is a line of its own."""
        self._progress.update(self._all, completed=done, total=total)
        for name in set(self._tasks) - set(running):
            self._progress.remove_task(self._tasks.pop(name))
            console.print(f"[dim]{name}: over, {done} of {total}[/]", highlight=False)
        for name, said in watched(running).items():
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=None)
            self._progress.update(self._tasks[name], description=f"{name}  [dim]{said[:60]}[/]")


def _print(results: Mapping[str, Any]) -> None:
    rows = []
    for one in results["conditions"]:
        name = one["name"] if one["held_out"] else f"{one['name']} (met the suite)"
        rows.append([name, str(len(one["seeds"])), *interval(one["auc"])[:2], *interval(one["nominal"])[:2]])
    columns = ["condition", "seeds", "robustness AUC, IQM", "95 % interval", "nominal", "95 % interval"]
    console.print(table(f"{results['name']} on {results['suite']}", columns, rows))
    for comparison in results["comparisons"]:
        console.print(comparison["sentence"], highlight=False)
