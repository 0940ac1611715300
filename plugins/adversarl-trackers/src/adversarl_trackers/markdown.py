"""Records of a run as Markdown for TensorBoard's text page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adversarl.metrics import rate
from adversarl.types import CellResult, FailureReport, Proposal, Rate
from adversarl_trackers.numbers import hyperparameters


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """Every key of a recipe."""
    return _table(("key", "value"), hyperparameters(recipe).items())


def prompts_text(prompts: Iterable[tuple[int, Proposal]]) -> str:
    """Prompts by episode, with when and why."""
    rows = ((episode, p.text, _when(p), p.why) for episode, p in prompts)
    return _table(("episode", "prompt", "in force", "why"), rows)


def report_text(report: FailureReport) -> str:
    """A failure report, one sentence a mode."""
    head = f"{report.episodes} episodes: success {_rate(report.success)}, nominal {_rate(report.nominal)}."
    changed = ["Success has changed."] if report.changed else []
    modes = [f"- {mode.sentence}" for mode in report.modes] or ["No condition is blamed."]
    return "\n\n".join([" ".join([head, *changed]), "\n".join(modes)])


def evaluation_text(results: Sequence[CellResult]) -> str:
    """Success per cell with its interval."""
    rows = ((cell.axis, f"{cell.intensity:.0%}", _rate(rate(cell.success))) for cell in results)
    return _table(("axis", "intensity", "success"), rows)


def _when(proposal: Proposal) -> str:
    start = f"from step {proposal.onset}" if proposal.onset else "from the reset"
    return start if proposal.duration is None else f"{start}, {proposal.duration} steps"


def _rate(success: Rate) -> str:
    if not success.n:
        return "unknown"
    return f"{100 * success.value:.0f} % [{100 * success.low:.0f}, {100 * success.high:.0f}] (n={success.n})"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
