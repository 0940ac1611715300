"""Benchmarks of the service or its emulator; each imports what it needs when it is called."""

from __future__ import annotations

import typer


def add(app: typer.Typer) -> None:
    """Adds them."""
    del app
