import json
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adversarl.runs import read_json

SUITE = Path(__file__).parent / "points.toml"
CONTROLS = ["no-dr", "random-prompts", "warm-start"]


def words(recipes, out, *more):
    return ["benchmark", *recipes, "--suite", SUITE, "--episodes", 2, "--jobs", 2, "--out", out, *more]


def finished(process):
    text, _ = process.communicate(timeout=240)
    assert process.returncode == 0, text
    return text


def written(folder):
    """When each run's summary was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in sorted(folder.glob("runs/*/summary.json"))}


@pytest.fixture(scope="module")
def benchmark(recipes, command, tmp_path_factory):
    """A benchmark of one seed that was killed in the middle and given again."""
    out = tmp_path_factory.mktemp("benchmark") / "points"
    process = command(*words(recipes, out, "--seeds", 1))
    until = time.monotonic() + 120
    while not written(out):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = written(out)
    assert len(before) < 5
    text = finished(command(*words(recipes, out, "--seeds", 1)))
    return out, before, text


def test_a_killed_benchmark_goes_on_and_keeps_what_was_done(benchmark):
    out, before, _ = benchmark
    after = written(out)
    names = ["adaptive", "baseline", *CONTROLS]
    assert sorted(after) == sorted(f"{name}-0" for name in names)
    assert before.items() <= after.items()


def test_every_held_out_episode_is_a_row_of_one_table(benchmark):
    table = pq.read_table(benchmark[0] / "episodes.parquet").to_pylist()
    cells = len({(row["curve"], row["intensity"]) for row in table})
    assert cells == 16
    assert len(table) == (5 + 1) * cells * 2
    assert {row["condition"] for row in table} == {"adaptive", "baseline", "oracle", *CONTROLS}
    of_one = [row for row in table if row["condition"] == "adaptive"]
    stored = read_json(benchmark[0] / "runs/adaptive-0/evaluations.json")["held-out"]["cells"]
    assert [row["success"] for row in of_one] == [good for cell in stored for good in cell["success"]]


def test_conditions_share_the_warm_start_of_their_seed(benchmark):
    out = benchmark[0]
    log = (out / "logs/adaptive-0.log").read_text()
    assert "Traceback" not in log
    rows = {name: (out / f"runs/{name}-0/evaluation.json") for name in ("adaptive", "warm-start")}
    warm = {name: read_json(path)["warm_start"] for name, path in rows.items()}
    assert warm["adaptive"] == warm["warm-start"]


def test_runs_are_judged_along_the_way(benchmark):
    known = read_json(benchmark[0] / "runs/adaptive-0/evaluation.json")
    along = {int(name[5:]): one["env_steps"] for name, one in known.items() if name.startswith("step-")}
    assert along
    assert all(due % 400 == 0 and due <= steps < 1600 for due, steps in along.items())


def test_the_report_and_its_numbers_are_written(benchmark):
    out, _, text = benchmark
    results = json.loads((out / "results.json").read_text())
    assert {one["name"] for one in results["conditions"]} == {"adaptive", "baseline", "oracle", *CONTROLS}
    assert all(one["held_out"] for one in results["conditions"])
    assert "smoke test" in " ".join(one["sentence"] for one in results["comparisons"])
    assert "report.html" in text
    assert (out / "report.md").exists()


def test_another_seed_reuses_what_is_there_and_the_table_only_grows(benchmark, recipes, command, tmp_path):
    out = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(benchmark[0]), str(out)], check=True)
    before = pq.read_table(out / "episodes.parquet").num_rows
    times = written(out)
    finished(command(*words(recipes, out, "--seeds", "1-1")))
    assert times.items() <= written(out).items()
    assert sorted(set(written(out)) - set(times)) == sorted(f"{n}-1" for n in ("adaptive", "baseline", *CONTROLS))
    assert pq.read_table(out / "episodes.parquet").num_rows > before


def test_a_folder_that_was_begun_otherwise_is_refused(benchmark, recipes, command):
    process = command(*words(recipes, benchmark[0], "--set", "run.total_steps=900"))
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "was begun with common" in text


def test_a_run_that_met_the_suite_is_not_called_held_out(recipes, command, tmp_path):
    leaky = tmp_path / "leaky.toml"
    leaky.write_text(recipes[1].read_text().replace('"background-color"', '"background-color", "mass"'))
    out = tmp_path / "out"
    finished(command(*words([recipes[0], leaky], out, "--seeds", 1, "--no-controls")))
    found = {one["name"]: one for one in json.loads((out / "results.json").read_text())["conditions"]}
    assert found["baseline"]["held_out"]
    assert not found["leaky"]["held_out"]
    assert any("the axis mass" in leak for leak in found["leaky"]["leaks"])
    page = (out / "report.md").read_text()
    assert "the axis mass" in page


def test_a_run_that_was_trained_otherwise_is_refused(benchmark, recipes, command, tmp_path):
    out = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(benchmark[0]), str(out)], check=True)
    stored = out / "runs/adaptive-0/recipe.toml"
    stored.write_text(stored.read_text().replace("num_envs = 4", "num_envs = 3"))
    process = command(*words(recipes, out, "--seeds", 1))
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "adaptive-0 was trained with [backend] num_envs = 3, not 4" in text
