"""Records of a run as tables and sentences, and these as Markdown for TensorBoard's text page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adversarl.metrics import rate
from adversarl.types import CellResult, FailureReport, Proposal, Rate
from adversarl_trackers.numbers import hyperparameters

Row = tuple[object, ...]
PROMPTS = ("episode", "prompt", "in force", "why")
"""Columns of `prompt_rows`."""
CELLS = ("axis", "intensity", "success")
"""Columns of `cell_rows`."""


def prompt_rows(prompts: Iterable[tuple[int, Proposal]]) -> list[Row]:
    """Prompts by episode, with when and why."""
    return [(episode, p.text, _when(p), p.why) for episode, p in prompts]


def cell_rows(results: Sequence[CellResult]) -> list[Row]:
    """Success per cell with its interval."""
    return [(cell.axis, f"{cell.intensity:.0%}", _rate(rate(cell.success))) for cell in results]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """Every key of a recipe."""
    return table(("key", "value"), hyperparameters(recipe).items())


def report_text(report: FailureReport) -> str:
    """A failure report, one sentence a mode."""
    head = f"{report.episodes} episodes: success {_rate(report.success)}, nominal {_rate(report.nominal)}."
    changed = ["Success has changed."] if report.changed else []
    modes = [f"- {mode.sentence}" for mode in report.modes] or ["No condition is blamed."]
    return "\n\n".join([" ".join([head, *changed]), "\n".join(modes)])


def _when(proposal: Proposal) -> str:
    start = f"from step {proposal.onset}" if proposal.onset else "from the reset"
    return start if proposal.duration is None else f"{start}, {proposal.duration} steps"


def _rate(success: Rate) -> str:
    if not success.n:
        return "unknown"
    return f"{100 * success.value:.0f} % [{100 * success.low:.0f}, {100 * success.high:.0f}] (n={success.n})"
