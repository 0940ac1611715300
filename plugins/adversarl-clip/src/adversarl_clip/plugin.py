"""Registers the reward detector; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the component."""
    add.reward("clip", "adversarl_clip.clip:Clip", "An image-text model of open_clip compares pictures with sentences")
