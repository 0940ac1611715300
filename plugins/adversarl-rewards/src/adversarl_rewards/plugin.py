"""Registers the reward detectors; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    here = "adversarl_rewards"
    add.reward("classifier", f"{here}.classifier:Classifier", "A small CNN that was trained on the simulator's labels")
    add.reward("ensemble", f"{here}.ensemble:Ensemble", "Several detectors; says nothing where they disagree")


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds ``adversarl reward train``."""
    from adversarl_rewards.command import add_commands

    add_commands(app)


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench rewards``."""
    from adversarl_rewards.bench.command import add_rewards

    add_rewards(app)
