"""Registers the failure classifiers; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    extra = "adversarl-failures[classifier]"
    for name, target, summary in (
        ("statistics", "statistics:Statistics", "Success per condition with intervals, effect sizes, change detection"),
        ("counterfactual", "counterfactual:Counterfactual", "Failed episodes again, with one perturbation removed"),
        ("classifier", "classifier:Classifier", "How episodes fail, learnt from labelled simulator failures"),
    ):
        add.failure(name, f"adversarl_failures.{target}", summary, extra=extra if name == "classifier" else "")


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench failures``."""
    from adversarl_failures.command import add_failures

    add_failures(app)
