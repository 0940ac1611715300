"""All tasks by name."""

from __future__ import annotations

from adversarl_mujoco.tasks.base import Task
from adversarl_mujoco.tasks.pick import Pick

TASKS: dict[str, type[Task]] = {"pick": Pick}
