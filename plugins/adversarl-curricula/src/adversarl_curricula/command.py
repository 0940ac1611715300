"""``adversarl bench curricula``."""

from __future__ import annotations

import typer


def add_curricula(app: typer.Typer) -> None:
    """Adds the benchmark."""
    del app
