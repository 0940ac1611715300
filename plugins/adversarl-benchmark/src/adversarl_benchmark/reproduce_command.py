"""``adversarl reproduce``: what it prints."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from adversarl.cli.output import console, print_json
from adversarl.plugins import Plugins
from adversarl_benchmark.reproduce import read_results, reproduce

CURVE, INTENSITY = "mixed", 0.5
Chosen = tuple[str | None, int | None, str | None, float | None]


def show_reproduction(
    report: Path, chosen: Chosen, plugins: Plugins, runs: Path | None, *, retrain: bool, as_json: bool
) -> None:
    """Runs one cell again and says what came of it; exit code 1 where it does not agree.

    Args:
        report: The page, or the folder that holds it.
        chosen: Condition, seed, curve and intensity; what is None is chosen.
        plugins: What is installed.
        runs: Where runs lie; ``runs/`` beside the report by default, and then a new one is thrown away.
        retrain: Whether to train the run anew, too.
        as_json: Whether to print JSON.

    Raises:
        AdversarlError: The report has no such cell, or its run can neither be found nor trained again.
    """
    page = report / "report.html" if report.is_dir() else report
    conditions = read_results(page)["conditions"]
    recipes = [one["name"] for one in conditions if one["kind"] == "recipe"]
    condition = chosen[0] or (recipes or [one["name"] for one in conditions])[-1]
    seeds = [seed for one in conditions if one["name"] == condition for seed in one["seeds"]]
    seed = chosen[1] if chosen[1] is not None else min(seeds, default=0)
    found = reproduce(
        page,
        condition=condition,
        seed=seed,
        curve=chosen[2] or CURVE,
        intensity=INTENSITY if chosen[3] is None else chosen[3],
        retrain=retrain,
        plugins=plugins,
        runs=runs,
    )
    if as_json:
        print_json(asdict(found))
    else:
        console.print(f"{found.cell}: {found.sentence}", highlight=False)
        console.print("[green]agrees[/]" if found.agrees else "[red]does not agree[/]")
    if not found.agrees:
        raise typer.Exit(1)


def rewrite_report(results: Path, out: Path | None, page: Path | None, preface: Path | None, plugins: Plugins) -> None:
    """Writes the report of a results file again, or one page of a documentation.

    Raises:
        AdversarlError: A file cannot be read, or is none of a benchmark.
    """
    from adversarl_benchmark.report import write_report
    from adversarl_benchmark.results_page import media_of, write_page

    content = read_results(results)
    with console.status("drawing"):
        media = media_of(content, plugins)
        if page is None:
            written = write_report(content, media, out or results.parent)
        else:
            words = preface.read_text(encoding="utf-8") if preface is not None else ""
            write_page(content, media, page, words)
            written = page
    console.print(f"wrote {written}", highlight=False, soft_wrap=True)
