"""Whole runs whose steps Claude scores, or watches: they stop or go on as they should, and repeat after a kill."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
import zlib
from contextlib import closing

import looking_server as looking
import messages_server as api
import pytest

from adversarl.assembly import make
from adversarl.errors import Exhausted
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import load_recipe
from adversarl.runs import JOURNALS, latest_checkpoint, read_json, read_rows
from adversarl.testing.killing import kill_in_training
from adversarl.training import train

RECIPE = """
[run]
name = "looking"
total_steps = {steps}
checkpoint_every = 100

[backend]
use = "point-mass"
num_envs = 2
image_size = 16
max_episode_steps = 20

[learner]
use = "random-search"
directions = 2

[evaluation]
episodes = 2
intensities = [1.0]

[watch]
on_alarm = "warn"

[{table}]
use = "claude"
base_url = "{url}"
every = 10
delay = 5
max_retries = 0
timeout_s = 60.0
{more}
"""


def write(folder, server, *, table="reward", steps=300, more=""):
    folder.mkdir(exist_ok=True)
    text = RECIPE.format(url=server.url, table=table, steps=steps, more=more)
    (folder / "looking.toml").write_text(text)
    return folder / "looking.toml"


def run(recipe, **options):
    plugins = build_plugin_manager()
    train(load_recipe(recipe, plugins.registry), plugins, recipe.parent / "run", **options)
    return recipe.parent / "run"


def test_what_claude_calls_solved_ends_an_episode(tmp_path, serve):
    folder = run(write(tmp_path, serve(default=looking.look)))
    episodes = read_rows(folder / "episodes.jsonl")
    found = [row for row in episodes if row["phase"] == "train" and row["success"]]
    assert found
    assert {row["truncated"] for row in found} == {False}
    assert all(row["verdicts"][0]["reason"].startswith("something red at") for row in found)
    summary = read_json(folder / "summary.json")["curriculum"]
    assert summary["reward/calls"] > 5
    assert 0 < summary["reward/cost_usd"] < 1


def test_without_a_key_a_run_that_claude_rewards_is_saved_and_stops(tmp_path, serve, monkeypatch, key):
    server = serve(default=looking.look)
    recipe = write(tmp_path, server)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(Exhausted, match=r"saved and stopped: ANTHROPIC_API_KEY is not set, .* --resume"):
        run(recipe)
    assert server.requests == []
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    folder = run(recipe, resume=True)
    assert read_json(folder / "summary.json")["curriculum"]["reward/calls"] > 5


def test_a_run_that_spends_its_budget_stops_and_goes_on_with_a_higher_one(tmp_path, serve):
    server = serve(default=looking.look)
    recipe = write(tmp_path, server, more="max_cost_usd = 0.003")
    with pytest.raises(Exhausted, match=r"of max_cost_usd = 0\.003 USD are spent.* Set a higher max_cost_usd\. When"):
        run(recipe)
    asked = len(server.requests)
    folder = run(write(tmp_path, server, more="max_cost_usd = 1.0"), resume=True)
    assert len(server.requests) > asked > 2
    summary = read_json(folder / "summary.json")["curriculum"]
    assert summary["reward/calls"] == len(server.requests)
    assert summary["reward/cost_usd"] > 0.001


def test_a_monitor_that_spends_its_budget_abstains_and_the_run_goes_on(tmp_path, serve):
    server = serve(default=looking.look)
    folder = run(write(tmp_path, server, table="watch.monitors.claude", more="max_cost_usd = 0.003"))
    summary = read_json(folder / "summary.json")
    assert summary["env_steps"] >= 300
    assert summary["curriculum"]["monitor/claude/unsure"] > 0.3
    assert summary["curriculum"]["monitor/claude/cost_usd"] < 0.003
    (notice,) = [row["text"] for row in read_rows(folder / "notices.jsonl") if "max_cost_usd" in row["text"]]
    assert notice.endswith("Set a higher max_cost_usd. The detector abstains")


def test_a_run_goes_on_through_faults_and_no_file_holds_the_key(tmp_path, serve, key, caplog):
    faults = [*looking.FAULTS.values(), api.SERVER_ERROR, api.no_message, api.cut]
    server = serve(looking.look, *faults, looking.look, api.unauthorized, default=looking.look)
    before = set(threading.enumerate())
    recipe = write(tmp_path, server, table="watch.monitors.claude", steps=600)
    with caplog.at_level(logging.DEBUG):
        folder = run(recipe)
    assert len(server.requests) == len(faults) + 3
    notices = " ".join(row["text"] for row in read_rows(folder / "notices.jsonl"))
    for words in ("rate limit", "overloaded", "cannot be used", "the service failed", "HTTP 401"):
        assert words in notices
    assert caplog.records
    assert key not in caplog.text
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or key.encode() not in path.read_bytes(), path
    assert {t for t in set(threading.enumerate()) - before if "process_request" not in t.name} == set()


def test_a_slow_service_does_not_hold_the_loop_up_before_its_answers_are_due(tmp_path, serve):
    go_on = threading.Event()

    def held(handler, request):
        go_on.wait(60.0)
        looking.look(handler, request)

    server = serve(default=held)
    more = "progress = 0.0"
    with closing(make(write(tmp_path, server, more=more))) as loop:
        loop.reset(seed=0)
        for _ in range(14):  # the first look is at step 10, its answer due at step 15
            loop.step(loop.action_space.sample())
        assert loop.env_steps == 14 * 2
        assert loop.scalars()["reward/calls"] == 0
        go_on.set()
        loop.step(loop.action_space.sample())
        assert loop.scalars()["reward/calls"] == 1


def command(*options):
    return [
        sys.executable,
        "-W",
        "error",
        "-c",
        "from adversarl.cli import main; main()",
        "run",
        "looking.toml",
        *options,
    ]


def start(folder, *options):
    return subprocess.Popen(command(*options), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out + err


def by_content(handler, request):
    """Looks; fails and answers in words by the question alone."""
    number = zlib.crc32(json.dumps(request["messages"]).encode()) % 7
    {0: api.SERVER_ERROR, 1: looking.too_few}.get(number, looking.look)(handler, request)


def journal(folder, name):
    """Rows of a journal, without what a detector in the background has measured of itself so far."""
    return [
        {k: v for k, v in row.items() if not k.startswith("reward/")} for row in read_rows(folder / f"{name}.jsonl")
    ]


def test_a_killed_and_resumed_run_is_the_same_and_pays_nothing_twice(tmp_path, serve):
    whole, killed = serve(default=by_content), serve(default=by_content)
    steps = 1_600
    write(tmp_path / "whole", whole, steps=steps)
    write(tmp_path / "killed", killed, steps=steps)
    uninterrupted = start(tmp_path / "whole", "--out", "run")
    there = tmp_path / "killed"
    kill_in_training(start(there, "--out", "run"), there / "run", 200)
    kill_in_training(start(there, "--out", "run", "--resume"), there / "run", 600)
    finish(start(there, "--out", "run", "--resume"))
    finish(uninterrupted)
    for name in JOURNALS:
        assert journal(there / "run", name) == journal(tmp_path / "whole" / "run", name), name
    asked = [json.dumps(request) for request in killed.requests]
    expected = [json.dumps(request) for request in whole.requests]
    assert set(asked) == set(expected)
    assert len(expected) > 50
    assert 0 <= len(asked) - len(expected) <= 2 * 4  # what was on its way when it was killed


def test_ctrl_c_saves_while_a_question_is_on_its_way(tmp_path, serve):
    server = serve(*[looking.look] * 10, default=looking.slow)
    write(tmp_path, server, steps=1_000_000)
    process = start(tmp_path, "--out", "run")
    while len(server.requests) < 20 or latest_checkpoint(tmp_path / "run") is None:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert "stopped and saved" in err
    assert "Traceback" not in err
