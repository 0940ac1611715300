"""Train visual robot-manipulation policies in worlds that fight back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adversarl.hooks import hookimpl

if TYPE_CHECKING:
    from adversarl.assembly import make

__all__ = ["__version__", "hookimpl", "make"]


def __getattr__(name: str) -> Any:
    """Loads what is heavy when it is first asked for (PEP 562)."""
    if name == "make":
        from adversarl.assembly import make

        return make
    if name == "__version__":
        from importlib.metadata import version

        return version("adversarl")
    raise AttributeError(f"module 'adversarl' has no attribute '{name}'")
