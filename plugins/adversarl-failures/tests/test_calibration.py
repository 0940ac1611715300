import json
from contextlib import closing

import numpy as np
import pytest
from adversarl_failures.calibration.design import Design, Injected
from adversarl_failures.calibration.figures import confusion, figures, mistaken
from adversarl_failures.calibration.harness import Harness, Verdict
from adversarl_failures.calibration.mixture import Mixture
from adversarl_failures.calibration.policy import BlindPolicy, SeededWorld, fails_anyway
from adversarl_failures.calibration.workers import Setup, measure
from typer.testing import CliRunner

from adversarl.cli.bench_app import bench_app
from adversarl.interfaces.trials import Trial
from adversarl.testing.fakes import make_world
from adversarl.trials import SideTrials
from adversarl.types import Perturbation

VISUAL = [axis for axis in make_world().axes if axis.group == "visual"]


@pytest.fixture(scope="module")
def harness():
    with closing(Harness(lambda n: make_world(n, image_size=8), 4, Design(episodes=30, limit=40), "visual")) as made:
        yield made


def good_seeds(n, base=0.1):
    return [seed for seed in range(2 * n) if not fails_anyway(np.array([seed]), base)[0]][:n]


def outcomes(trials, causes, base=0.1):
    """Success of a policy with these causes in a point-mass world."""
    worlds = {}

    def make(num_envs):
        worlds[num_envs] = SeededWorld(make_world(num_envs, image_size=8), 40)
        return worlds[num_envs]

    side = SideTrials(make, 4)
    side.learner = BlindPolicy(worlds, causes, base)
    return [outcome.success for outcome in side.play(trials)]


def test_the_policy_fails_where_a_cause_is_in_force_above_its_threshold_and_nowhere_else():
    axis, other = VISUAL[0].name, VISUAL[1].name
    met = [(), (Perturbation(axis, 0.4),), (Perturbation(axis, 0.6),), (Perturbation(other, 1.0),)]
    trials = [Trial(seed, conditions) for seed in good_seeds(5) for conditions in met]
    assert outcomes(trials, {axis: 0.5}) == [True, True, False, True] * 5


def test_the_policy_fails_on_its_own_by_the_seed_whatever_is_in_force():
    seeds = list(range(40))
    nominal = outcomes([Trial(seed) for seed in seeds], {}, 0.3)
    perturbed = outcomes([Trial(seed, (Perturbation(VISUAL[0].name, 1.0),)) for seed in seeds], {}, 0.3)
    assert nominal == perturbed == (~fails_anyway(np.array(seeds), 0.3)).tolist()


def test_the_share_of_failures_on_its_own_is_the_one_asked_for():
    seeds = np.random.default_rng(0).integers(2**31, size=20_000)
    assert fails_anyway(seeds, 0.1).mean() == pytest.approx(0.1, abs=0.008)
    assert not fails_anyway(seeds, 0.0).any()


def test_episodes_end_at_the_limit_of_a_calibration():
    world = SeededWorld(make_world(2, image_size=8), 3)
    world.reset(seed=[1, 2])
    ends = [world.step(np.zeros((2, 2)))[3].tolist() for _ in range(3)]
    assert ends == [[False, False], [False, False], [True, True]]
    assert world.seeds.tolist() == [1, 2]


def test_the_mixture_has_the_shares_that_it_states():
    rng, mixture = np.random.default_rng(0), Mixture()
    axes = [axis for axis in make_world().axes]
    trials = [mixture.trial(axes, rng) for _ in range(3000)]
    counts = [len(trial.perturbations) for trial in trials]
    late = [any(p.onset for p in trial.perturbations) for trial in trials if trial.perturbations]
    assert counts.count(0) / 3000 == pytest.approx(0.1, abs=0.02)
    assert counts.count(1) / 3000 == pytest.approx(0.9 * 0.25, abs=0.03)
    assert np.mean(late) == pytest.approx(0.2, abs=0.03)
    assert {p.intensity for trial in trials for p in trial.perturbations} == {0.05 * n for n in range(1, 21)}


