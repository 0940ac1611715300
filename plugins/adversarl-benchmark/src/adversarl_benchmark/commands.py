"""``adversarl benchmark``, ``adversarl suites`` and ``adversarl reproduce``."""

from __future__ import annotations

import typer


def add_commands(app: typer.Typer) -> None:
    """Adds the commands."""
    del app
