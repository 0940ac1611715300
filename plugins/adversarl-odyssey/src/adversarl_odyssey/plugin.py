"""Registers Odyssey's worlds and commands; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl
from adversarl_odyssey.commands import adversarl_benchmarks as adversarl_benchmarks
from adversarl_odyssey.commands import adversarl_commands as adversarl_commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    here = "adversarl_odyssey"
    add.backend("odyssey", f"{here}.pure:Odyssey", "A live stream of the world model; actions become sentences")
    add.backend("odyssey-hybrid", f"{here}.hybrid:Hybrid", "Simulated physics before a live stream of the world model")
    add.backend("odyssey-batch", f"{here}.batch:Batch", "Simulated physics before videos that were made beforehand")
    add.reward("goal-image", f"{here}.goal:GoalImage", "How near the picture has come to pictures of the goal")


@hookimpl
def adversarl_doctor(check: Callable[[str, bool, str], None]) -> None:
    """Says whether the SDK and a key are there."""
    from adversarl_odyssey.doctor import examine

    examine(check)
