"""Registers the failure classifiers; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    summary = "Success per condition with intervals, effect sizes, change detection"
    add.failure("statistics", "adversarl_failures.statistics:Statistics", summary)
