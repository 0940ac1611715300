import json
import runpy
import shutil
from pathlib import Path

import pytest
from adversarl_benchmark.reproduce import newcombe, played, read_results, reproduce, retrained

from adversarl.cli.evaluate import load_run
from adversarl.errors import AdversarlError
from adversarl.evaluate import evaluate
from adversarl.plugins import build_plugin_manager

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("report_example.py")))
SUITE = Path(__file__).with_name("points.toml")
CELL = {"condition": "baseline", "seed": 1, "curve": "brightness", "intensity": 0.5}


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """A report of one run, with the outcomes that the run's own policy has."""
    plugins = build_plugin_manager()
    out = tmp_path_factory.mktemp("reproduce")
    folder = EXAMPLE["trained"](out / "runs" / "baseline-1", plugins, seed=1)
    recipe, loop, learner = load_run(folder, plugins, [])
    cells = recipe["evaluation"].make().cells(loop.parts.world.axes, 1)
    outcomes = evaluate(learner.act, loop.parts.world, cells)
    loop.close()
    keys = {f"baseline/1/{one.axis}/{one.intensity:g}": "".join("01"[ok] for ok in one.success) for one in outcomes}
    recipes = {"baseline": EXAMPLE["RECIPE"]}
    results = {"suite": "robustness", "episodes": 6, "cells": keys, "recipes": recipes}
    return plugins, results, write(out / "report.html", results)


def write(path, results):
    text = json.dumps(results).replace("</", "<\\/")
    path.write_text(f'<html><script type="application/json" id="results">{text}</script></html>')
    return path


def test_the_runs_own_policy_agrees_episode_by_episode(benchmark):
    plugins, results, report = benchmark
    found = reproduce(report, **CELL, retrain=False, plugins=plugins)
    assert found.how == "played"
    assert found.agrees
    assert found.p is None
    assert "".join("01"[ok] for ok in found.now) == results["cells"][found.cell]
    assert "6 of 6 episodes as the report says" in found.sentence


def test_a_report_that_says_otherwise_is_told(benchmark, tmp_path):
    plugins, results, report = benchmark
    key = "baseline/1/brightness/0.5"
    other = "".join("10"[int(mark)] for mark in results["cells"][key])
    changed = write(tmp_path / "report.html", {**results, "cells": {**results["cells"], key: other}})
    found = reproduce(changed, **CELL, retrain=False, plugins=plugins, runs=report.parent / "runs")
    assert not found.agrees
    assert "0 of 6 episodes as the report says" in found.sentence
    assert "provenance" in found.sentence


def test_without_the_run_its_policy_is_trained_again(benchmark, tmp_path):
    plugins, results, _ = benchmark
    alone = write(tmp_path / "report.html", results)
    found = reproduce(alone, **CELL, retrain=False, plugins=plugins, runs=tmp_path / "kept")
    assert found.how == "retrained"
    assert found.now == found.reported
    assert found.agrees
    assert found.p == 1.0
    kept = tmp_path / "kept" / "baseline-1-again"
    assert (kept / "summary.json").exists()
    before = (kept / "summary.json").stat().st_mtime_ns
    again = reproduce(alone, **CELL, retrain=True, plugins=plugins, runs=tmp_path / "kept")
    assert again.now == found.now
    assert (kept / "summary.json").stat().st_mtime_ns == before


def test_a_suite_of_ones_own_is_played_from_its_file_whatever_part_of_it_the_run_looked_at(benchmark, tmp_path):
    plugins, _, report = benchmark
    run, again = report.parent / "runs" / "baseline-1", tmp_path / "runs" / "baseline-1"
    shutil.copytree(run, again)
    recipe = (run / "recipe.toml").read_text().partition("[evaluation]")
    rest = recipe[2][recipe[2].index("\n[") :]
    table = f'suite = "held-out"\nfile = "{SUITE}"\ncurves = ["mixed"]\nepisodes = 2\n'
    (again / "recipe.toml").write_text(f"{recipe[0]}[evaluation]\n{table}{rest}")
    results = {"suite": "points-v1", "episodes": 3, "cells": {"baseline/1/mass/1": "000"}, "recipes": {}}
    path = write(tmp_path / "report.html", results)
    found = reproduce(path, **{**CELL, "curve": "mass", "intensity": 1.0}, retrain=False, plugins=plugins)
    assert len(found.now) == 3


def test_results_are_read_beside_the_report_too(benchmark, tmp_path):
    _, results, report = benchmark
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert read_results(tmp_path / "results.json") == read_results(report) == results


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"condition": "basline"}, "has no condition 'basline'. Did you mean 'baseline'"),
        ({"seed": 4}, "has no seed '4'. There is: 1"),
        ({"curve": "brightnes"}, "Did you mean 'brightness'"),
        ({"intensity": 0.3}, "has no intensity 0.3 of 'brightness'. There is: 0.5, 1."),
    ],
)
def test_what_the_report_does_not_have_is_named_with_what_it_has(benchmark, change, message):
    plugins, _, report = benchmark
    with pytest.raises(AdversarlError) as caught:
        reproduce(report, **{**CELL, **change}, retrain=False, plugins=plugins)
    assert message in str(caught.value)


def test_a_report_without_the_recipe_says_so(benchmark, tmp_path):
    plugins, results, _ = benchmark
    bare = write(tmp_path / "report.html", {**results, "recipes": {}})
    with pytest.raises(AdversarlError, match="carries no recipe of 'baseline'"):
        reproduce(bare, **CELL, retrain=False, plugins=plugins)


def test_what_is_no_report_is_refused(tmp_path):
    (tmp_path / "page.html").write_text("<html></html>")
    with pytest.raises(AdversarlError, match="carries no results"):
        read_results(tmp_path / "page.html")
    with pytest.raises(AdversarlError, match="cannot be read"):
        read_results(tmp_path / "none.html")
    (tmp_path / "cut.json").write_text("{")
    with pytest.raises(AdversarlError, match="not valid JSON"):
        read_results(tmp_path / "cut.json")


def test_the_interval_is_newcombes():
    # Newcombe 1998, Statistics in Medicine 17, table II, method 10, example (a): 56/70 against 48/80.
    first, second = (True,) * 48 + (False,) * 32, (True,) * 56 + (False,) * 14
    found = newcombe(first, second)
    assert round(found["value"], 4) == 0.2
    assert (round(found["low"], 4), round(found["high"], 4)) == (0.0524, 0.3339)


def test_a_policy_trained_again_that_is_far_off_is_not_called_the_same():
    found = retrained("a/0/fog/1", (True,) * 20, (False,) * 20)
    assert not found.agrees
    assert found.p < 1e-6
    assert "further seeds" in found.sentence


def test_a_policy_trained_again_within_chance_does_not_prove_the_report():
    found = retrained("a/0/fog/1", (True,) * 10 + (False,) * 10, (True,) * 12 + (False,) * 8)
    assert found.agrees
    assert "do not contradict" in found.sentence
    assert "cannot be excluded" in found.sentence


def test_one_episode_that_ends_otherwise_is_no_agreement():
    assert not played("a/0/fog/1", "teacher", (True, True), (True, False)).agrees
