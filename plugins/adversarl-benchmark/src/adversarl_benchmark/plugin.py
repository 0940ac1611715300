"""Registers the suites and the commands; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    add.suite(
        "tabletop-heldout-v1", "adversarl_benchmark.heldout:TabletopHeldOut", "A table that training never saw, v1"
    )
    add.suite("held-out", "adversarl_benchmark.heldout:HeldOutFile", "A held-out suite of your own, from a file")


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds ``adversarl benchmark``, ``adversarl suites`` and ``adversarl reproduce``."""
    from adversarl_benchmark.commands import add_commands

    add_commands(app)
