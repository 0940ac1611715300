"""The part of a question that does not change within a run, so that the service can cache it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from adversarl.interfaces.curriculum import World
from adversarl.types import Axis


@cache
def text(name: str) -> str:
    """Instructions that come with the package."""
    return files("adversarl_claude").joinpath(f"{name}.md").read_text(encoding="utf-8")


def axes_table(axes: Sequence[Axis]) -> str:
    """The axes of a world as a Markdown table."""
    head = "| axis | phrase | what it is | nominal | at 100 % | acts on | when |\n|---|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(axis) for axis in axes)])


def _row(axis: Axis) -> str:
    when = "any time" if axis.mid_episode else "at the reset"
    targets = ", ".join(axis.targets) or "it alone"
    what = f"{axis.summary} ({axis.group}, unit {axis.unit})"
    return f"| {axis.name} | {axis.phrase} | {what} | {axis.nominal} | {axis.bound} | {targets} | {when} |"


def curriculum_text(world: World, size: int, clean_share: float, own: str) -> str:
    """Instructions for a curriculum: how to plan, the task, and the axes.

    Args:
        world: What is known of it.
        size: Proposals of a plan.
        clean_share: Share of episodes that stay nominal, in [0, 1].
        own: Instructions of the recipe, which replace those of the package; their braces stay as they are.
    """
    ours = text("curriculum")
    filled = {"{size}": str(size), "{clean}": f"{clean_share:.0%}", "{phrase}": world.axes[0].phrase}
    for brace, value in filled.items():
        ours = ours.replace(brace, value)
    limit = f"An episode has at most {world.max_episode_steps} control steps."
    return (
        f"{own or ours}\nThe task: {world.task or 'not described'}. {limit}\n\nThe axes:\n\n{axes_table(world.axes)}\n"
    )


def reward_text(task: str, solved_when: str, own: str) -> str:
    """Instructions for a reward detector: how to judge, and the task.

    Args:
        task: The task in English.
        solved_when: What can be seen when it is solved.
        own: Instructions of the recipe, which replace those of the package.
    """
    seen = f" It is solved when: {solved_when.rstrip('.')}." if solved_when else ""
    return f"{own or text('reward')}\nThe task: {task or 'not described'}.{seen}\n"
