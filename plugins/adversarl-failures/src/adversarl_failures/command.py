"""``adversarl bench failures``."""

from __future__ import annotations

import typer


def add_failures(app: typer.Typer) -> None:
    """Adds the benchmark."""
    del app
