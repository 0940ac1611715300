"""Adds ``adversarl dashboard`` and its benchmark; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds ``adversarl dashboard``."""
    from adversarl_dashboard.command import add_dashboard

    add_dashboard(app)


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench dashboard``."""
    from adversarl_dashboard.command import add_bench

    add_bench(app)
