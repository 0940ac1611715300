"""Training a model of kinds of failure: players that fail, splits, figures, the command."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
import torch
import typer
from adversarl_failures.kinds_command import add_commands
from adversarl_failures.kinds_episodes import POLICY, Failures
from adversarl_failures.kinds_errors import NothingToLearn
from adversarl_failures.kinds_evidence import MOMENTS, Evidence, Examples, resampled
from adversarl_failures.kinds_figures import calibration_error, figures
from adversarl_failures.kinds_model import fit, load
from adversarl_failures.kinds_players import Known, biased, blind, late, noisy, players, slipping, stuck, weak
from adversarl_failures.kinds_training import FEWEST, make_failures, train
from typer.testing import CliRunner

from adversarl.metrics import wilson
from adversarl.plugins import build_plugin_manager
from adversarl.testing.fakes import make_world

LABELLED = """
import numpy as np
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.point_mass_world import PointMassWorld


class LabelledWorld(PointMassWorld):
    failure_kinds = ("west", "east", "nowhere")

    def failure_kind(self, trace):
        return "west" if trace.state[-1, 0] < 0 else "east"


class Labelled(PointMass):
    def make(self, *, seed, num_envs=None):
        size, limit = self.options.image_size, self.options.max_episode_steps
        return LabelledWorld(num_envs or self.options.num_envs, seed=seed, image_size=size, max_episode_steps=limit)


@hookimpl
def adversarl_register(add):
    add.backend("labelled", f"{__name__}:Labelled", "A point mass that knows where it failed.")
