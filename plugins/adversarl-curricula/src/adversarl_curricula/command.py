"""``adversarl bench curricula``: every curriculum on one task whose difficulty is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adversarl.plugins import Plugins
    from adversarl_curricula.bench.pool import Book


def add_curricula(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("curricula")(curricula)


def curricula(
    curriculum: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each curriculum, with seeds 0, 1, ...")] = 10,
    episodes: Annotated[int, typer.Option(min=64, help="Training of each, in episodes of 8 env steps.")] = 5000,
    judged: Annotated[int, typer.Option(min=1, help="Episodes of each cell of the hard set, twelve in all.")] = 50,
    processes: Annotated[int | None, typer.Option(min=0, help="Default: one a core; 0: this one.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write results here; those that it holds are kept.")] = None,
) -> None:
    """Compare every curriculum on a fast task whose difficulty is known, at equal environment steps."""
    from adversarl.cli.options import load_plugins
    from adversarl.cli.output import print_json
    from adversarl_curricula.bench.axes import LIMIT
    from adversarl_curricula.bench.conditions import CONTROLS, LEFT_OUT
    from adversarl_curricula.bench.pool import Book
    from adversarl_curricula.bench.report import sentences, summarize

    chosen, missing = _chosen(load_plugins(), curriculum or [])
    book = Book(out, {"steps": LIMIT * episodes, "judged": judged, **_task()})
    _fill(book, chosen, range(seeds), processes)
    rows = [row for row in book.rows if row["curriculum"] in chosen and row["seed"] < seeds]
    summary = summarize(rows, CONTROLS)
    told = {"summary": summary, "report": sentences(summary, CONTROLS), "left_out": {**LEFT_OUT, **missing}}
    book.write(**told)
    if json:
        print_json({"settings": book.settings, **told, "runs": rows})
    else:
        _print(told, f"{LIMIT * episodes:,} env steps of training, {seeds} seeds")


def _chosen(plugins: Plugins, asked: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The curricula asked for, or all that are installed and why some are not."""
    from adversarl.errors import AdversarlError, UnknownComponent
    from adversarl_curricula.bench.conditions import CURRICULA

    for name in asked:
        if name not in CURRICULA:
            raise UnknownComponent("curriculum to compare", name, CURRICULA, "--curriculum")
    chosen, missing = dict[str, dict[str, Any]](), dict[str, str]()
    for name in asked or CURRICULA:
        try:
            plugins.registry.get("curriculum", CURRICULA[name]["use"], "--curriculum").load()
            chosen[name] = CURRICULA[name]
        except AdversarlError as error:
            if asked:
                raise
            missing[name] = str(error)
    return chosen, missing


def _task() -> dict[str, Any]:
    """What is known of the task, for the report: nothing else may be compared with these results."""
    from adversarl_curricula.bench.axes import AXES
    from adversarl_curricula.bench.cell import NUM_ENVS, REPORT_EVERY
    from adversarl_curricula.bench.student import StudentOptions

    axes = {
        axis.name: {
            "difficulty": known.difficulty,
            "impossible_from": known.impossible_from and round(known.impossible_from, 6),
            "parameters": known.parameters,
        }
        for axis, known in AXES.items()
    }
    return {"num_envs": NUM_ENVS, "report_every": REPORT_EVERY, "student": StudentOptions().model_dump(), "axes": axes}


def _fill(book: Book, chosen: dict[str, dict[str, Any]], seeds: range, processes: int | None) -> None:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from adversarl.errors import AdversarlError
    from adversarl.manifest import manifest
    from adversarl_curricula.bench.pool import fill

    workers = manifest()["cpus"] if processes is None else processes
    errors = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    try:
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task("runs", total=None)
            fill(book, chosen, seeds, workers, lambda done, all_: progress.update(task, completed=done, total=all_))
    except KeyboardInterrupt:
        kept = (
            f"{len(book.rows)} runs are in {book.path}. Go on with the same command" if book.path else "nothing is kept"
        )
        advice = "" if book.path else ". Give a file with --out to be able to go on"
        raise AdversarlError(f"stopped; {kept}{advice}") from None


def _print(told: dict[str, Any], what: str) -> None:
    from adversarl.cli.output import console, table
    from adversarl_curricula.bench.conditions import CONTROLS

    rows = [
        [
            row["curriculum"],
            _numbers(row["hard"]),
            f"{row['iqm']:.3f}",
            f"{row['nominal']:.2f}",
            *(_against(row["against"].get(control)) for control in CONTROLS),
        ]
        for row in told["summary"]
    ]
    columns = ["curriculum", "success [95 %]", "IQM", "nominal", *(f"less {control}" for control in CONTROLS)]
    console.print(table(f"success on the hard set, {what}", columns, rows))
    costs = [
        [
            row["curriculum"],
            f"{row['training_success']:.2f}",
            f"{row['unsolvable']:.2f}",
            f"{row['trial_env_steps']:,.0f}",
            f"{row['refused']:,.0f}",
            f"{row['seconds']:.1f}",
        ]
        for row in told["summary"]
    ]
    columns = ["curriculum", "solved in training", "unsolvable in training", "env steps aside", "refused", "seconds"]
    console.print(table("a run of each: perturbed episodes and costs", columns, costs))
    for sentence in told["report"]:
        console.print(sentence, highlight=False)
    for name, why in told["left_out"].items():
        console.print(f"{name} is left out: {why}.", style="yellow", highlight=False)


def _numbers(row: dict[str, Any]) -> str:
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def _against(row: dict[str, Any] | None) -> str:
    return "-" if row is None else f"{row['verdict']} {row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
