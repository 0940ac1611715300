"""``adversarl dashboard``."""

from __future__ import annotations

import typer


def add_dashboard(app: typer.Typer) -> None:
    """Adds the command."""
    del app
