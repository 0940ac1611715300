"""Every curriculum, killed in the middle: the resumed run asks the world for the same, to the last byte.

Of `claude`, whose answers come over a network, the package adversarl-claude shows the same.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from adversarl.runs import JOURNALS, latest_checkpoint, read_json, read_rows

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


def kill_in_the_middle(process, folder):
    """Kills a run that has gone on since a checkpoint of its training."""
    for _ in range(8000):
        assert process.poll() is None, process.communicate()
        checkpoint = latest_checkpoint(folder) if folder.exists() else None
        if checkpoint is not None and int(checkpoint.name.removeprefix("step-")) >= 3_000:
            written = (folder / "episodes.jsonl").stat().st_size
            try:
                known = read_json(checkpoint / "meta.json")["journals"]["episodes"]
            except FileNotFoundError:  # replaced by a newer one while we looked
                continue
            if written > known:
                break
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "summary.json").exists()


def test_every_curriculum_is_killed_here(registry):
    assert set(registry.names("curriculum")) - {"claude", "replay"} <= set(CURRICULA)


@pytest.mark.parametrize("name", CURRICULA)
def test_a_killed_and_resumed_run_asks_for_the_same_to_the_last_byte(name, tmp_path):
    (tmp_path / "killed.toml").write_text(RECIPE + CURRICULA[name])
    whole = run(tmp_path, "--out", "whole")
    kill_in_the_middle(run(tmp_path, "--out", "run"), tmp_path / "run")
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
    kill_in_the_middle(run(tmp_path, "--out", "again"), tmp_path / "again")
    finish(run(tmp_path, "--out", "again", "--resume"))
    for journal in ("curriculum", "episodes", "reports"):
        files = [tmp_path / folder / f"{journal}.jsonl" for folder in ("first", "again")]
        assert files[0].read_bytes() == files[1].read_bytes(), journal
