"""The command ``adversarl odyssey bank``."""

from __future__ import annotations


def bank() -> None:
    """To be written."""
    raise NotImplementedError
