from __future__ import annotations

import json

import pytest

from adversarl.bench_teachers import measure_teacher
from adversarl.builtin.point_mass import PointMass

TASKS = """
from typing import Literal
import numpy as np
from pydantic import Field
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass, PointMassOptions
from adversarl.builtin.point_mass_world import PointMassWorld

class TaskOptions(PointMassOptions):
    task: Literal["easy", "impossible"] = Field("easy", description="The task.")

class Lazy(PointMassWorld):
    def teacher(self, indices):
        return np.zeros((len(indices), 2), np.float32)

class Tasks(PointMass):
    Options = TaskOptions
    tasks = ("easy", "impossible")

    def make(self, *, seed, num_envs=None):
        if self.options.task == "easy":
            return super().make(seed=seed, num_envs=num_envs)
        return Lazy(num_envs or self.options.num_envs, seed=seed, max_episode_steps=5)

@hookimpl
def adversarl_register(add):
    add.backend("tasks", f"{__name__}:Tasks", "A world with two tasks.")
"""


@pytest.fixture
def plugin(write):
    return write(TASKS, "tasks.py")


def test_every_task_of_a_backend_gets_a_row_with_an_interval(adversarl, plugin):
    rows = json.loads(
        adversarl("bench", "teachers", "--backend", "tasks", "--episodes", 5, "--json", "--plugin", plugin).out
    )
    assert [row["task"] for row in rows] == ["easy", "impossible"]
    assert [row["success"]["value"] for row in rows] == [1.0, 0.0]
    assert all(row["success"]["n"] == 5 for row in rows)
    assert rows[1]["failed"] == [0, 1, 2, 3, 4]
    assert rows[1]["mean_length"] is None
    assert rows[1]["limit"] == 5


def test_named_tasks_alone_are_played_and_unknown_ones_get_the_nearest_name(adversarl, plugin):
    common = ("bench", "teachers", "--backend", "tasks", "--episodes", 2, "--plugin", plugin)
    out = adversarl(*common, "--task", "easy").out
    assert "easy" in out
    assert "impossible" not in out
    done = adversarl(*common, "--task", "eazy")
    assert done.code == 2
    assert "no task named 'eazy'. Did you mean 'easy'?" in done.err


def test_an_override_that_would_stand_for_every_task_is_refused(adversarl, plugin):
    common = ("bench", "teachers", "--backend", "tasks", "--episodes", 2, "--plugin", plugin)
    done = adversarl(*common, "--set", "backend.task=easy")
    assert done.code == 2
    assert "it would stand for every task. Say which one it is: --task" in " ".join(done.err.split())
    assert adversarl(*common, "--set", "backend.task=easy", "--task", "easy").code == 0


def test_a_backend_with_one_task_is_named_by_what_it_asks_for(adversarl):
    (row,) = json.loads(adversarl("bench", "teachers", "--backend", "point-mass", "--episodes", 3, "--json").out)
    assert row["task"] == row["text"] != ""
    assert row["success"]["value"] == 1.0


def test_a_strip_of_pictures_is_written_for_each_task(adversarl, tmp_path):
    from PIL import Image

    done = adversarl("bench", "teachers", "--backend", "point-mass", "--episodes", 1, "--render", tmp_path)
    assert done.code == 0
    with Image.open(tmp_path / "point-mass.png") as strip:
        assert strip.width > 3 * strip.height


def test_the_number_of_environments_changes_no_result():
    def measure(num_envs):
        world = PointMass(PointMass.Options(num_envs=num_envs, image_size=16)).make(seed=0)
        try:
            return measure_teacher(world, 5, seed=7)
        finally:
            world.close()

    assert measure(2) == measure(5)
