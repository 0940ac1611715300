"""The recipes of this plugin: they differ in one table, run on other worlds, and run for real against the emulator."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from adversarl_odyssey.hybrid import HybridOptions

from adversarl.bench import bench
from adversarl.cli.plugins import check_component
from adversarl.errors import LiveWorld
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import load_recipe
from adversarl.training import train

RECIPES = Path(__file__).parents[3] / "recipes"
NAMES = ("odyssey-static", "odyssey-adaptive")
TINY = (
    "run.total_steps=64",
    "learner.warm_start_steps=32",
    "learner.warm_start_passes=1",
    "learner.n_steps=32",
    "learner.batch_size=32",
    "learner.critic_warm_up=0",
    "evaluation.episodes=1",
    "evaluation.intensities=[1.0]",
    "tracking.use=[]",
)
NO_TEACHER = ("learner.warm_start_steps=0", "learner.distillation=0")


def load(name, *overrides):
    return load_recipe(RECIPES / f"{name}.toml", build_plugin_manager().registry, overrides)


def test_the_two_conditions_differ_in_the_curriculum_alone():
    tables = [tomllib.loads((RECIPES / f"{name}.toml").read_text()) for name in NAMES]
    assert [one.pop("curriculum") for one in tables] == [{"use": "static"}, {"use": "rules"}]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("name", NAMES)
def test_they_need_no_more_streams_than_a_free_account_has_and_have_a_ceiling(name):
    options = load(name)["backend"].options
    assert isinstance(options, HybridOptions)
    assert 2 * options.num_envs <= options.max_streams <= 5
    assert options.max_cost_usd <= 5


@pytest.mark.parametrize("name", NAMES)
def test_they_are_valid_in_other_worlds_by_one_switch(name):
    assert load(name, "backend.use=mujoco")["backend"].component.name == "mujoco"
    assert load(name, "backend.use=odyssey", *NO_TEACHER)["backend"].component.name == "odyssey"


@pytest.mark.parametrize("name", NAMES)
def test_a_bank_is_made_for_the_axes_that_a_stream_was_asked_for(name):
    live = load(name)["backend"].options
    batch = load(name, "backend.use=odyssey-batch")["backend"].options
    assert batch.axes == live.axes
    assert (batch.task, batch.scene, batch.max_cost_usd) == (live.task, live.scene, live.max_cost_usd)


def test_the_keys_of_the_recipe_are_those_of_the_simulator_beside_the_services():
    given = set(tomllib.loads((RECIPES / "odyssey-adaptive.toml").read_text())["backend"]) - {"use", "max_cost_usd"}
    mujoco = load("odyssey-adaptive", "backend.use=mujoco")["backend"]
    assert given <= set(type(mujoco.options).model_fields)


def test_the_adaptive_recipe_runs_against_the_emulator(emulator, tmp_path):
    recipe = load("odyssey-adaptive", *TINY, "backend.client=thin", "backend.image_size=32")
    summary = train(recipe, build_plugin_manager(), tmp_path / "run")
    assert summary["env_steps"] == 64
    assert emulator.stats()["streams"] == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "run" / "odyssey.jsonl").read_text().splitlines()]
    assert events.count("ended") >= 2
    again = load_recipe(tmp_path / "run" / "recipe.toml", build_plugin_manager().registry)
    assert again.resolved() == recipe.resolved()


@pytest.mark.parametrize("world", ["odyssey", "odyssey-hybrid"])
def test_live_streams_are_neither_multiplied_by_a_benchmark_nor_checked_for_repeating(world):
    plugins = build_plugin_manager()
    with pytest.raises(LiveWorld, match="would open several at once"):
        bench(load("odyssey-adaptive", f"backend.use={world}"), plugins, seconds=0.1, rounds=1)
    with pytest.raises(LiveWorld, match="never repeat"):
        check_component(plugins, world, [], as_json=True)
    assert not load("odyssey-adaptive", f"backend.use={world}", "backend.playback=there")["backend"].make().live
