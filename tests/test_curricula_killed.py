"""Every curriculum, killed in the middle: the resumed run asks the world for the same, to the last byte.

Of `claude`, whose answers come over a network, the package adversarl-claude shows the same.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from adversarl.runs import JOURNALS, read_json, read_rows
from adversarl.testing.killing import kill_in_training

RECIPE = """
[run]
name = "killed"
total_steps = 9_000
checkpoint_every = 1_500

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 30

[failure]
use = "statistics"
report_every = 10

[learner]
use = "random-search"
directions = 4

[evaluation]
episodes = 2
intensities = [1.0]

[curriculum]
"""

CURRICULA = {
    "none": 'use = "none"',
    "uniform": 'use = "uniform"',
    "static": 'use = "static"\nper_episode = 2',
    "random-prompts": 'use = "random-prompts"',
    "rules": 'use = "rules"',
    "learnability": 'use = "learnability"',
    "adr": 'use = "adr"',
    "plr": 'use = "plr"',
    "adversary": 'use = "adversary"',
    "progressive": 'use = "progressive"',
    "sequence": 'use = "sequence"\nstages = [{ use = "uniform", episodes = 150 }, { use = "rules" }]',
    "mix": 'use = "mix"\nparts = [{ use = "rules", share = 0.5 }, { use = "learnability", share = 0.5 }]',
    "rules, guarded by the teacher": 'use = "rules"\nguard = "teacher"\ntogether_start = 0.8',
}


def run(folder, *options):
    command = [sys.executable, "-c", "from adversarl.cli import main; main()", "run", "killed.toml", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err


def test_every_curriculum_is_killed_here(registry):
    assert set(registry.names("curriculum")) - {"claude", "replay"} <= set(CURRICULA)


@pytest.mark.parametrize("name", CURRICULA)
def test_a_killed_and_resumed_run_asks_for_the_same_to_the_last_byte(name, tmp_path):
    (tmp_path / "killed.toml").write_text(RECIPE + CURRICULA[name])
    whole = run(tmp_path, "--out", "whole")
    kill_in_training(run(tmp_path, "--out", "run"), tmp_path / "run", 3_000)
    finish(run(tmp_path, "--out", "run", "--resume"))
    finish(whole)
    for journal in JOURNALS:
        files = [tmp_path / folder / f"{journal}.jsonl" for folder in ("run", "whole")]
        assert files[0].read_bytes() == files[1].read_bytes(), journal
    summaries = [read_json(tmp_path / folder / "summary.json") for folder in ("run", "whole")]
    for key in ("env_steps", "trial_env_steps", "episodes", "curriculum", "robustness_auc"):
        assert summaries[0][key] == summaries[1][key], key
    rows = read_rows(tmp_path / "whole" / "curriculum.jsonl")
    assert bool(rows) == (name != "none")


def test_a_replayed_run_asks_for_the_same_to_the_last_byte(tmp_path):
    (tmp_path / "killed.toml").write_text(RECIPE + CURRICULA["rules"])
    finish(run(tmp_path, "--out", "first"))
    (tmp_path / "killed.toml").write_text(RECIPE + 'use = "replay"\nfile = "first/curriculum.jsonl"')
    kill_in_training(run(tmp_path, "--out", "again"), tmp_path / "again", 3_000)
    finish(run(tmp_path, "--out", "again", "--resume"))
    for journal in ("curriculum", "episodes", "reports"):
        files = [tmp_path / folder / f"{journal}.jsonl" for folder in ("first", "again")]
        assert files[0].read_bytes() == files[1].read_bytes(), journal