def test_companions_mostly_come_together_and_then_with_one_intensity():
    rng, two = np.random.default_rng(0), VISUAL[:2]
    met = [{p.axis: p.intensity for p in Mixture().trial(VISUAL, rng, two).perturbations} for _ in range(1500)]
    either = [row for row in met if row.keys() & {axis.name for axis in two}]
    both = [row for row in either if all(axis.name in row for axis in two)]
    assert 0.88 < len(both) / len(either) < 0.97
    assert all(row[two[0].name] == row[two[1].name] for row in both)


def test_every_axis_is_injected_alone_in_a_pair_with_a_companion_and_not_at_all():
    injected = list(Design(trials=2, clean=2).injected(VISUAL))
    names = sorted(axis.name for axis in VISUAL)
    for kind, causes, companions in (("single", 1, 0), ("pair", 2, 0), ("companion", 1, 2), ("clean", 0, 0)):
        chosen = [one for one in injected if one.kind == kind]
        assert {(len(one.causes), len(one.companions)) for one in chosen} == {(causes, companions)}
        assert sorted(one.seed[1] for one in chosen) == sorted(2 * names)


def test_a_trial_is_the_same_whatever_was_played_before(harness):
    first, second = list(Design().injected(harness.varied))[:2]
    before = harness.play(first, traces=False)
    harness.play(second, traces=False)
    assert harness.play(first, traces=False) == before


def test_statistics_finds_what_was_injected():
    setup = Setup("point-mass", "visual", ("statistics",), Design(episodes=120, limit=40))
    injected = [one for one in setup.design.injected(VISUAL) if VISUAL[0].name in one.seed or one.kind == "pair"]
    told = []
    verdicts = measure(setup, injected, 1, lambda *progress: told.append(progress))["statistics"]
    assert [set(v.blamed) for v in verdicts] == [set(one.causes) for one in injected]
    assert told[-1] == (7, 7)


def verdict(kind, causes, blamed, companions=()):
    return Verdict(Injected(kind, dict.fromkeys(causes, 0.5), (kind,), companions), blamed, 100)


def test_figures_count_what_they_say():
    found = figures(
        [
            verdict("single", ["a"], ("a", "b")),
            verdict("single", ["b"], ("c", "b")),
            verdict("pair", ["a", "b"], ("b", "a")),
            verdict("pair", ["a", "c"], ("a",)),
            verdict("companion", ["a"], ("a", "b"), ("a", "b")),
            verdict("companion", ["a"], ("b",), ("a", "b")),
            verdict("clean", [], ()),
            verdict("clean", [], ("c",)),
        ]
    )
    for key in ("top1", "pairs", "companion_named", "companion_spared", "clean"):
        assert (found[key]["value"], found[key]["n"]) == (0.5, 2)
    assert (found["precision"]["value"], found["precision"]["n"]) == (6 / 11, 11)
    assert (found["recall"]["value"], found["recall"]["n"]) == (6 / 8, 8)
    assert found["falsely_blamed"] == {"b": 3, "c": 2}
    assert found["env_steps"] == 100


def test_the_confusion_matrix_has_who_was_blamed_first():
    matrix = confusion([verdict("single", ["a"], ("b", "a")), verdict("single", ["a"], ()), verdict("clean", [], ())])
    assert matrix == {"a": {"b": 1, "nothing": 1}, "nothing": {"nothing": 1}}
    assert mistaken(matrix) == [["a", "b", "1"], ["a", "nothing", "1"]]


def run(*more):
    arguments = ["failures", "--backend", "point-mass", "--episodes", "20", "--jobs", "1", *more]
    return CliRunner().invoke(bench_app(), arguments)


def test_the_command_prints_json_that_says_what_was_measured():
    result = run("--classifier", "statistics", "--json")
    printed = json.loads(result.stdout)
    assert printed["design"]["axes"] == [axis.name for axis in VISUAL]
    assert printed["classifiers"]["statistics"]["top1"]["n"] == len(VISUAL)


def test_the_command_prints_tables():
    result = run("--classifier", "none", "--trials", "1")
    assert result.exit_code == 0
    assert "no cause: nothing named" in result.stdout
    assert "confusions" in result.stdout
    assert "none names no axis" in result.stdout


def test_an_unknown_group_names_those_that_there_are():
    result = run("--classifier", "none", "--group", "vision")
    assert result.exit_code != 0
    assert "visual" in str(result.exception)
