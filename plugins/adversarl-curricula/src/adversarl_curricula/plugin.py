"""Registers the curricula; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    add.curriculum("rules", "adversarl_curricula.rules:Rules", "Failure modes to prompts, laddered to stay learnable")
    add.curriculum("static", "adversarl_curricula.static:Static", "Prompts from a fixed list, unchanged in an episode")
    add.curriculum("uniform", "adversarl_curricula.uniform:Uniform", "Hand-coded domain randomization at every reset")
