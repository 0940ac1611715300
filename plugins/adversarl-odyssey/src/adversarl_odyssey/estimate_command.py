"""The command ``adversarl odyssey estimate``."""

from __future__ import annotations


def estimate() -> None:
    """To be written."""
    raise NotImplementedError
