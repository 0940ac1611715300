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
    here, extra = "adversarl_failures", "adversarl-failures[classifier]"
    add.failure("statistics", f"{here}.statistics:Statistics", "Success per condition, with intervals and effect sizes")
    add.failure("counterfactual", f"{here}.counterfactual:Counterfactual", "Failed episodes again, with one thing less")
    add.failure("classifier", f"{here}.classifier:Classifier", "How episodes fail, learnt in simulation", extra=extra)


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds ``adversarl failures train``."""
    from adversarl_failures.kinds_command import add_commands

    add_commands(app)


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench failures``."""
    from adversarl_failures.command import add_failures

    add_failures(app)
