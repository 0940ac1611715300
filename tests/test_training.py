from __future__ import annotations

import json
import platform

import pyarrow.parquet as pq
import pytest

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import Exhausted, Interrupted, RewardHacked, RunFolderError
from adversarl.recipe import load_recipe
from adversarl.registry import Component
from adversarl.runs import JOURNALS, read_json, read_rows
from adversarl.training import train

LEARNER = """
import numpy as np
from adversarl.builtin.random_search import RandomSearch

class Warm(RandomSearch):
    def warm_start(self, on_progress):
        self.env.reset(seed=1)
        for _ in range(30):
            self.env.step(np.zeros(self.env.action_space.shape, dtype=np.float32))
        on_progress({"train/warm_loss": 0.5})
"""

PAID = """
from adversarl.builtin.point_mass import PointMass

class Paid(PointMass):
    class Options(PointMass.Options):
        max_cost_usd: float = 5.0
"""


EAGER = """
import numpy as np
from adversarl.detection import FrameDetector, FrameOptions, Judgement

class Eager(FrameDetector):
    def judge(self, frames, task):
        return Judgement(np.ones(len(frames)), np.ones(len(frames)))
"""


class Stop:
    """Asks for a stop from the n-th time on that it is asked, and counts."""

    def __init__(self, after=None):
        self.asked, self.after = 0, after

    def __call__(self):
        self.asked += 1
        return self.after is not None and self.asked >= self.after


def journals(folder):
    return {name: (folder / f"{name}.jsonl").read_bytes() for name in JOURNALS}


@pytest.fixture
def recipe(recipe_file, registry):
    return load_recipe(recipe_file, registry)


def test_a_run_leaves_everything_that_the_documentation_promises(recipe, plugins, tmp_path):
    folder = tmp_path / "run"
    summary = train(recipe, plugins, folder)
    assert read_json(folder / "summary.json") == summary
    assert {path.name for path in folder.iterdir()} == {
        "lock", "recipe.toml", "manifest.json", "checkpoints", "evaluation.json", "summary.json", "episodes.parquet",
        *(f"{name}.jsonl" for name in JOURNALS),
    }  # fmt: skip
    assert summary["env_steps"] == 1600
    assert summary["warm_start_env_steps"] == 0
    episodes = read_rows(folder / "episodes.jsonl")
    assert [row["index"] for row in sorted(episodes, key=lambda row: row["index"])] == sorted(
        {row["index"] for row in episodes}
    )
    assert pq.read_table(folder / "episodes.parquet").num_rows == len(episodes)
    assert [row["episodes"] for row in read_rows(folder / "reports.jsonl")][:2] == [10, 20]


def test_a_summary_gives_every_success_with_its_number_and_interval(recipe, plugins, tmp_path):
    summary = train(recipe, plugins, tmp_path / "run")
    for key in ("nominal_success", "warm_start_nominal_success", "robustness_auc", "warm_start_robustness_auc"):
        assert set(summary[key]) == {"value", "n", "low", "high"}
        assert summary[key]["low"] <= summary[key]["value"] <= summary[key]["high"]
    assert summary["nominal_success"]["n"] == 4
    assert summary["robustness_auc"]["n"] == 8
    assert [row["intensity"] for row in summary["robustness_curve"]] == [0.0, 1.0]
    assert 0 < summary["set_up_time_s"] < summary["wall_clock_s"]
    assert summary["wall_clock_s"] == pytest.approx(sum(summary["seconds"].values()))


def test_the_manifest_names_versions_and_machine(recipe, plugins, tmp_path):
    train(recipe, plugins, tmp_path / "run")
    manifest = read_json(tmp_path / "run" / "manifest.json")
    assert manifest["python"] == platform.python_version()
    assert {"adversarl", "numpy", "gymnasium"} <= set(manifest["versions"])
    assert manifest["cpus"] >= 1


