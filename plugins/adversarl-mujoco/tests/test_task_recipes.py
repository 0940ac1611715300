"""The recipes of `recipes/tasks`: each task has one, and its closed loop runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from adversarl_mujoco.tasks.catalog import TASKS

import adversarl
from adversarl.recipe import read_toml

FOLDER = Path(__file__).parents[3] / "recipes" / "tasks"
RECIPES = sorted(FOLDER.glob("*.toml"))


def task_of(path):
    task = read_toml(path)["backend"]["task"]
    return task if isinstance(task, str) else task["type"]


def test_every_task_has_a_recipe_of_its_name():
    assert {path.stem: task_of(path) for path in RECIPES} == {name: name for name in TASKS}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_closed_loop_of_a_task_runs_and_its_teacher_solves_it(path):
    small = ("backend.num_envs=2", "backend.threads=1", "backend.image_size=16", "curriculum.use=none")
    loop = adversarl.make(path, *small)
    try:
        loop.reset(seed=0)
        solved = False
        for _ in range(loop.max_episode_steps + 1):
            observation, _, terminated, _, info = loop.step(loop.world.teacher(range(2)))
            assert np.isfinite(observation["proprio"]).all()
            solved |= bool(terminated.any() and info["success"][terminated].any())
            if solved:
                break
    finally:
        loop.close()
    assert solved
