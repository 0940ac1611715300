"""``adversarl reward train``."""

from __future__ import annotations

import json

import pytest
import torch
import typer
from adversarl_rewards.command import add_commands
from typer.testing import CliRunner

from adversarl.errors import NotTrainable, PerturbationError

RECIPE = """
[backend]
use = "point-mass"
num_envs = 8
image_size = 16
[reward]
use = "classifier"
size = 16
epochs = 1
[learner]
use = "random-search"
"""


@pytest.fixture(autouse=True)
def one_thread():
    """The command sets this for its own process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "dot.toml"
    path.write_text(RECIPE)
    return path


def invoke(recipe, *arguments):
    app = typer.Typer()
    add_commands(app)
    out = recipe.parent / "models" / "dot.pt"
    return CliRunner().invoke(app, ["reward", "train", str(recipe), "--out", str(out), *arguments]), out


def test_a_detector_is_trained_and_its_figures_are_printed(recipe):
    result, out = invoke(recipe, "--episodes", "30", "--hold-out", "brightness")
    assert result.exit_code == 0, result.output
    assert out.is_file()
    words = " ".join(result.output.split())
    assert "move the red dot onto the green goal" in words
    assert "nominal" in words
    assert "axes held out: brightness" in words
    assert "recommended: threshold = 0." in words
    assert f"wrote {out}" in result.output


def test_figures_are_json_if_asked_for(recipe):
    result, out = invoke(
        recipe, "--episodes", "30", "--seed", "1", "--json", "--set", "reward.epochs=2", "--set", "reward.size=24"
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["seed"], found["episodes"], found["trained"]["size"]) == (1, 30, 24)
    assert len(found["held_out_axes"]) == 1
    assert out.is_file()


def test_a_detector_that_the_recipe_does_not_use_gets_its_own_defaults(recipe):
    recipe.write_text(RECIPE.replace('use = "classifier"\nsize = 16\nepochs = 1', 'use = "state"'))
    result, _ = invoke(recipe, "--episodes", "20", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["trained"]["size"] == 64


def test_what_cannot_be_trained_is_named(recipe):
    result, out = invoke(recipe, "--detector", "state")
    assert isinstance(result.exception, NotTrainable)
    assert str(result.exception) == "the reward detector state has nothing to train; see: adversarl plugins list"
    result, out = invoke(recipe, "--hold-out", "brightnes")
    assert isinstance(result.exception, PerturbationError)
    assert "Did you mean 'brightness'?" in str(result.exception)
    assert not out.exists()


def test_the_command_says_what_it_does(recipe):
    app = typer.Typer()
    add_commands(app)
    result = CliRunner().invoke(app, ["reward", "train", "--help"])
    assert result.exit_code == 0
    assert "simulator labels under perturbation" in " ".join(result.output.split())