def test_the_same_recipe_and_seed_give_the_same_journals_and_another_seed_does_not(
    recipe, plugins, tmp_path, recipe_file, registry
):
    for name in ("a", "b"):
        train(recipe, plugins, tmp_path / name)
    train(load_recipe(recipe_file, registry, ["run.seed=1"]), plugins, tmp_path / "c")
    assert journals(tmp_path / "a") == journals(tmp_path / "b")
    assert journals(tmp_path / "a")["episodes"] != journals(tmp_path / "c")["episodes"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6, 0.7, 0.9])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(recipe, plugins, tmp_path, share):
    """Stopped in the warm start, in the first evaluation, in training and in the last evaluation."""
    counter = Stop()
    whole = train(recipe, plugins, tmp_path / "whole", stop_requested=counter)
    folder = tmp_path / "run"
    with pytest.raises(Interrupted) as caught:
        train(
            recipe, plugins, folder, stop_requested=Stop(1 + int(share * counter.asked)), source="small.toml --seed 0"
        )
    assert str(caught.value) == (
        f"stopped and saved. Go on with: adversarl run small.toml --seed 0 --out {folder} --resume"
    )
    resumed = train(recipe, plugins, folder, resume=True)
    assert journals(folder) == journals(tmp_path / "whole")
    timed = {"seconds", "set_up_time_s", "wall_clock_s"}
    assert {k: v for k, v in resumed.items() if k not in timed} == {k: v for k, v in whole.items() if k not in timed}


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_a_run_whose_world_is_exhausted_is_saved_and_says_how_to_go_on(recipe, plugins, tmp_path, share, monkeypatch):
    """In the first evaluation, in training and in the last evaluation."""
    steps = [0]
    step = PointMassWorld.step

    def counted(self, actions):
        steps[0] += 1
        return step(self, actions)

    monkeypatch.setattr(PointMassWorld, "step", counted)
    whole = train(recipe, plugins, tmp_path / "whole")
    limit, steps[0] = int(share * steps[0]), 0
    spent = property(lambda self: "5 of max_cost_usd = 5 USD are spent" if steps[0] > limit else "")
    monkeypatch.setattr(PointMassWorld, "exhausted", spent, raising=False)
    folder = tmp_path / "run"
    with pytest.raises(
        Exhausted, match=r"stopped: 5 of max_cost_usd = 5 USD are spent\. When that is mended, go on with"
    ):
        train(recipe, plugins, folder, source="small.toml")
    assert not (folder / "summary.json").exists()
    limit = 10**9
    resumed = train(recipe, plugins, folder, resume=True)
    assert journals(folder) == journals(tmp_path / "whole")
    assert resumed["robustness_curve"] == whole["robustness_curve"]


def test_a_finished_run_can_be_resumed_and_does_nothing_more(recipe, plugins, tmp_path):
    folder = tmp_path / "run"
    first = train(recipe, plugins, folder)
    before = journals(folder)
    again = train(recipe, plugins, folder, resume=True)
    assert journals(folder) == before
    assert again["env_steps"] == first["env_steps"]
    assert again["robustness_curve"] == first["robustness_curve"]


def test_a_run_may_be_made_longer(recipe, plugins, tmp_path, recipe_file, registry):
    train(recipe, plugins, tmp_path / "run")
    longer = load_recipe(recipe_file, registry, ["run.total_steps=2400"])
    assert train(longer, plugins, tmp_path / "run", resume=True)["env_steps"] == 2400
    train(longer, plugins, tmp_path / "whole")
    assert journals(tmp_path / "run")["episodes"] == journals(tmp_path / "whole")["episodes"]


def test_a_run_may_be_allowed_to_cost_more(plugins, tmp_path, recipe_file, monkeypatch):
    (tmp_path / "paid.py").write_text(PAID)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.registry.add(Component("backend", "paid", "paid:Paid", "Costs.", "mine"))
    for usd, resume in ((1.0, False), (2.0, True)):
        paid = load_recipe(recipe_file, plugins.registry, ["backend.use=paid", f"backend.max_cost_usd={usd}"])
        assert train(paid, plugins, tmp_path / "run", resume=resume)["env_steps"] == 1600


def test_a_run_cannot_be_resumed_with_another_recipe(recipe, plugins, tmp_path, recipe_file, registry):
    folder = tmp_path / "run"
    train(recipe, plugins, folder)
    other = load_recipe(recipe_file, registry, ["learner.step_size=0.5"])
    with pytest.raises(RunFolderError) as caught:
        train(other, plugins, folder, resume=True)
    assert str(caught.value) == (
        f"{folder}: was made with [learner] step_size = 0.25, not 0.5. Resume with the same recipe, "
        "or choose another folder with --out"
    )


