"""``adversarl run``."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from adversarl.cli.live import LiveView
from adversarl.cli.output import console, interval, table
from adversarl.plugins import Plugins
from adversarl.recipe import load_recipe
from adversarl.training import StopRequested, train


def run_recipe(
    path: Path,
    overrides: Sequence[str],
    seed: int | None,
    out: Path | None,
    resume: bool,
    plugins: Plugins,
    files: Sequence[Path] = (),
    warm_start: Path | None = None,
) -> None:
    """Trains a recipe with a live view and prints the summary; `files` are the one-file plugins in `plugins`."""
    more = [] if seed is None else [f"run.seed={seed}"]
    recipe = load_recipe(path, plugins.registry, [*overrides, *more])
    folder = out or Path("runs") / f"{recipe.run.name}-{recipe.run.seed}"
    source = _given(path, overrides, seed, files)
    with stop_on_signals() as stop_requested, LiveView(console, recipe.run.name) as view:
        plugins.manager.register(view)
        try:
            summary = train(
                recipe,
                plugins,
                folder,
                resume=resume,
                stop_requested=stop_requested,
                source=source,
                warm_start=warm_start,
            )
        finally:
            plugins.manager.unregister(view)
    _print_summary(summary, folder)


def _given(path: Path, overrides: Sequence[str], seed: int | None, files: Sequence[Path]) -> str:
    """Recipe and options for a shell, so that what an interrupted run says can be pasted."""
    words = [str(path)]
    for override in overrides:
        words += ["--set", override]
    words += [] if seed is None else ["--seed", str(seed)]
    for file in files:
        words += ["--plugin", str(file)]
    return shlex.join(words)


@contextmanager
def stop_on_signals() -> Iterator[StopRequested]:
    """SIGINT and SIGTERM ask for a stop at the next safe point; a second SIGINT stops at once."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        console.print("stopping at the next safe point; again to stop at once", style="yellow")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_summary(summary: dict[str, Any], folder: Path) -> None:
    before = {row["intensity"]: row for row in summary["warm_start_robustness_curve"]}
    rows = [
        [f"{row['intensity']:.2f}", _rate(before[row["intensity"]]), _rate(row)] for row in summary["robustness_curve"]
    ]
    rows.append(["AUC", _rate(summary["warm_start_robustness_auc"]), _rate(summary["robustness_auc"])])
    console.print(table("success, all axes at once", ["intensity", "before the curriculum", "after"], rows))
    minutes = summary["wall_clock_s"] / 60
    console.print(f"{summary['env_steps']:,} environment steps in {minutes:.1f} min", highlight=False)
    console.print(f"wrote {folder / 'summary.json'}", highlight=False, soft_wrap=True)


def _rate(row: dict[str, Any]) -> str:
    value, bounds, n = interval(row)
    return f"{value} {bounds} n={n}"
