"""Registers the curriculum ``hello``; imports nothing heavy."""

from adversarl import hookimpl
from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the class as a string; it is imported when a recipe uses it."""
    add.curriculum("hello", "adversarl_hello.staircase:Staircase", "One prompt, as strong as three in four succeed at")