def test_a_warm_start_is_its_own_phase(plugins, write, small, tmp_path, monkeypatch):
    (tmp_path / "warm_learner.py").write_text(LEARNER)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.registry.add(Component("learner", "warm", "warm_learner:Warm", "Warms up.", "mine"))
    recipe = load_recipe(write(small.replace('"random-search"', '"warm"')), plugins.registry)
    summary = train(recipe, plugins, tmp_path / "run")
    assert (summary["env_steps"], summary["warm_start_env_steps"]) == (1600, 120)
    rows = read_rows(tmp_path / "run" / "metrics.jsonl")
    assert rows[0] == {"env_steps": 120, "train/warm_loss": 0.5}
    phases = [row["phase"] for row in read_rows(tmp_path / "run" / "episodes.jsonl")]
    assert phases == sorted(phases, reverse=True)
    assert set(phases) == {"warm_start", "train"}
    assert {"warm_start", "train", "evaluation"} <= set(summary["seconds"])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["episodes"] >= len(phases)


def test_listeners_leave_the_plugin_manager_when_the_run_ends(recipe, plugins, tmp_path):
    before = plugins.manager.get_plugins()
    train(recipe, plugins, tmp_path / "run")
    assert plugins.manager.get_plugins() == before


def test_a_run_that_cannot_begin_leaves_no_listener_and_no_lock(plugins, tmp_path, write, small):
    plugins.registry.add(Component("curriculum", "odd", "adversarl.builtin.nothing:NoFailure", "Not one.", "mine"))
    before = plugins.manager.get_plugins()
    recipe = load_recipe(write(small + '[curriculum]\nuse = "odd"\n'), plugins.registry)
    for _ in range(2):
        with pytest.raises(TypeError):
            train(recipe, plugins, tmp_path / "run", resume=(tmp_path / "run").exists())
    assert plugins.manager.get_plugins() == before


STUBBORN = """
from adversarl.builtin.nothing import NoCurriculum

class Stubborn(NoCurriculum):
    def connect(self, services):
        raise RuntimeError("connects to nothing")

    def close(self):
        raise OSError("does not close")
"""


def test_a_component_that_neither_connects_nor_closes_leaves_no_listener_and_no_world(
    plugins, write, small, tmp_path, monkeypatch
):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.registry.add(Component("curriculum", "stubborn", "stubborn:Stubborn", "Fails.", "mine"))
    recipe = load_recipe(write(small + '[curriculum]\nuse = "stubborn"\n'), plugins.registry)
    before, closed = plugins.manager.get_plugins(), []
    monkeypatch.setattr(PointMassWorld, "close_extras", lambda world, **kwargs: closed.append(world))
    with pytest.raises(OSError, match="does not close") as caught:
        train(recipe, plugins, tmp_path / "run")
    assert "connects to nothing" in str(caught.value.__context__)
    assert plugins.manager.get_plugins() == before
    assert len(closed) == 1


def test_a_component_that_cannot_be_made_leaves_no_world(plugins, write, small, tmp_path, monkeypatch):
    plugins.registry.add(Component("curriculum", "odd", "adversarl.builtin.nothing:NoFailure", "Not one.", "mine"))
    recipe, closed = load_recipe(write(small + '[curriculum]\nuse = "odd"\n'), plugins.registry), []
    monkeypatch.setattr(PointMassWorld, "close_extras", lambda world, **kwargs: closed.append(world))
    with pytest.raises(TypeError):
        train(recipe, plugins, tmp_path / "run")
    assert len(closed) == 1


def test_a_run_whose_detector_is_wrong_is_saved_and_stopped_and_goes_on_when_told_to(
    plugins, recipe_file, tmp_path, monkeypatch
):
    (tmp_path / "eager.py").write_text(EAGER)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.registry.add(Component("reward", "eager", "eager:Eager", "Always yes.", "mine"))
    folder = tmp_path / "run"
    with pytest.raises(RewardHacked) as caught:
        train(load_recipe(recipe_file, plugins.registry, ["reward.use=eager"]), plugins, folder, source="small.toml")
    assert str(caught.value).startswith("saved and stopped: the detector 'eager' called ")
    episodes = read_rows(folder / "episodes.jsonl")
    assert 0 < len(episodes) < 200
    assert not any(row["state_success"] for row in episodes)
    assert all(row["success"] for row in episodes)
    assert "reward hacking watch: the detector 'eager'" in read_rows(folder / "notices.jsonl")[0]["text"]
    warned = load_recipe(recipe_file, plugins.registry, ["reward.use=eager", "watch.on_alarm=warn"])
    summary = train(warned, plugins, folder, resume=True)
    assert summary["env_steps"] == 1600
    assert summary["curriculum"]["watch/alarms"] >= 1
