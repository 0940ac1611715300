"""What ``adversarl doctor`` says about Odyssey."""

from __future__ import annotations

from collections.abc import Callable


def examine(check: Callable[[str, bool, str], None]) -> None:
    """Says whether the SDK and a key are there."""
    del check
