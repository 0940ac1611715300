"""Adds ``adversarl dashboard``; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds the command."""
    from adversarl_dashboard.command import add_dashboard

    add_dashboard(app)
