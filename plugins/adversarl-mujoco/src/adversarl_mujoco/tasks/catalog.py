"""All tasks by name, and the recipe key that chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from adversarl.errors import did_you_mean
from adversarl_mujoco.simulation import MakeTask
from adversarl_mujoco.tasks.base import Task
from adversarl_mujoco.tasks.handover import Handover
from adversarl_mujoco.tasks.insert import Insert
from adversarl_mujoco.tasks.options import TaskOptions
from adversarl_mujoco.tasks.pick import Pick
from adversarl_mujoco.tasks.pick_place import PickPlace
from adversarl_mujoco.tasks.place import Place
from adversarl_mujoco.tasks.pour import Pour
from adversarl_mujoco.tasks.reach import Reach

_CLASSES: Sequence[type[Task]] = (Reach, Pick, Place, PickPlace, Insert, Pour, Handover)
TASKS: dict[str, type[Task]] = {task.Options.model_fields["type"].default: task for task in _CLASSES}


def make_task(options: TaskOptions) -> MakeTask:
    """What makes each simulation's task."""
    return partial(TASKS[options.type], options)


def _table(value: Any) -> Any:
    """A task's name stands for its table; a table that names none is one of `pick`."""
    if isinstance(value, str):
        value = {"type": value}
    if isinstance(value, dict):
        value = {"type": "pick", **value}
        if str(value["type"]) not in TASKS:
            raise ValueError(f"no task named {value['type']!r}. {did_you_mean(str(value['type']), TASKS)}")
        return value
    if isinstance(value, TaskOptions):
        return value
    raise ValueError(f"must be a task's name or its table, not {value!r}. {did_you_mean('', TASKS)}")


if TYPE_CHECKING:
    TaskTable = TaskOptions
else:
    TaskTable = Annotated[
        reduce(or_, (task.Options for task in _CLASSES)), Field(discriminator="type"), BeforeValidator(_table)
    ]
"""Any task's options: its name alone, or a table whose ``type`` is its name."""
