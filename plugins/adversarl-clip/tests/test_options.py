import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from adversarl_clip.clip import Clip
from adversarl_clip.options import ClipOptions
from pydantic import ValidationError

from adversarl.errors import RecipeError
from adversarl.recipe import parse_recipe

RECIPE = {"run": {"total_steps": 100}, "backend": {"use": "point-mass"}, "learner": {"use": "random-search"}}


def problem(**options):
    with pytest.raises(ValidationError) as caught:
        ClipOptions(**options)
    return caught.value.errors()[0]["msg"]


def test_prompts_may_have_the_task_and_nothing_else():
    assert "{task}" in ClipOptions().goal
    assert ClipOptions(goal="the cube hangs in the gripper").goal == "the cube hangs in the gripper"
    assert problem(goal="a robot did {tsak}") == (
        "Value error, nothing is known to put in for '{tsak}'; write {task} where the task's text belongs"
    )
    assert "nothing is known to put in for '{'" in problem(baseline="a {")


def test_goal_and_baseline_differ():
    assert problem(goal="a table", baseline="a table") == "Value error, goal and baseline must differ"


def test_a_span_rises_within_the_range_of_r():
    assert problem(span=(0.5, 0.2)) == "Value error, span = [0.5, 0.2] must rise within [-1, 1]"
    assert problem(span=(-2, 0.2)) == "Value error, span = [-2.0, 0.2] must rise within [-1, 1]"


def test_alpha_is_a_share():
    assert problem(alpha=1.5) == "Input should be less than or equal to 1"


def test_recipes_with_clip_are_checked_without_open_clip(adversarl_registry):
    recipe = parse_recipe({**RECIPE, "reward": {"use": "clip", "alpha": 0.1}}, adversarl_registry, "my.toml")
    assert recipe["reward"].options.alpha == 0.1
    with pytest.raises(RecipeError, match=r"my\.toml: \[reward\] alpah: .*Did you mean 'alpha'\?"):
        parse_recipe({**RECIPE, "reward": {"use": "clip", "alpah": 0.1}}, adversarl_registry, "my.toml")


def test_the_class_is_loaded_without_open_clip():
    code = (
        "import sys; from adversarl.plugins import build_plugin_manager as build; "
        "build().registry.get('reward', 'clip').load(); "
        "assert not {'open_clip', 'torch', 'torchvision', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert Clip.Options is ClipOptions


def test_the_recipe_of_the_readme_is_one(adversarl_registry):
    pytest.importorskip("adversarl_mujoco")
    text = (Path(__file__).parent.parent / "README.md").read_text()
    (recipe,) = re.findall(r'^```toml title="pick-clip.toml"\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    parse_recipe(tomllib.loads(recipe), adversarl_registry, "README.md")
