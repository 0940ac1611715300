"""The group ``adversarl odyssey``; every command imports what it needs when it is called."""

from __future__ import annotations

import typer

from adversarl_odyssey.bank_command import bank
from adversarl_odyssey.estimate_command import estimate
from adversarl_odyssey.serve_command import serve


def add(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(help="Odyssey: estimate a run's cost, make a bank of videos, serve an emulator.")
    group.command()(serve)
    group.command()(estimate)
    group.command()(bank)
    app.add_typer(group, name="odyssey")
