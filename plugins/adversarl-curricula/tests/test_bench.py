import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from adversarl_curricula.bench.axes import AXES, BY_NAME, DRIFT_M, LEARNABLE, MARKER_M, SPEED_M
from adversarl_curricula.bench.cell import run_cell
from adversarl_curricula.bench.conditions import CONTROLS, CURRICULA, LEFT_OUT
from adversarl_curricula.bench.hard_set import NOMINAL, PLAYERS, hard_set
from adversarl_curricula.bench.pool import Book, ForeignResults, fill
from adversarl_curricula.bench.report import compare, interquartile_mean, interval, quantile_of_t, sentences, summarize
from adversarl_curricula.bench.student import Student, features
from adversarl_curricula.bench.world import Compensation, CompensationBackend, solvable
from adversarl_curricula.command import add_curricula
from typer.testing import CliRunner

from adversarl.errors import UnknownComponent
from adversarl.interfaces.trials import Trial
from adversarl.plugins import build_plugin_manager
from adversarl.rollouts import Rollouts
from adversarl.testing import checks_for
from adversarl.types import Perturbation

SETTINGS = {"steps": 1024, "judged": 2}
TWO = {name: CURRICULA[name] for name in ("none", "uniform")}


@pytest.fixture
def world():
    return Compensation(PLAYERS, seed=0)


@pytest.fixture
def teacher(world):
    """Plays trials with the teacher; gives their successes."""

    def play(trials):
        rollouts = Rollouts(world, lambda observation: world.teacher(range(PLAYERS)))
        return [outcome.success for outcome in rollouts.play(trials)]

    return play


def trials_at(axis, intensity, count=40):
    return [Trial(seed, (Perturbation(axis, intensity, seed=seed),)) for seed in range(count)]


@pytest.mark.parametrize("check", checks_for("backend"))
def test_the_world_keeps_the_promises_of_a_backend(check):
    check(CompensationBackend)


@pytest.mark.parametrize("check", checks_for("learner"))
def test_the_student_keeps_the_promises_of_a_learner(check):
    check(Student)


@pytest.mark.parametrize("axis", [axis.name for axis, known in AXES.items() if known.impossible_from])
def test_nobody_solves_an_axis_from_its_known_intensity_on_and_the_teacher_always_below(axis, teacher):
    bound = AXES[BY_NAME[axis]].impossible_from
    assert all(teacher(trials_at(axis, bound - 0.001)))
    assert not any(teacher(trials_at(axis, bound + 0.001)))
    assert not any(teacher(trials_at(axis, 1.0)))


@pytest.mark.parametrize("axis", [axis.name for axis, known in AXES.items() if not known.impossible_from])
def test_the_teacher_solves_every_other_axis_at_its_bound(axis, teacher):
    assert all(teacher(trials_at(axis, 1.0)))


def test_the_teacher_solves_exactly_what_can_be_solved(teacher):
    rng, names = np.random.default_rng(0), list(BY_NAME)
    trials = [
        Trial(seed, tuple(Perturbation(name, rng.uniform(0, 0.9), seed=int(rng.integers(2**31))) for name in names))
        for seed in range(600)
    ]
    angles = [np.random.default_rng(trial.seed).uniform(-np.pi, np.pi) for trial in trials]
    expected = [solvable(trial.perturbations, angle) for trial, angle in zip(trials, angles, strict=True)]
    assert 100 < sum(expected) < 500
    assert teacher(trials) == expected


def compensating(axes):
    """The weights of a nominal controller, and those that the axes' descriptions say are needed on top."""
    gain, weights = 1.5, np.zeros((2, features(np.zeros((1, 10))).shape[1]))
    context = {"drift": 2, "marker-across": 3, "marker-up": 4, "cosine": 5, "sine": 6}

    def put(row, factor, seen, value):
        weights[row, 3 * context.get(factor, 0) + seen] = value

    put(0, "", 1, gain)
    put(1, "", 2, gain)
    if "drift" in axes:
        put(0, "drift", 0, -0.6 * DRIFT_M / SPEED_M)
        put(1, "drift", 0, -0.8 * DRIFT_M / SPEED_M)
    if "marker-across" in axes:
        put(0, "marker-across", 0, -gain * MARKER_M / 2)
    if "marker-up" in axes:
        put(1, "marker-up", 0, -gain * MARKER_M)
    if "turn" in axes:
        for row, seen, factor, sign in (
            (0, 1, "cosine", 1),
            (1, 2, "cosine", 1),
            (0, 2, "sine", 1),
            (1, 1, "sine", -1),
        ):
            put(row, factor, seen, sign * gain)
    return weights


def successes(world, weights, trials):
    act = lambda observation: np.clip(features(observation["proprio"]) @ weights.T, -1, 1)  # noqa: E731
    return np.mean([outcome.success for outcome in Rollouts(world, act).play(trials)])


