import json
import os
import signal
import subprocess
import sys
import time

import pytest
from adversarl_odyssey.bank.store import Bank
from adversarl_odyssey.goal_pictures import goal_folder, goal_video
from adversarl_odyssey.pure_options import OdysseyOptions
from typer.testing import CliRunner

from adversarl.cli.app import build_app

RECIPE = """
[run]
total_steps = 100
[backend]
use = "odyssey-batch"
axes = ["light-intensity"]
client = "thin"
retries = 1
levels = [1.0]
seconds = 1
[learner]
use = "random-search"
[evaluation]
episodes = 1
intensities = [0.0, 1.0]
"""
PATIENCE_S = 60.0


@pytest.fixture
def bank(tmp_path):
    return Bank(tmp_path / "bank")


@pytest.fixture
def command(emulator, tmp_path):
    """``command(*words)`` runs ``adversarl odyssey bank`` on a recipe."""
    (tmp_path / "recipe.toml").write_text(RECIPE)

    def words(*more):
        return [
            "odyssey",
            "bank",
            str(tmp_path / "recipe.toml"),
            "--out",
            str(tmp_path / "bank"),
            "--poll",
            "0.1",
            *more,
        ]

    def run(*more):
        return CliRunner().invoke(build_app(), words(*more))

    run.words = words
    return run


def start(command, *more):
    program = [sys.executable, "-m", "adversarl", *command.words(*more)]
    environment = os.environ | {"COLUMNS": "400"}
    return subprocess.Popen(
        program, text=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def wait_for(process, folder, status):
    """Waits until some entry of a bank has a status."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        if (folder / "manifest.json").exists():
            entries = json.loads((folder / "manifest.json").read_text())["videos"].values()
            if any(entry["status"] == status for entry in entries):
                return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def jobs_of(bank):
    return sorted(entry.job_id for entry in bank.entries.values())


def test_the_command_says_what_it_costs_before_it_begins(command, tmp_path):
    result = command("--dry-run", "--goal", "--prompt", "it snows")
    assert result.exit_code == 0, result.output
    assert "4 videos" in result.output
    assert "4 are missing" in result.output
    assert "to pay: 4 s" in result.output
    assert not (tmp_path / "bank").exists()


def test_the_command_makes_what_is_missing_and_nothing_twice(command, bank):
    assert command().exit_code == 0
    jobs = jobs_of(Bank(bank.folder))
    again = command("--json")
    assert again.exit_code == 0
    assert json.loads(again.output)["done"] == 2
    assert jobs_of(Bank(bank.folder)) == jobs
    assert command("--only-prompts", "--prompt", "it snows").exit_code == 0
    assert len(Bank(bank.folder).entries) == 3


def test_a_ceiling_that_is_too_low_stops_before_anything_is_paid(command, tmp_path):
    result = command("--set", "backend.max_cost_usd=0.0001")
    assert "max_cost_usd is 0.0001" in str(result.exception)
    assert not (tmp_path / "bank").exists()


def test_the_goal_of_a_world_of_streams_lies_where_it_is_looked_for(command, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "pure.toml").write_text('[backend]\nuse = "odyssey"\n[learner]\nuse = "random-search"\n')
    result = CliRunner().invoke(build_app(), ["odyssey", "bank", str(tmp_path / "pure.toml"), "--poll", "0.1"])
    assert result.exit_code == 0, result.output
    options, notices = OdysseyOptions(), []
    assert goal_video(options, notices.append, lambda seconds, why: notices.append(why)).exists()
    assert notices == []
    assert len(Bank(goal_folder(options)).entries) == 1


def test_a_video_that_was_lost_is_listed_as_wanted(command, bank):
    assert command().exit_code == 0
    lost, kept = (Bank(bank.folder).video(entry) for entry in Bank(bank.folder).entries.values())
    lost.unlink()
    result = command("--dry-run")
    assert result.output.startswith("wanted")
    assert "1 are there, 1 are missing" in result.output
    again = command()
    assert again.exit_code == 0
    assert lost.exists()
    assert kept.exists()


def test_prompts_alone_have_to_be_given(command):
    assert "nothing is wanted" in str(command("--only-prompts").exception)


def test_levels_that_are_none_are_named(command):
    for text in ("0 1", "half", "1.5"):
        assert "--levels" in str(command("--levels", text).exception)


def test_a_killed_bank_goes_on_with_the_jobs_that_it_paid_for(command, bank):
    more = [word for number in range(4) for word in ("--prompt", f"look {number}")]
    process = start(command, *more)
    wait_for(process, bank.folder, "done")
    process.kill()
    process.communicate()
    before = {e.job_id for e in Bank(bank.folder).entries.values() if e.job_id}
    assert command(*more).exit_code == 0
    found = Bank(bank.folder)
    assert before <= set(jobs_of(found))
    assert {entry.attempts for entry in found.entries.values()} == {1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_bank_says_how_to_go_on(command, bank, number):
    more = [word for index in range(30) for word in ("--prompt", f"sight {index}")]
    process = start(command, *more)
    wait_for(process, bank.folder, "running")
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2, output
    assert "go on at the service and are not paid again" in output
    assert "Go on with: adversarl odyssey bank" in output
    assert "sending" not in {entry.status for entry in Bank(bank.folder).entries.values()}
