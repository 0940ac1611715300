"""Evaluations while a run trains, runs that only warm up, and what a suite may ask of the world."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from adversarl import hookimpl
from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import Interrupted, RecipeError
from adversarl.recipe import load_recipe
from adversarl.registry import Component
from adversarl.runs import JOURNALS, latest_checkpoint, read_json, read_rows
from adversarl.testing.killing import kill_in_training
from adversarl.training import train

SUITES = """
from adversarl.builtin.robustness import Robustness
from dataclasses import replace

class Elsewhere(Robustness):
    '''The last cell is played among shorter episodes.'''
    keys = {"max_episode_steps": 12}

    def cells(self, axes, seed):
        *cells, last = super().cells(axes, seed)
        return [*cells, replace(last, world=self.keys)]

class Held(Elsewhere):
    keys = {"split": "test", "pool": 3}
"""

KILLED = """
[run]
total_steps = 40_000
checkpoint_every = 2_000
evaluate_every = 7_000

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 30

[failure]
use = "none"
report_every = 10

[learner]
use = "random-search"
directions = 4

[evaluation]
episodes = 4
intensities = [0.0, 1.0]
"""

PPO = """
[learner]
use = "ppo"
warm_start_steps = 200
n_steps = 32
batch_size = 32
n_epochs = 1
hidden = 16
threads = 1
warm_start_passes = 1
"""


class Heard:
    """Keeps which evaluations a run told of."""

    def __init__(self):
        self.evaluations = []

    @hookimpl
    def adversarl_evaluation_finished(self, step, name, results):
        self.evaluations.append((step, name, len(results)))


@pytest.fixture
def heard(plugins):
    listener = Heard()
    plugins.manager.register(listener)
    return listener


@pytest.fixture
def suites(plugins, tmp_path, monkeypatch):
    (tmp_path / "odd_suites.py").write_text(SUITES)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("Elsewhere", "Held"):
        plugins.registry.add(Component("suite", name.lower(), f"odd_suites:{name}", "Odd.", "mine"))


def evaluation(folder):
    return read_json(folder / "evaluation.json")


def test_a_run_is_evaluated_where_it_passes_a_multiple(plugins, recipe_file, tmp_path, heard):
    recipe = load_recipe(recipe_file, plugins.registry, ["run.evaluate_every=500"])
    train(recipe, plugins, tmp_path / "run")
    found = evaluation(tmp_path / "run")
    assert list(found) == ["warm_start", "step-500", "step-1000", "step-1500", "final"]
    assert heard.evaluations == [(found[name]["env_steps"], name, 2) for name in found]
    for name, entry in found.items():
        if name.startswith("step-"):
            assert 0 <= entry["env_steps"] - int(name.removeprefix("step-")) < 500
    assert [len(cell["success"]) for cell in found["step-500"]["cells"]] == [4, 4]


def test_evaluations_along_the_way_change_nothing_about_training(plugins, recipe_file, tmp_path):
    for name, every in (("without", 0), ("with", 500)):
        train(load_recipe(recipe_file, plugins.registry, [f"run.evaluate_every={every}"]), plugins, tmp_path / name)
    for journal in JOURNALS:
        rows = [(tmp_path / name / f"{journal}.jsonl").read_bytes() for name in ("with", "without")]
        assert rows[0] == rows[1], journal
    both = [evaluation(tmp_path / name) for name in ("with", "without")]
    assert both[0]["final"] == both[1]["final"]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_run_stopped_anywhere_is_evaluated_as_if_it_had_not_been(plugins, recipe_file, tmp_path, share):
    recipe, asked = load_recipe(recipe_file, plugins.registry, ["run.evaluate_every=500"]), [0]

    def stop_after(limit):
        def stop():
            asked[0] += 1
            return asked[0] > limit

        return stop

    train(recipe, plugins, tmp_path / "whole", stop_requested=stop_after(10**9))
    limit, asked[0] = int(share * asked[0]), 0
    with pytest.raises(Interrupted):
        train(recipe, plugins, tmp_path / "run", stop_requested=stop_after(limit))
    train(recipe, plugins, tmp_path / "run", resume=True)
    assert evaluation(tmp_path / "run") == evaluation(tmp_path / "whole")
    assert list(evaluation(tmp_path / "run")) == list(evaluation(tmp_path / "whole"))


def test_resuming_forgets_what_was_measured_after_the_checkpoint(plugins, recipe_file, tmp_path, heard):
    recipe = load_recipe(recipe_file, plugins.registry, ["run.evaluate_every=500"])
    train(recipe, plugins, tmp_path / "run")
    (tmp_path / "run" / "summary.json").unlink()
    for newer in sorted((tmp_path / "run" / "checkpoints").glob("step-*"))[1:]:
        for path in sorted(newer.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        newer.rmdir()
    step = int(latest_checkpoint(tmp_path / "run").name.removeprefix("step-"))
    whole, heard.evaluations[:] = evaluation(tmp_path / "run"), []
    train(recipe, plugins, tmp_path / "run", resume=True)
    again = [name for _, name, _ in heard.evaluations if name.startswith("step-")]
    assert again == [n for n, one in whole.items() if n.startswith("step-") and one["env_steps"] > step]
    assert evaluation(tmp_path / "run") == whole


def test_a_run_killed_twice_is_evaluated_as_if_it_had_not_been(tmp_path):
    (tmp_path / "killed.toml").write_text(KILLED)
    main = [sys.executable, "-c", "from adversarl.cli import main; main()", "run", "killed.toml", "--out"]

    def finish(*options):
        done = subprocess.run([*main, *options], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr

    def kill(step, *options):
        process = subprocess.Popen(
            [*main, "run", *options],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "300"},
        )
        kill_in_training(process, tmp_path / "run", step)

    finish("whole")
    kill(8000)
    kill(20_000, "--resume")
    finish("run", "--resume")
    names = [f"step-{7000 * n}" for n in range(1, 6)]
    assert list(evaluation(tmp_path / "run")) == ["warm_start", *names, "final"]
    for name in ("evaluation.json", *(f"{journal}.jsonl" for journal in JOURNALS)):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def with_ppo(small):
    head, _, tail = small.partition("[learner]")
    return head + PPO + tail[tail.index("\n[evaluation]") :]


@pytest.mark.parametrize("ppo", [False, True])
def test_without_steps_of_training_a_run_ends_after_its_warm_start(plugins, write, small, tmp_path, ppo):
    path = write(with_ppo(small) if ppo else small)
    recipe = load_recipe(path, plugins.registry, ["run.total_steps=0", "run.evaluate_every=500"])
    summary = train(recipe, plugins, tmp_path / "run")
    assert summary["env_steps"] == 0
    assert summary["warm_start_env_steps"] == (200 if ppo else 0)
    for key in ("nominal_success", "robustness_auc", "robustness_curve"):
        assert summary[key] == summary[f"warm_start_{key}"]
    found = evaluation(tmp_path / "run")
    assert list(found) == ["warm_start", "final"]
    assert found["warm_start"] == found["final"]
    assert {row["phase"] for row in read_rows(tmp_path / "run" / "episodes.jsonl")} <= {"warm_start"}
    assert (tmp_path / "run" / "episodes.parquet").exists()
    again = train(recipe, plugins, tmp_path / "run", resume=True)
    assert again["robustness_curve"] == summary["robustness_curve"]


def test_a_cell_is_played_in_the_world_that_it_asks_for(plugins, suites, recipe_file, tmp_path, monkeypatch):
    limits = []
    reset = PointMassWorld.reset

    def noted(self, **kwargs):
        limits.append(self.max_episode_steps)
        return reset(self, **kwargs)

    monkeypatch.setattr(PointMassWorld, "reset", noted)
    recipe = load_recipe(
        recipe_file, plugins.registry, ["evaluation.suite=elsewhere", "run.total_steps=0", "backend.num_envs=2"]
    )
    train(recipe, plugins, tmp_path / "run")
    assert set(limits) == {20, 12}
    assert limits == sorted(limits[: len(limits) // 2], reverse=True) * 2


def test_a_suite_for_another_backend_is_refused_before_anything_is_trained(plugins, suites, recipe_file, tmp_path):
    before = plugins.manager.get_plugins()
    recipe = load_recipe(recipe_file, plugins.registry, ["evaluation.suite=held"])
    with pytest.raises(RecipeError) as caught:
        train(recipe, plugins, tmp_path / "run")
    text = str(caught.value)
    assert text.startswith(
        "small.toml: [evaluation] suite: 'held' plays in worlds with split = 'test', pool = 3, which "
    )
    assert "backend 'point-mass' does not have (small.toml: [backend] split: unknown key." in text
    assert text.endswith("Choose another suite or backend")
    assert plugins.manager.get_plugins() == before
    assert not (tmp_path / "run" / "evaluation.json").exists()


def test_a_run_that_takes_over_a_warm_start_is_the_run_that_makes_its_own(plugins, write, small, tmp_path):
    path, keys = write(with_ppo(small)), ["run.total_steps=600", "run.evaluate_every=250"]
    recipe = load_recipe(path, plugins.registry, keys)
    train(load_recipe(path, plugins.registry, [*keys, "run.total_steps=0"]), plugins, tmp_path / "warm")
    train(recipe, plugins, tmp_path / "own")
    train(recipe, plugins, tmp_path / "taken", warm_start=tmp_path / "warm")
    for name in ("evaluation.json", *(f"{journal}.jsonl" for journal in JOURNALS if journal != "metrics")):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "taken" / name).read_bytes(), name
