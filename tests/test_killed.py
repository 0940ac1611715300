"""A run that dies, as a real process: nothing is lost, nothing is doubled, and the future is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adversarl.runs import JOURNALS, read_json, read_rows
from adversarl.testing.killing import kill_in_training, wait_until_training

RECIPE = """
[run]
name = "killed"
total_steps = 40_000
checkpoint_every = 2_000

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 30

[failure]
use = "none"
report_every = 10

[curriculum]
use = "shaky"

[learner]
use = "random-search"
directions = 4

[evaluation]
episodes = 4
intensities = [0.0, 1.0]
"""

PLUGIN = """
from adversarl import hookimpl
from adversarl.interfaces.curriculum import CurriculumStrategy
from adversarl.types import Proposal

PROMPTS = ("dim the light", "shake the controls", "recolor the goal and shift the camera", "summon a gremlin")

class Shaky(CurriculumStrategy):
    '''Draws prompts and onsets at random, and counts the episodes it was shown.'''

    shown = 0

    def propose(self, slot, report):
        text = PROMPTS[self.rng.integers(len(PROMPTS))]
        return [Proposal(text, f"after {self.shown} episodes", onset=int(self.rng.integers(20)), duration=5)]

    def observe(self, episode):
        self.shown += 1

    def state_dict(self):
        return {"shown": self.shown}

    def load_state_dict(self, state):
        self.shown = state["shown"]

@hookimpl
def adversarl_register(add):
    add.curriculum("shaky", f"{__name__}:Shaky", "Random prompts.")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "killed.toml").write_text(RECIPE)
    (tmp_path / "shaky.py").write_text(PLUGIN)
    return tmp_path


def command(*options):
    main = "from adversarl.cli import main; main()"
    return [sys.executable, "-c", main, "run", "killed.toml", "--plugin", "shaky.py", *options]


def start(folder: Path, *options):
    return subprocess.Popen(
        command(*options),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
    )


def finish(folder, *options):
    result = subprocess.run(
        command(*options),
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
        check=False,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def kill(folder, run, step, *options):
    kill_in_training(start(folder, "--out", str(run), *options), run, step)


def assert_same_run(run, whole):
    for name in JOURNALS:
        assert (run / f"{name}.jsonl").read_bytes() == (whole / f"{name}.jsonl").read_bytes(), name
    indices = [row["index"] for row in read_rows(run / "episodes.jsonl")]
    assert len(indices) == len(set(indices))
    a, b = read_json(run / "summary.json"), read_json(whole / "summary.json")
    for key in ("env_steps", "episodes", "nominal_success", "robustness_auc", "warm_start_robustness_auc"):
        assert a[key] == b[key], key
    assert a["env_steps"] == 40_000


def test_kill_9_twice_and_resume_is_the_same_run_to_the_last_byte(folder):
    finish(folder, "--out", "whole")
    kill(folder, folder / "run", 0)
    kill(folder, folder / "run", 4000, "--resume")
    finish(folder, "--out", "run", "--resume")
    assert_same_run(folder / "run", folder / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(folder, number):
    finish(folder, "--out", "whole")
    process = start(folder, "--out", "run")
    wait_until_training(process, folder / "run", 2000)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "stopping at the next safe point" in out
    line = "stopped and saved. Go on with: adversarl run killed.toml --plugin shaky.py --out run --resume"
    assert line in err
    assert not (folder / "run" / "summary.json").exists()
    finish(folder, "--out", "run", "--resume")
    assert_same_run(folder / "run", folder / "whole")
