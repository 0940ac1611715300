"""The part of a question that changes: how training goes."""

from __future__ import annotations

from collections.abc import Sequence

from adversarl.types import FailureReport
from adversarl_claude.effects import interval
from adversarl_claude.meter import Meter


def situation(report: FailureReport, episode: int, effects: Sequence[str], meter: Meter) -> str:
    """The failure report, what became of earlier prompts, and what is left to spend, as Markdown.

    Args:
        report: The latest one.
        episode: The running number of the episode about to start.
        effects: Lines of a table, see `Effects.table`.
        meter: What was spent.
    """
    left = meter.max_cost_usd - meter.cost_usd
    parts = [
        f"Episode {episode} is about to start; the report covers {report.episodes} episodes.",
        f"Success over recent episodes: {interval(report.success)}.",
        f"Success over recent unchanged episodes: {interval(report.nominal)}.",
        "The rolling success has changed since the report before." if report.changed else "",
        _listed("Conditions under which it fails, worst first", [mode.sentence for mode in report.modes]),
        _listed("Ways in which it fails, most frequent first", [kind.sentence for kind in report.kinds]),
        "\n".join(["What became of your prompts:", "", *effects]) if effects else "You have proposed nothing yet.",
        f"Budget left for questions to you: {left:.2f} USD.",
        "Call propose_plan now.",
    ]
    return "\n\n".join(part for part in parts if part)


def _listed(head: str, sentences: Sequence[str]) -> str:
    return "\n".join([f"{head}:", "", *(f"- {sentence}" for sentence in sentences)]) if sentences else ""
