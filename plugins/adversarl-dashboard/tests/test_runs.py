import fcntl
import json
import os
import time

import pytest
from adversarl_dashboard.readers.comparison import axes_of, differing, outcome, robustness
from adversarl_dashboard.readers.runs import Library, Run, find_runs, locked, state_of


@pytest.fixture
def run(runs):
    return runs / "first"


@pytest.fixture
def held(run):
    with (run / "lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield run


def test_a_run_with_a_summary_is_finished(run):
    assert state_of(run) == "finished"


def test_a_run_whose_lock_is_held_is_training_and_evaluating_when_no_episode_comes(held):
    newest = (held / "metrics.jsonl").stat().st_mtime
    assert state_of(held, now=newest + 1) == "training"
    assert state_of(held, now=newest + 60) == "evaluating"


def test_a_run_whose_journals_are_all_saved_has_stopped(run):
    (run / "summary.json").unlink()
    assert state_of(run) == "stopped"


def test_a_run_that_wrote_more_than_its_checkpoint_knows_is_dead(run):
    (run / "summary.json").unlink()
    with (run / "episodes.jsonl").open("a") as file:
        file.write('{"cut')
    assert state_of(run) == "dead"


def test_a_summary_that_is_older_than_the_episodes_does_not_count(run):
    later = (run / "summary.json").stat().st_mtime + 100
    with (run / "episodes.jsonl").open("a") as file:
        file.write("{}\n")
    os.utime(run / "episodes.jsonl", (later, later))
    assert state_of(run) == "dead"


def test_looking_at_a_lock_leaves_it_free(run):
    (run / "lock").write_text(str(os.getpid()))
    assert not locked(run / "lock")
    with (run / "lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_that_names_no_process_is_free(run):
    for text in ("", "nobody", "4194304999"):
        (run / "lock").write_text(text)
        assert not locked(run / "lock")


def test_runs_are_found_in_the_folder_in_benchmarks_and_where_the_folder_is_one(made, runs):
    os.renames(runs / "second", runs / "bench" / "runs" / "adaptive-0")
    (runs / ".hidden").mkdir()
    (runs / ".hidden" / "recipe.toml").touch()
    assert [name for name, _ in find_runs(runs)] == ["bench/runs/adaptive-0", "first"]
    assert [name for name, _ in find_runs(made)] == [made.name]
    assert list(find_runs(runs / "missing")) == []


def test_the_library_shows_the_newest_first_and_keeps_what_it_read(runs):
    now = time.time()
    for name, age in (("first", 0), ("second", 100)):
        for path in (runs / name).glob("*.*"):
            os.utime(path, (now - age, now - age))
        os.utime(runs / name / "lock", (now - 200, now - 200))
    library = Library(runs)
    first, second = library.runs()
    assert (first.name, second.name) == ("first", "second")
    assert library.runs()[0] is first


def test_a_run_says_what_its_journals_say(run):
    looked = Run(run, "first")
    rows = [json.loads(line) for line in (run / "episodes.jsonl").read_text().splitlines()]
    assert looked.recent == (sum(row["success"] for row in rows[-100:]), 100)
    assert looked.env_steps >= rows[-1]["env_steps"]
    assert looked.total_steps == 6000
    assert (looked.used("backend"), looked.used("evaluation")) == ("point-mass", "robustness")
    prompts = [json.loads(line) for line in (run / "curriculum.jsonl").read_text().splitlines()]
    assert looked.last("curriculum", 3) == prompts[-3:]


def test_costs_are_the_last_scalars_and_the_sum_of_claudes_answers(run):
    looked = Run(run, "first")
    assert looked.costs == {}
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"env_steps": 1, "odyssey/cost_usd": 0.5}\n{"env_steps": 2, "odyssey/cost_usd": 0.75}\n')
    (run / "claude.jsonl").write_text('{"asked": 1}\n{"id": 1, "cost_usd": 0.25}\n')
    assert looked.costs == {"odyssey/cost_usd": 0.75, "claude.jsonl": 0.25}
    with (run / "claude.jsonl").open("a") as file:
        file.write('{"id": 2, "cost_usd": 0.5}\n')
    assert looked.costs["claude.jsonl"] == 0.75


def test_recipes_differ_where_a_key_has_another_value_or_is_missing():
    first = {"run": {"seed": 0, "name": "a"}, "backend": {"task": {"type": "pick"}}}
    second = {"run": {"seed": 0, "name": "a"}, "backend": {"task": {"type": "place"}, "axes": ["fog"]}}
    assert differing({"x": first, "y": second}) == [
        {"key": "backend.task.type", "x": "pick", "y": "place"},
        {"key": "backend.axes", "x": "", "y": '["fog"]'},
    ]
    assert differing({"x": first, "y": first}) == []


def test_the_robustness_curve_is_the_one_of_the_summary(run):
    looked = Run(run, "first")
    summary = json.loads((run / "summary.json").read_text())
    assert robustness(looked, "mixed") == [
        {key: point[key] for key in ("intensity", "value", "low", "high", "n")} for point in summary["robustness_curve"]
    ]
    assert axes_of([looked])[0] == "mixed"
    row = outcome(looked)
    assert row["auc"] == pytest.approx(summary["robustness_auc"]["value"], abs=0.0005)
    assert row["nominal_interval"].endswith("%")


def test_spoilt_folders_are_runs_that_know_little(spoilt):
    for run in Library(spoilt).runs():
        run.episodes.refresh()
        row = outcome(run)
        assert row["state"] != "training", run.name
        assert row["auc"] is None, run.name
        assert robustness(run, "mixed") == [] or run.name == "half"
        assert run.costs == {}