@pytest.mark.parametrize("axis", LEARNABLE)
def test_as_many_weights_as_stated_compensate_an_axis_that_a_nominal_policy_fails(axis, world):
    nominal = compensating(())
    learnt = compensating((axis,))
    assert np.count_nonzero(learnt) - np.count_nonzero(nominal) == AXES[BY_NAME[axis]].parameters
    assert successes(world, nominal, trials_at(axis, 1.0)) < 0.6
    assert successes(world, learnt, trials_at(axis, 1.0)) == 1.0


@pytest.mark.parametrize("axis", ["tint", "distractor"])
def test_a_trivial_axis_matters_to_no_policy(axis, world):
    assert successes(world, compensating(()), trials_at(axis, 1.0)) == 1.0


def test_the_hard_set_can_be_solved_and_a_policy_of_the_students_kind_does_so(world, teacher):
    trials = [Trial(*one) for cell in hard_set(20) for one in zip(cell.seeds, cell.perturbations, strict=True)]
    assert all(teacher(trials))
    assert successes(world, compensating(LEARNABLE), trials) > 0.98
    hard = [cell for cell in hard_set(20) if cell.axis != NOMINAL]
    assert sum(len(cell.seeds) for cell in hard) == 240
    assert all(seed >= 2**31 for cell in hard for seed in cell.seeds)


def test_the_student_learns_from_successes_alone():
    table = {"use": "uniform", "axes": ["marker-across", "marker-up"]}
    short = run_cell("short", table, 0, 16, 5)
    long = run_cell("long", table, 0, 12_000, 5)
    assert short.nominal == 1.0
    before, after = ({axis: rate for axis, x, rate in run.cells if x == 1.0} for run in (short, long))
    assert before["marker-up"] < 0.6
    assert after["marker-up"] == after["marker-across"] == 1.0


def test_a_run_says_how_much_of_its_training_could_not_be_solved():
    run = run_cell("motor", {"use": "uniform", "axes": ["motor"], "clean_share": 0.5}, 0, 8000, 1)
    assert run.unsolvable == pytest.approx(0.25, abs=0.15)
    assert run.perturbed == pytest.approx(0.5, abs=0.1)
    assert run.refused == run.trial_env_steps == 0


def test_a_guarded_run_trains_on_nothing_that_cannot_be_solved_and_counts_its_trials():
    table = {"use": "uniform", "axes": ["motor"], "guard": "teacher", "guard_attempts": 20}
    run = run_cell("motor", table, 0, 4000, 1)
    assert run.unsolvable == 0
    assert run.refused > 50
    assert run.trial_env_steps > 1000
    assert run.env_steps == run_cell("motor", {**table, "guard": "none"}, 0, 4000, 1).env_steps


def test_every_curriculum_is_compared_or_left_out_for_a_reason():
    known = {table["use"] for table in CURRICULA.values()} | set(LEFT_OUT)
    assert set(build_plugin_manager().registry.names("curriculum")) == known
    assert set(CONTROLS) < set(CURRICULA)


def test_the_quantiles_of_t_are_those_of_the_tables():
    assert [round(quantile_of_t(k), 3) for k in (1, 2, 9, 29)] == [12.706, 4.303, 2.262, 2.045]


def test_an_interval_and_the_interquartile_mean_are_those_of_the_textbook():
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found["value"], found["n"]) == (3.0, 5)
    assert found["high"] - 3.0 == pytest.approx(2.776 * 1.5811 / 5**0.5, abs=1e-3)
    assert interquartile_mean([0.0, 9.0, 1.0, 2.0, 100.0]) == 4.0
    with pytest.raises(ValueError, match="two seeds at least, not 1"):
        interval([1.0])


@pytest.fixture
def planted():
    """Ten seeds that differ much, and curricula that are better, worse and alike on each."""
    rng = np.random.default_rng(0)
    base = rng.uniform(0.2, 0.8, 10)
    shifts = {"uniform": 0.0, "better": 0.1, "worse": -0.1, "alike": 0.0}
    return [
        {
            "curriculum": name,
            "seed": seed,
            "hard": base[seed] + shift + (rng.normal(0, 0.03) if name != "uniform" else 0.0),
            "trial_env_steps": 0.0,
            **dict.fromkeys(("nominal", "unsolvable", "refused", "training_success", "seconds"), 1.0),
        }
        for name, shift in shifts.items()
        for seed in range(10)
    ]


def test_planted_wins_ties_and_losses_are_called_so(planted):
    summary = summarize(planted, ["uniform", "random-prompts"])
    verdicts = {row["curriculum"]: row["against"]["uniform"]["verdict"] for row in summary if row["against"]}
    assert verdicts == {"better": "wins", "alike": "ties", "worse": "loses"}
    assert summary[0]["curriculum"] == "better"
    first, second, third = sentences(summary, ["uniform", "random-prompts"])
    assert re.fullmatch(r"better \(\+\d+ \[\+\d+, \+\d+\]\) win against uniform.", first)
    assert (second[:7], third[:7]) == ("alike (", "worse (")
    assert second.endswith("tie with uniform.")
    assert third.endswith("lose against uniform.")


