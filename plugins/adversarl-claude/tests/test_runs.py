"""Whole runs with a service that fails in every way: they finish, say what happened, and lose nothing."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import zlib

import messages_server as api

from adversarl.plugins import build_plugin_manager
from adversarl.recipe import load_recipe
from adversarl.runs import JOURNALS, latest_checkpoint, read_json, read_rows
from adversarl.testing.killing import kill_in_training
from adversarl.training import train

RECIPE = """
[run]
name = "asking"
total_steps = {steps}
checkpoint_every = 1_000

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 20

[failure]
use = "{failure}"
report_every = 5
{more}

[learner]
use = "random-search"
directions = 2

[evaluation]
episodes = 2
intensities = [1.0]

[curriculum]
use = "claude"
base_url = "{url}"
fallback = {{ use = "static", prompts = ["shift the camera at 30 %"] }}
ask_every = 3
timeout_s = 1.5
deadline_s = 3.9
stale_after = 4
frames = 1
{options}
"""

GOOD = api.answer(api.plan(api.item("dim the light at 40 %"), api.item("shake the controls at 20 %")))
BAD = api.answer(api.plan(api.item("summon a gremlin")))
SCHEMA = api.answer(api.plan({"prompt": 5}))
IN_TURN = {
    "HTTP 429": [api.RATE_LIMIT] * 2,
    "HTTP 529": [api.OVERLOADED] * 2,
    "HTTP 500": [api.SERVER_ERROR] * 2,
    "Expecting value": [api.malformed],
    "something else than an answer: content": [api.no_message],
    "was not called": [api.words] * 2,
    "prompt: Input should be a valid string": [SCHEMA] * 2,
    "not understood: 'summon'": [BAD] * 2,
    "no answer within timeout_s": [api.slow] * 2,
    "no answer within deadline_s": [api.drip],
    "connection was lost": [api.cut] * 2,
    "HTTP 401": [api.unauthorized],
}


def script():
    """Every failure, each after an answer that can be used."""
    return [behavior for failures in IN_TURN.values() for behavior in (GOOD, *failures)]


def write(folder, server, *, steps=6_000, failure="none", more="", options="max_retries = 1\napply_after = 1"):
    text = RECIPE.format(url=server.url, steps=steps, failure=failure, more=more, options=options)
    (folder / "asking.toml").write_text(text)


def assert_nothing_is_lost(folder):
    """All episodes are there, all but the clean ones with a prompt, and what went wrong is told."""
    episodes = read_rows(folder / "episodes.jsonl")
    indices = sorted(row["index"] for row in episodes)
    assert len(indices) == len(set(indices)) > 150
    assert set(range(max(indices))) - set(indices) <= set(range(max(indices) - 8, max(indices)))
    prompted = {row["episode"] for row in read_rows(folder / "curriculum.jsonl")}
    asked = {row["index"] for row in episodes if not row["clean"]}
    assert asked <= prompted
    assert not prompted & {row["index"] for row in episodes if row["clean"]}
    assert not any(row["not_understood"] for row in read_rows(folder / "curriculum.jsonl"))
    notices = " ".join(row["text"] for row in read_rows(folder / "notices.jsonl"))
    assert [words for words in IN_TURN if words not in notices] == []
    summary = read_json(folder / "summary.json")
    assert summary["env_steps"] >= 6_000
    assert summary["curriculum"]["claude/errors"] == 9
    assert summary["curriculum"]["claude/proposed"] > 20
    assert summary["curriculum"]["claude/proposed_by_fallback"] > 5
    assert 0 < summary["curriculum"]["claude/cost_usd"] < 5


def assert_nowhere(key, folder):
    for path in folder.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_a_run_survives_a_service_that_fails_in_every_way(tmp_path, serve, key, caplog):
    before = set(threading.enumerate())
    write(tmp_path, server := serve(*script(), default=api.unauthorized))
    plugins = build_plugin_manager()
    with caplog.at_level(logging.DEBUG):
        train(load_recipe(tmp_path / "asking.toml", plugins.registry), plugins, tmp_path / "run")
    assert len(server.requests) == len(script())
    assert_nothing_is_lost(tmp_path / "run")
    assert caplog.records
    assert key not in caplog.text
    assert_nowhere(key, tmp_path)
    left = {thread for thread in set(threading.enumerate()) - before if thread.name == "adversarl-claude"}
    assert left == set()


def command(*options):
    return [
        sys.executable,
        "-W",
        "error",
        "-c",
        "from adversarl.cli import main; main()",
        "run",
        "asking.toml",
        *options,
    ]


def start(folder, *options):
    env = {**os.environ, "COLUMNS": "300"}
    return subprocess.Popen(
        command(*options), cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out + err


def test_the_same_from_the_command_line(tmp_path, serve, key):
    write(tmp_path, serve(*script(), default=api.unauthorized))
    said = finish(start(tmp_path, "--out", "run"))
    assert_nothing_is_lost(tmp_path / "run")
    assert key not in said
    assert "Claude gave no usable answer at episode" in said
    assert_nowhere(key, tmp_path)


def by_content(handler, request):
    """Answers that depend on the question alone: looks, plans, half-understood plans, and failures."""
    number = zlib.crc32(json.dumps(request["messages"]).encode())
    if request["tools"][0]["name"] == "describe_failures":
        pictures = sum(block["type"] == "image" for block in request["messages"][0]["content"])
        handler.reply(200, api.call("describe_failures", {"looks": [look(n, number) for n in range(pictures)]}))
    elif number % 5 == 0:
        api.SERVER_ERROR(handler, request)
    else:
        items = [api.item(f"dim the light at {5 + 5 * (number % 13)} %"), api.item("shake the controls at 20 %", 0.5)]
        gremlin = [api.item("summon a gremlin")] if number % 5 == 1 else []
        handler.reply(200, api.plan(*items, *gremlin))


def look(picture, number):
    kind = ("missed", "dropped", "occluded")[(number + picture) % 3]
    return {"picture": picture + 1, "kind": kind, "confidence": 0.9, "shows": "a dot", "axes": ["brightness"]}


def test_a_killed_and_resumed_run_is_the_same_to_the_last_byte(tmp_path, serve):
    whole, killed = serve(default=by_content), serve(default=by_content)
    repeatable = "max_retries = 0\napply_after = 4"
    own = f'base_url = "{whole.url}"\n{repeatable}'
    write(tmp_path, whole, steps=4_000, failure="claude", more=own, options=repeatable)
    uninterrupted = start(tmp_path, "--out", "whole")
    (tmp_path / "killed").mkdir()
    text = (tmp_path / "asking.toml").read_text().replace(whole.url, killed.url)
    (tmp_path / "killed" / "asking.toml").write_text(text)
    kill_in_training(start(tmp_path / "killed", "--out", "run"), tmp_path / "killed" / "run", 1_000)
    kill_in_training(start(tmp_path / "killed", "--out", "run", "--resume"), tmp_path / "killed" / "run", 2_000)
    finish(start(tmp_path / "killed", "--out", "run", "--resume"))
    finish(uninterrupted)
    for journal in JOURNALS:
        files = [folder / f"{journal}.jsonl" for folder in (tmp_path / "killed" / "run", tmp_path / "whole")]
        assert files[0].read_bytes() == files[1].read_bytes(), journal
    asked = [json.dumps(request) for request in killed.requests]
    assert len(set(asked)) == len({json.dumps(request) for request in whole.requests}) > 10
    assert len(asked) - len(set(asked)) <= 4


def test_ctrl_c_saves_while_a_question_is_on_its_way(tmp_path, serve):
    server = serve(default=api.slow)
    write(tmp_path, server, steps=1_000_000, options="")
    process = start(tmp_path, "--out", "run")
    while not server.requests or latest_checkpoint(tmp_path / "run") is None:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "stopped and saved" in err
    assert "Traceback" not in err
