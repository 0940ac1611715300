"""The watch over detectors in whole runs: what is wrong is caught, what is right is left alone."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adversarl.errors import RewardHacked
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import load_recipe, parse_recipe
from adversarl.training import train

ROOT = Path(__file__).parents[3]
BROKEN = ROOT / "docs" / "examples" / "broken_detectors.py"
SMOKE = ROOT / "recipes" / "smoke.toml"
RESULTS = json.loads((ROOT / "docs" / "results" / "watch.json").read_text())
QUICK = (
    "backend.image_size=32",
    'backend.task={type = "pick", success = {time_limit = 2.0}}',
    "backend.threads=1",
    "run.total_steps=512",
    "learner.n_steps=32",
    "learner.warm_start_steps=640",
    "learner.warm_start_passes=1",
    "evaluation.episodes=1",
    "evaluation.intensities=[0.0]",
    "tracking.use=[]",
)
"""The smoke recipe in seconds: small pictures, episodes of 2 s."""

SMALL = """
[run]
total_steps = 1600
checkpoint_every = 400

[backend]
use = "point-mass"
num_envs = 4
max_episode_steps = 20

[failure]
use = "none"

[learner]
use = "random-search"
directions = 2

[evaluation]
episodes = 4
intensities = [0.0]
"""


def settings(*overrides):
    return [word for override in overrides for word in ("--set", override)]


def run_pick(folder, *arguments):
    """``adversarl run`` on the quick smoke recipe, on a terminal wide enough for every message."""
    command = [sys.executable, "-m", "adversarl", "run", SMOKE, *settings(*QUICK), "--plugin", BROKEN, "--out", folder]
    environment = os.environ | {"MUJOCO_GL": "egl", "OMP_NUM_THREADS": "1", "COLUMNS": "4000"}
    return subprocess.run(
        [str(word) for word in (*command, *arguments)],
        capture_output=True, text=True, check=False, env=environment, timeout=290, cwd=ROOT,
    )  # fmt: skip


def journal(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def test_a_detector_that_sees_the_color_and_not_the_lift_is_caught_within_a_window(tmp_path):
    folder = tmp_path / "run"
    done = run_pick(folder, *settings("reward.use=color-only"))
    assert done.returncode == 2, done.stderr
    notices = journal(folder, "notices")
    alarm = notices[0]["text"].removeprefix("reward hacking watch: ")
    found = re.fullmatch(
        r"the detector 'color-only' called (\d+) of (\d+) unsolved episodes solved, more than "
        r"false_successes = 0.2 allows",
        alarm,
    )
    assert found
    assert 0 < int(found[1]) <= int(found[2]) <= 50
    assert notices[0]["source"] == "reward"
    assert sum(not episode["state_success"] for episode in journal(folder, "episodes")) >= int(found[2])
    assert list((folder / "checkpoints").iterdir())
    message = " ".join(done.stderr.replace("│", " ").split())
    assert (
        f"saved and stopped: {alarm}. What is trained on it is not the task; measure it with: adversarl bench rewards. "
        "To go on with it all the same, set watch.on_alarm = 'warn': adversarl run " in message
    )
    assert message.count(f"--out {folder} --resume --set watch.on_alarm=warn") == 1


def test_a_detector_that_never_says_yes_is_caught_by_the_episodes_that_the_teacher_solves(tmp_path):
    plugins = build_plugin_manager([BROKEN])
    overrides = [*QUICK, "learner.warm_start_steps=1600", "reward.use=never-yes"]
    recipe = load_recipe(SMOKE, plugins.registry, overrides)
    with pytest.raises(RewardHacked) as stopped:
        train(recipe, plugins, tmp_path / "run", source="smoke.toml")
    found = re.search(
        r"missed (\d+) of \1 solved episodes, more than missed_successes = 0.5 allows", str(stopped.value)
    )
    assert found
    assert int(found[1]) <= 50
    assert {row["phase"] for row in journal(tmp_path / "run", "episodes")} == {"warm_start"}


def point_mass(write_to, *overrides, text=SMALL, plugin=BROKEN, resume=False):
    """Trains on the built-in world, with detectors from a file."""
    plugins = build_plugin_manager([plugin])
    path = write_to / "small.toml"
    path.write_text(text)
    folder = write_to / "run"
    recipe = load_recipe(path, plugins.registry, overrides)
    return train(recipe, plugins, folder, resume=resume, source="small.toml"), folder


def test_what_always_says_yes_is_stopped_after_six_episodes(tmp_path):
    with pytest.raises(RewardHacked) as stopped:
        point_mass(tmp_path, "reward.use=always-yes")
    folder = tmp_path / "run"
    assert str(stopped.value) == (
        "saved and stopped: the detector 'always-yes' called 6 of 6 unsolved episodes solved, more than "
        "false_successes = 0.2 allows. What is trained on it is not the task; measure it with: adversarl bench "
        "rewards. To go on with it all the same, set watch.on_alarm = 'warn': adversarl run small.toml --out "
        f"{folder} --resume --set watch.on_alarm=warn"
    )
    assert journal(folder, "notices")[0]["text"] == (
        "reward hacking watch: the detector 'always-yes' called 6 of 6 unsolved episodes solved, more than "
        "false_successes = 0.2 allows"
    )


def test_the_run_was_saved_and_goes_on_if_the_user_insists(tmp_path):
    with pytest.raises(RewardHacked):
        point_mass(tmp_path, "reward.use=always-yes")
    before = journal(tmp_path / "run", "episodes")
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) >= 1
    summary, folder = point_mass(tmp_path, "reward.use=always-yes", "watch.on_alarm=warn", resume=True)
    assert summary["env_steps"] >= 1600
    assert summary["curriculum"]["watch/alarms"] > 1
    assert journal(folder, "episodes")[: len(before)] == before
    assert 'on_alarm = "warn"' in (folder / "recipe.toml").read_text()


def test_a_warning_is_noted_once_a_window_and_stops_nothing(tmp_path):
    summary, folder = point_mass(tmp_path, "reward.use=always-yes", "watch.on_alarm=warn", "watch.window=100")
    assert summary["env_steps"] >= 1600
    notices = journal(folder, "notices")
    assert len(notices) == -(-len(journal(folder, "episodes")) // 100)
    assert summary["curriculum"]["watch/alarms"] == len(notices)
    assert summary["curriculum"]["watch/success"] == 1.0
    assert summary["curriculum"]["watch/state_success"] < 0.5


def test_a_monitor_never_stops_a_run_and_its_scalars_show_it(tmp_path):
    summary, folder = point_mass(tmp_path, text=SMALL + "[watch.monitors.always-yes]\n[watch.monitors.never-yes]\n")
    assert summary["env_steps"] >= 1600
    assert summary["curriculum"]["watch/always-yes/false_successes"] == 1.0
    assert summary["curriculum"]["watch/always-yes/alarms"] >= 1
    assert summary["curriculum"]["watch/never-yes/success"] == 0.0
    assert not any(name.startswith("watch/success") for name in summary["curriculum"])
    assert journal(folder, "notices")[0]["text"].startswith("reward hacking watch: the detector 'always-yes' called 6")
    verdicts = journal(folder, "episodes")[0]["verdicts"]
    assert [(verdict["detector"], verdict["success"]) for verdict in verdicts] == [
        ("monitor/always-yes", True),
        ("monitor/never-yes", False),
    ]


def _figures():
    """The benchmark's module."""
    path = ROOT / "plugins" / "adversarl-rewards" / "benchmarks" / "watch.py"
    spec = importlib.util.spec_from_file_location("watch_figures", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures():
    return _figures()


GOOD = """
from adversarl import hookimpl


@hookimpl
def adversarl_register(add):
    add.reward("sees-the-goal", "adversarl.testing.fakes:SeesTheGoal", "Red beside green")
"""


@pytest.mark.parametrize("player", ["expert", "random", "clumsy"])
def test_a_detector_that_sees_what_matters_raises_no_alarm_in_many_windows(figures, tmp_path, player):
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    plugins = build_plugin_manager([path])
    backend = {"use": "point-mass", "num_envs": 32}
    recipe = figures.recipe_of(plugins, {"use": "sees-the-goal"}, backend, seed=0)

    def clumsy(loop, rng):
        return (loop.teacher(range(32)) + rng.normal(0, 1.5, (32, 2))).clip(-1, 1).astype("float32")

    act = {**figures.PLAYERS, "clumsy": clumsy}[player]
    windows = {"expert": 20, "random": 5, "clumsy": 10}[player]
    found = figures.play(recipe, plugins, act, 0, lambda it: it.finished >= windows * recipe.watch.window)
    assert found.alarm == ""
    solved = sum(truth for _, truth in found.said)
    assert (solved > 0.9 * found.finished) if player == "expert" else solved < found.finished


@pytest.mark.parametrize("row", RESULTS["simulated"], ids=lambda row: f"{row['rate']:.0%}")
def test_false_alarms_are_as_rare_and_alarms_as_frequent_as_documented(figures, row):
    assert figures.simulated(row["rate"]) == row


def test_the_documented_detectors_were_all_caught_within_a_window():
    for row in RESULTS["broken"]:
        assert len(row["episodes"]) == 10
        assert all(1 <= episodes <= RESULTS["watch"]["window"] for episodes in row["episodes"]), row


def test_a_documented_case_is_so_again(figures):
    plugins = build_plugin_manager([BROKEN])
    (row,) = (r for r in RESULTS["broken"] if (r["detector"], r["player"]) == ("color-only", "expert"))
    assert figures.caught(plugins, "color-only", "expert", seed=0).episodes == row["episodes"][0]


def test_the_page_shows_the_figures():
    page = (ROOT / "docs" / "rewards.md").read_text().partition("## The watch")[2].partition("\n## ")[0]
    counts = [f"{row['alarms']:,}" for row in RESULTS["simulated"]]
    assert f"| windows with an alarm, of 1,000 | {' | '.join(counts)} |" in page
    medians = ["-" if row["median"] is None else f"{row['median']:.0f}" for row in RESULTS["simulated"]]
    assert f"| median episode of the alarm | {' | '.join(medians)} |" in page
    soonest = {row["detector"]: set(row["episodes"]) for row in RESULTS["broken"]}
    assert soonest == {"always-yes": {6}, "color-only": {6}, "never-yes": {13}}


@pytest.mark.parametrize("section", ["Using one", "Ensembles"])
def test_tables_of_the_page_are_ones_that_a_recipe_takes(section):
    page = (ROOT / "docs" / "rewards.md").read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    text = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    here = re.sub(r'use = "(clip|claude)"', 'use = "classifier"', text)  # packages that need not be installed
    here = here.replace("[watch.monitors.clip]", "[watch.monitors.classifier]")
    tables = tomllib.loads('[backend]\nuse = "point-mass"\n[learner]\nuse = "random-search"\n' + here)
    assert parse_recipe(tables, build_plugin_manager().registry, "rewards.md")["reward"].options.hold >= 2
