"""Registers what Claude does; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    add.curriculum("claude", "adversarl_claude.curriculum:Claude", "Claude reads failure reports and writes prompts")
    add.failure("claude", "adversarl_claude.failure:ClaudeFailure", "Claude looks at the last frames of failures")
    add.reward("claude", "adversarl_claude.reward:ClaudeReward", "Claude is asked whether a picture shows success")