def test_differences_are_paired_by_seed():
    ours = {seed: 0.1 * seed + 0.01 for seed in range(10)}
    theirs = {seed: 0.1 * seed for seed in reversed(range(10))}
    found = compare(ours, theirs)
    assert found["verdict"] == "wins"
    assert found["high"] - found["low"] < 1e-6


def test_few_seeds_say_nothing():
    assert compare({0: 0.5, 1: 0.5}, {0: 0.1, 1: 0.1})["verdict"] == "unknown"


def test_where_nobody_wins_the_report_says_so(planted):
    rows = [row for row in planted if row["curriculum"] in ("uniform", "worse")]
    assert "None win against uniform." in sentences(summarize(rows, ["uniform"]), ["uniform"])


def test_who_played_aside_beside_training_is_said(planted):
    rows = [{**row, "trial_env_steps": 5000 * (row["curriculum"] == "better")} for row in planted]
    assert sentences(summarize(rows, ["uniform"]), ["uniform"])[-1] == (
        "Steps of training are equal; on top of them a run played env steps aside: better 5,000."
    )


@pytest.fixture
def run():
    app = typer.Typer()
    add_curricula(app)

    def call(*arguments):
        result = CliRunner().invoke(
            app, [*map(str, arguments), "--episodes", "128", "--judged", "2", "--processes", "0"]
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return call


def test_the_command_compares_two_curricula_and_keeps_what_is_finished(run, tmp_path):
    out = tmp_path / "results" / "curricula.json"
    told = json.loads(run("--seeds", 2, "--curriculum", "none", "--curriculum", "uniform", "--json", "--out", out))
    assert {(row["curriculum"], row["seed"]) for row in told["runs"]} == {(c, s) for c in TWO for s in (0, 1)}
    assert {row["env_steps"] for row in told["runs"]} == {1024}
    assert told["summary"][0]["hard"]["n"] == 2
    assert told["left_out"] == LEFT_OUT
    assert told["settings"]["axes"]["motor"] == {"difficulty": "impossible", "impossible_from": 0.75, "parameters": 0}
    kept = json.loads(out.read_text())
    run("--seeds", 2, "--curriculum", "random-prompts", "--out", out)
    again = json.loads(out.read_text())["runs"]
    assert len(again) == 6
    assert [row for row in again if row["curriculum"] in TWO] == kept["runs"]


def test_the_table_and_the_sentences_are_printed(run):
    text = run("--seeds", 2, "--curriculum", "none", "--curriculum", "uniform")
    assert "success on the hard set" in text
    assert "too few seeds to say" in " ".join(text.split())
    assert "claude is left out" in text


def test_an_unknown_curriculum_names_the_nearest(run):
    with pytest.raises(UnknownComponent, match=r"named 'learnabilty'\. Did you mean 'learnability'"):
        run("--seeds", 2, "--curriculum", "learnabilty")


def test_ctrl_c_keeps_what_is_finished_and_the_next_call_goes_on(tmp_path):
    path = tmp_path / "curricula.json"

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(Book(path, SETTINGS), TWO, range(2), 0, stop)
    kept = json.loads(path.read_text())["runs"]
    assert [(row["curriculum"], row["seed"]) for row in kept] == [("none", 0), ("uniform", 0)]
    book, progress = Book(path, SETTINGS), []
    fill(book, TWO, range(2), 1, lambda done, total: progress.append((done, total)))
    assert progress == [(2, 4), (3, 4), (4, 4)]
    assert book.rows[:2] == kept


def test_runs_repeat_exactly():
    first, second = (run_cell("uniform", {"use": "uniform"}, 3, 2048, 3).to_json() for _ in range(2))
    assert first | {"seconds": 0} == second | {"seconds": 0}


def test_results_of_another_benchmark_are_not_mixed_in(tmp_path):
    path = tmp_path / "curricula.json"
    Book(path, SETTINGS).write()
    with pytest.raises(ForeignResults, match=r"made with steps = 1024, not 2048. Choose another file with --out"):
        Book(path, {**SETTINGS, "steps": 2048})


def children_of(process):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def alive(pid):
    return Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_the_processes_of_a_benchmark_end_when_it_is_killed(tmp_path):
    main = "from adversarl.cli import main; main()"
    out = tmp_path / "curricula.json"
    options = ["--curriculum", "none", "--seeds", "40", "--episodes", "128", "--processes", "1", "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-c", main, "bench", "curricula", *options])
    while not out.exists():
        assert process.poll() is None
        time.sleep(0.05)
    children = children_of(process)
    process.kill()
    process.wait()
    for _ in range(200):
        if not any(alive(pid) for pid in children):
            break
        time.sleep(0.05)
    assert children
    assert not any(alive(pid) for pid in children)
