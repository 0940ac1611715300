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