"""
RECIPE = """
[run]
total_steps = 800
[backend]
use = "labelled"
num_envs = 8
image_size = 16
max_episode_steps = 20
[learner]
use = "random-search"
directions = 2
[evaluation]
suite = "robustness"
episodes = 2
intensities = [0.0]
"""
KNOWN = Known(100, 20, (np.full((20, 4), 0.5, np.float32), np.full((30, 4), -0.25, np.float32)))


@pytest.fixture(scope="module")
def plugin_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "labelled.py"
    path.write_text(LABELLED)
    return path


@pytest.fixture(scope="module")
def world(plugin_file):
    """A point mass that can say whether it ended in the west or in the east."""
    backend = build_plugin_manager([plugin_file]).registry.get("backend", "labelled").load()
    return backend(backend.Options(num_envs=8, image_size=16, max_episode_steps=20)).make(seed=0)


@pytest.fixture(scope="module")
def model(world):
    return train(world, episodes=400, epochs=6, seed=0)


def test_what_can_be_learnt_is_learnt(model):
    assert model.kinds == ("west", "east")  # what never happened cannot be learnt
    assert (model.image_size, model.proprio_size, model.task) == (16, 4, "move the red dot onto the green goal")
    for test in model.figures["tests"].values():
        assert test["n"] > 20
        assert test["accuracy"]["low"] > test["majority"]["accuracy"]["high"]
        assert 0 <= test["calibration_error"] < 0.15


def test_figures_say_what_was_done(model):
    figures = model.figures
    assert (figures["episodes"], figures["epochs"], figures["seed"], figures["policy"]) == (400, 6, 0, False)
    assert set(figures["failures"]) == {"west", "east"}
    assert set(figures["players"]) <= set(players(2))
    tested = sum(test["n"] for test in figures["tests"].values())
    assert sum(figures["failures"].values()) == figures["training"] + figures["validation"] + tested
    assert json.loads(json.dumps(figures)) == figures


def test_the_same_seed_trains_the_same_model(world):
    def weights(seed):
        made = train(world, episodes=120, epochs=2, seed=seed)
        return torch.cat([value.flatten() for value in made.network.state_dict().values()]), made.figures

    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    (first, figures), (second, again), (other, _) = weights(3), weights(3), weights(4)
    assert torch.equal(first, second)
    assert figures == again
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_no_seed_and_no_axis_is_on_both_sides_of_a_split(world):
    split = make_failures(world, 200, np.random.default_rng(0))
    parts = [split.training, split.validation, split.test, split.test_axes]
    seeds = [failure.seed for part in parts for failure in part]
    assert all(parts)
    assert len(set(seeds)) == len(seeds)
    known = {axis for part in parts[:3] for failure in part for axis in failure.axes}
    unknown = {axis for failure in split.test_axes for axis in failure.axes}
    assert unknown == set(split.axes)
    assert known == {axis.name for axis in world.axes} - unknown
    assert all(failure.axes for part in parts for failure in part)


def test_labels_are_the_worlds(world):
    for failure in Failures(world, np.random.default_rng(1)).make(16, [axis.name for axis in world.axes]):
        # Proprioception begins with the position of the dot, which is what this world judges by.
        assert failure.kind == ("west" if failure.course[-1, 0] < 0 else "east")


def test_players_whose_failures_are_rare_are_drawn_more_often(world):
    maker = Failures(world, np.random.default_rng(0))
    maker.kinds = Counter(east=90, west=10)
    for name in maker._names:
        maker._brought[name], maker._played[name] = Counter(east=10), 10
    maker._brought["blind"] = Counter(west=10)
    odds = dict(zip(maker._names, maker._odds(), strict=True))
    assert sum(odds.values()) == pytest.approx(1)
    assert odds["blind"] / odds["noisy"] == pytest.approx((1 + 10 * 5) / (1 + 10 * 50 / 90))


def test_a_policy_plays_unspoilt(world):
    acted = []

    def policy(observation):
        acted.append(np.tile(np.float32([1.0, 0.0]), (8, 1)))
        return acted[-1]

    found = Failures(world, np.random.default_rng(0), policy).make(80, [])
    assert acted
    eastwards = [failure for failure in found if failure.player == POLICY]
    assert eastwards
    assert {failure.kind for failure in eastwards} == {"east"}
    assert all(failure.axes == () for failure in found)


def test_each_player_spoils_as_it_says():
    rng, action = np.random.default_rng(0), np.float32([0.1, -0.2, 0.3, -1.0])
    push = biased(rng, KNOWN)
    assert np.allclose(push(0, action) - action, push(50, 2 * action) - 2 * action)
    assert 0.2 <= np.linalg.norm(push(0, action) - action) <= 1.5
    noise = noisy(rng, KNOWN)
    assert not np.array_equal(noise(0, action), noise(1, action))
    course = blind(rng, KNOWN)
    assert any(np.array_equal(course(99, action), one[-1]) for one in KNOWN.courses)
    assert np.array_equal(course(0, action), course(0, -action))
    shrunk = weak(rng, KNOWN)(0, action) / action
    assert np.allclose(shrunk, shrunk[0])
    assert 0.02 <= shrunk[0] <= 0.3


def test_a_stuck_player_is_the_expert_until_it_is_stuck():
    action = np.float32([0.1, -0.2, 0.3, -0.5])
    for seed in range(20):
        spoil = stuck(np.random.default_rng(seed), KNOWN)
        spoilt = [not np.array_equal(spoil(step, action), action) for step in range(100)]
        assert spoilt[24:] == [True] * 76
        assert spoilt == sorted(spoilt)
        assert set(spoil(99, action)) <= {-1.0, 0.0, 1.0, *action}


def test_a_slipping_player_turns_one_number_round_and_stops_the_others():
    action = np.float32([0.1, -0.2, 0.3, -0.5])
    for seed in range(10):
        spoil = slipping(np.random.default_rng(seed), KNOWN, seed % 4)
        acted = [spoil(step, action) for step in range(40)]
        assert all(np.array_equal(one, action) for one in acted[:8])
        (moving,) = np.flatnonzero(acted[-1])
        assert acted[-1][moving] == -np.sign(action[moving])
        assert np.array_equal(spoil(99, -action), acted[-1])


def test_a_late_player_has_less_time_than_the_expert_usually_takes():
    action = np.ones(4, np.float32)
    for seed in range(20):
        spoil = late(np.random.default_rng(seed), KNOWN)
        assert 0 < sum(bool(spoil(step, action).any()) for step in range(KNOWN.limit)) <= KNOWN.usual


def test_series_of_any_length_are_read_at_the_same_number_of_moments():
    line = np.stack([np.linspace(0, 1, 101), np.linspace(5, -5, 101)], axis=1).astype(np.float32)
    np.testing.assert_allclose(resampled(line)[:, 0], np.linspace(0, 1, MOMENTS), atol=1e-6)
    np.testing.assert_array_equal(resampled(line)[[0, -1]], line[[0, -1]])
    np.testing.assert_array_equal(resampled(line[:1]), np.repeat(line[:1], MOMENTS, axis=0))


def test_figures_are_counted_by_hand():
    truth = np.array([0, 0, 0, 1, 1, 2])
    said = np.array([0, 0, 1, 1, 1, 0])
    probabilities = np.full((6, 3), 0.1)
    probabilities[np.arange(6), said] = 0.8
    found = figures(("a", "b", "c"), truth, probabilities, usual=0)
    assert found["confusion"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert found["accuracy"] == wilson(4, 6).to_json()
    assert found["majority"] == {"kind": "a", "accuracy": wilson(3, 6).to_json()}
    assert found["kinds"]["a"] == {"precision": wilson(2, 3).to_json(), "recall": wilson(2, 3).to_json()}
    assert found["kinds"]["c"] == {"precision": wilson(0, 0).to_json(), "recall": wilson(0, 1).to_json()}
    assert found["calibration_error"] == pytest.approx(0.8 - 4 / 6)
    probabilities[5] = 0.3, 0.3, 0.4
    sure = figures(("a", "b", "c"), truth, probabilities, usual=0)["sure"]
    assert sure == {"confidence": 0.5, "share": wilson(5, 6).to_json(), "accuracy": wilson(4, 5).to_json()}


def test_the_calibration_error_weighs_bins_by_their_episodes():
    probabilities = np.array([[0.9, 0.1]] * 3 + [[0.4, 0.6]])
    truth = np.array([0, 0, 0, 0])
    assert calibration_error(truth, probabilities) == pytest.approx((3 * 0.1 + 0.6) / 4)
    assert calibration_error(truth[:0], probabilities[:0]) is None


def test_labels_that_are_noise_are_not_believed():
    """Where nothing can be learnt, calibration leaves hardly more confidence than chance."""
    rng = np.random.default_rng(0)

    def noise(n):
        frames = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
        evidence = Evidence(frames, rng.normal(size=(n, MOMENTS, 2)).astype(np.float32))
        return Examples(evidence, rng.integers(0, 2, n), rng.normal(size=(n, 3)).astype(np.float32))

    network, temperature = fit(noise(100), noise(100), 2, epochs=5, seed=0)
    evidence = noise(50).evidence
    pictures = torch.from_numpy(evidence.frames).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        logits = network(pictures, torch.from_numpy(evidence.courses)) / temperature
    assert logits.softmax(1).max(1).values.mean() < 0.65


def test_a_world_that_names_no_kinds_is_refused():
    with pytest.raises(NothingToLearn) as caught:
        train(make_world(2, image_size=16, max_episode_steps=5), episodes=40, epochs=1, seed=0)
    assert str(caught.value) == (
        'adversarl failures train: "move the red dot onto the green goal": this world does not say how an episode '
        "failed. Use another backend"
    )


def test_too_few_failures_are_counted_and_refused(world):
    with pytest.raises(NothingToLearn) as caught:
        train(world, episodes=8, epochs=1, seed=0)
    assert str(caught.value).startswith(
        'adversarl failures train: "move the red dot onto the green goal": too few failures to learn from: '
    )
    assert str(caught.value).endswith(". Ask for more --episodes")
    assert FEWEST > 1


@pytest.fixture
def command(plugin_file, tmp_path):
    """``adversarl failures train`` on a small recipe."""
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)

    def call(*arguments):
        options = ["--out", tmp_path / "kinds.pt", "--epochs", 2, "--plugin", plugin_file, *arguments]
        done = CliRunner().invoke(app, ["failures", "train", str(recipe), *map(str, options)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output, load(tmp_path / "kinds.pt")

    return call


def test_the_command_writes_a_model_and_prints_its_figures(command):
    printed, model = command("--episodes", 160, "--json")
    assert json.loads(printed) == {"task": model.task, "kinds": ["west", "east"], **model.figures}


def test_the_command_takes_the_policy_of_a_run(command, plugin_file, tmp_path):
    from adversarl.recipe import load_recipe
    from adversarl.training import train as run

    plugins = build_plugin_manager([plugin_file])
    (tmp_path / "run.toml").write_text(RECIPE)
    run(load_recipe(tmp_path / "run.toml", plugins.registry), plugins, tmp_path / "run")
    printed, model = command("--episodes", 160, "--run", tmp_path / "run")
    assert model.figures["policy"] is True
    assert POLICY in model.figures["players"]
    assert "kinds.pt" in printed
    assert "calibration error" in printed
