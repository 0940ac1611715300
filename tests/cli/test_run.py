from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.cli.run import stop_on_signals
from adversarl.runs import latest_checkpoint, read_json

EXPORTER = """
import numpy as np
from adversarl import hookimpl
from adversarl.interfaces.exporter import Exporter

class Text(Exporter):
    def export(self, learner, path):
        path.write_text(str(learner.env_steps))
        return path

@hookimpl
def adversarl_register(add):
    add.exporter("text", f"{__name__}:Text", "The number of steps, as text.")
"""

SUITE = """
from adversarl import hookimpl
from adversarl.interfaces.suite import Suite
from adversarl.types import Cell

class Plain(Suite):
    def cells(self, axes, seed):
        seeds = tuple(range(self.options.episodes))
        return [Cell("nominal", 0.0, seeds, ((),) * len(seeds))]

@hookimpl
def adversarl_register(add):
    add.suite("plain", f"{__name__}:Plain", "The nominal world.")
"""


@pytest.fixture
def run(adversarl, recipe_file, tmp_path):
    """A finished run."""
    done = adversarl("run", recipe_file, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    return tmp_path / "run"


@pytest.fixture
def plugin_file(write):
    yield write
    for name in [name for name in sys.modules if name.startswith("adversarl_file_")]:
        del sys.modules[name]


def test_run_prints_the_curve_and_where_the_summary_is(adversarl, recipe_file, tmp_path):
    done = adversarl("run", recipe_file, "--out", tmp_path / "run")
    assert done.code == 0
    assert "before the curriculum" in done.out
    assert "AUC" in done.out
    assert "1,600 environment steps in" in done.out
    assert f"wrote {tmp_path / 'run' / 'summary.json'}" in done.out


def test_the_folder_is_named_after_recipe_and_seed(adversarl, recipe_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert adversarl("run", recipe_file, "--seed", "3", "--set", "run.total_steps=400").code == 0
    summary = read_json(tmp_path / "runs" / "small-3" / "summary.json")
    assert (summary["name"], summary["seed"], summary["env_steps"]) == ("small", 3, 400)


def test_a_second_run_into_the_same_folder_is_refused_and_resume_goes_on(adversarl, run, recipe_file):
    again = adversarl("run", recipe_file, "--out", run)
    assert again.code == 2
    assert "holds a run already. Go on with --resume, or choose another folder with --out" in again.err
    longer = adversarl("run", recipe_file, "--out", run, "--resume", "--set", "run.total_steps=2000")
    assert longer.code == 0
    assert "resumed at 1,600 steps" in longer.out
    assert read_json(run / "summary.json")["env_steps"] == 2000


def test_the_resolved_recipe_repeats_the_run(adversarl, run, tmp_path):
    assert adversarl("run", run / "recipe.toml", "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "episodes.jsonl").read_bytes() == (run / "episodes.jsonl").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops_at_once(number, capsys):
    before = signal.getsignal(number)
    with stop_on_signals() as stop_requested:
        assert not stop_requested()
        os.kill(os.getpid(), number)
        assert stop_requested()
        assert "stopping at the next safe point; again to stop at once" in capsys.readouterr().out
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_evaluate_judges_the_latest_policy(adversarl, run):
    done = adversarl("evaluate", run, "--json")
    result = json.loads(done.out)
    assert result["suite"] == "robustness"
    assert [(cell["axis"], cell["intensity"], cell["n"]) for cell in result["cells"]] == [
        ("mixed", 0.0, 4),
        ("mixed", 1.0, 4),
    ]
    assert result["robustness_auc"] == read_json(run / "summary.json")["robustness_auc"]
    stored = read_json(run / "evaluations.json")["robustness"]
    assert (stored["env_steps"], stored["options"]["episodes"]) == (1600, 4)
    table = adversarl("evaluate", run, "--set", "per_axis=true", "--set", "episodes=2").out
    assert "brightness" in table
    assert "AUC" in table


def test_evaluate_stops_in_a_world_that_must_not_go_on_and_tells_it_where_the_run_lies(adversarl, run, monkeypatch):
    told = []
    monkeypatch.setattr(PointMassWorld, "connect", lambda self, notice, folder: told.append(folder))
    monkeypatch.setattr(PointMassWorld, "exhausted", "5 of max_cost_usd = 5 USD are spent")
    stopped = adversarl("evaluate", run, "--json")
    assert stopped.code == 2
    said = " ".join(stopped.err.replace("│", "").split())
    assert "of 8 episodes: 5 of max_cost_usd = 5 USD are spent. To evaluate all the same, raise the limit in" in said
    assert told == [run]
    assert not (run / "evaluations.json").exists()


def test_evaluate_on_another_suite_keeps_both_results(adversarl, run, plugin_file):
    """Its keys are not those of the suite that the recipe names."""
    adversarl("evaluate", run)
    suite = plugin_file(SUITE, "plain.py")
    done = adversarl("evaluate", run, "--suite", "plain", "--set", "episodes=3", "--plugin", suite, "--json")
    result = json.loads(done.out)
    assert (result["suite"], result["cells"][0]["n"]) == ("plain", 3)
    assert result["robustness_auc"] == {"value": None, "n": 0, "low": 0.0, "high": 1.0}
    assert set(read_json(run / "evaluations.json")) == {"robustness", "plain"}
    assert " - " in adversarl("evaluate", run, "--suite", "plain", "--plugin", suite).out


def test_evaluate_also_plays_the_same_episodes_in_another_world(adversarl, run):
    done = adversarl("evaluate", run, "--also", "backend.max_episode_steps=20", "--json")
    result = json.loads(done.out)
    (other,) = result["also"]
    assert other["world"] == "backend.max_episode_steps=20"
    assert [gap["axis"] for gap in other["gaps"]] == ["mixed", "mixed", "all"]
    pairs = zip(result["cells"], other["cells"], other["gaps"], strict=False)
    assert all(gap["value"] == pytest.approx(second["value"] - first["value"]) for first, second, gap in pairs)
    assert other["gaps"][-1]["n"] == 8
    stored = read_json(run / "evaluations.json")
    assert (
        stored["robustness"]["cells"][0]["seeds"]
        == stored["robustness, backend.max_episode_steps=20"]["cells"][0]["seeds"]
    )
    shown = adversarl("evaluate", run, "--also", "backend.max_episode_steps=20").out
    assert "backend.max_episode_steps=20" in shown
    assert "gap: success here less success in the run's own world, on the same episodes" in shown


def test_evaluate_also_changes_nothing_but_the_world(adversarl, run):
    done = adversarl("evaluate", run, "--also", "learner.population=2")
    assert done.code == 2
    assert "--also: learner.population=2: it changes the world, so its key begins with backend." in done.err


def test_evaluate_also_takes_no_world_that_the_policy_does_not_fit(adversarl, run):
    done = adversarl("evaluate", run, "--also", "backend.image_size=20")
    assert done.code == 2
    assert "--also: backend.image_size=20: the policy was trained for observations of" in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_evaluate_needs_a_run_with_a_checkpoint(adversarl, run, tmp_path):
    empty = adversarl("evaluate", tmp_path)
    assert empty.code == 2
    assert f"{tmp_path}: is no run folder: it holds no recipe.toml. Make one with: adversarl run RECIPE" in empty.err
    for checkpoint in list((run / "checkpoints").iterdir()):
        checkpoint.rename(tmp_path / checkpoint.name)
    assert latest_checkpoint(run) is None
    early = adversarl("evaluate", run)
    assert early.code == 2
    assert f"has no checkpoint yet. Go on with: adversarl run RECIPE --out {run} --resume" in early.err


def test_export_writes_the_policy(adversarl, run, plugin_file, tmp_path):
    exporter = plugin_file(EXPORTER, "text.py")
    done = adversarl("export", run, "--with", "text", "--plugin", exporter)
    assert done.out == f"wrote {run / 'policy.text'}\n"
    assert (run / "policy.text").read_text() == "1600"
    adversarl("export", run, "--with", "text", "--plugin", exporter, "--out", tmp_path / "p.txt")
    assert (tmp_path / "p.txt").exists()


def test_an_unknown_exporter_says_what_there_is(adversarl, run):
    done = adversarl("export", run, "--with", "onxx")
    assert done.code == 2
    assert "--with: no exporter named 'onxx'." in done.err
