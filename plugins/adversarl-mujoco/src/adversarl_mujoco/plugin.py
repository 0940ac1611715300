"""Registers the MuJoCo backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl
from adversarl_mujoco.grounding_command import adversarl_benchmarks as adversarl_benchmarks

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Adds the backend ``mujoco``."""
    add.backend("mujoco", "adversarl_mujoco.backend:Mujoco", "Tabletop manipulation in MuJoCo, rendered on threads.")


@hookimpl
def adversarl_doctor(check: Callable[[str, bool, str], None]) -> None:
    """Says whether and how this machine renders."""
    from adversarl_mujoco.doctor import examine

    examine(check)


@hookimpl
def adversarl_commands(app: typer.Typer) -> None:
    """Adds ``adversarl scene``."""
    from adversarl_mujoco.commands import add

    add(app)
