import subprocess
import sys

import numpy as np
import pytest

import adversarl.testing


def test_the_world_fixture_is_a_running_world(adversarl_world):
    observation, _ = adversarl_world.reset(seed=[1, 2])
    assert observation["image"].shape == (2, 32, 32, 3)


def test_the_loop_fixture_ends_episodes_after_twenty_steps(adversarl_loop):
    adversarl_loop.reset(seed=0)
    steps = [adversarl_loop.step(np.zeros((2, 2), dtype=np.float32))[3].all() for _ in range(20)]
    assert steps == [False] * 19 + [True]


def test_the_registry_fixture_knows_the_builtin_components(adversarl_registry):
    assert "point-mass" in adversarl_registry.names("backend")


def test_the_run_fixture_runs_a_recipe_to_its_end(adversarl_run, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        '[run]\ntotal_steps = 400\n[backend]\nuse = "point-mass"\nnum_envs = 2\n'
        '[learner]\nuse = "random-search"\n[evaluation]\nepisodes = 2\n'
    )
    summary = adversarl_run(recipe, "run.seed=3")
    assert summary["seed"] == 3
    assert (summary["folder"] / "summary.json").exists()


def test_the_pytest_plugin_imports_nothing_heavy():
    code = (
        "import sys, pytest; before = set(sys.modules); import adversarl.testing.pytest_plugin;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "gymnasium", "pydantic", "torch", "mujoco"} & set(loaded)


def test_everything_the_kit_names_can_be_imported():
    for name in adversarl.testing.__all__:
        assert getattr(adversarl.testing, name)
    with pytest.raises(AttributeError, match="no attribute 'check_zworble'"):
        getattr(adversarl.testing, "check_zworble")  # noqa: B009
