"""From a world to a trained detector: axes kept out, figures, and files that are whole or not there."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from adversarl_rewards.classifier import Classifier
from adversarl_rewards.collect import grid_trials
from adversarl_rewards.ensemble import Ensemble
from adversarl_rewards.errors import NothingToLabel
from adversarl_rewards.network import load
from adversarl_rewards.training import Plan, split_axes, train

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import NoTeacher, NotTrainable, PerturbationError

VISUAL = ("background-color", "object-color", "brightness", "camera-shift")


def make(cls=PointMassWorld):
    return cls(8, seed=0, image_size=16, max_episode_steps=60)


def plan(out, **changed):
    options = Classifier.Options(size=16, epochs=2)
    return Plan(**{"detector": Classifier, "options": options, "out": out, "episodes": 60, "tests": 24} | changed)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More would wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "dot.pt"


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def found(out, told):
    return train(make(), plan(out), lambda *progress: told.append(progress))


def test_a_detector_comes_out_with_what_it_is_worth(found, out):
    detector = Classifier(Classifier.Options(model=str(out)))
    assert detector.model.task == found["task"] == "move the red dot onto the green goal"
    assert set(found["tests"]) == {"nominal", "same_axes", "held_out_axes"}
    for test in found["tests"].values():
        assert test["n"] > 50
        assert 0 <= test["balanced_accuracy"]["low"] <= test["balanced_accuracy"]["high"] <= 1
        assert 0.4 < test["auroc"]["value"] <= 1
        assert 0 <= test["calibration_error"] <= 1
        assert test["false_positives_of"]["near"]["n"] + test["false_positives_of"]["apart"]["n"] > 20
    assert json.loads(json.dumps(found)) == found
    assert found["trained"]["weights"] > 1000


def test_the_file_knows_what_was_kept_out(found, out):
    about = load(out).about
    assert about["held_out_axes"] == found["held_out_axes"]
    assert about["tests"] == found["tests"]
    assert sorted([*about["axes"], *about["held_out_axes"]]) == sorted(VISUAL)
    assert len(about["held_out_axes"]) == 1
    assert Classifier(Classifier.Options(model=str(out))).held_out_axes == tuple(found["held_out_axes"])


def test_training_sees_no_axis_that_was_kept_out(found):
    training, validation = found["training"]["n"], found["validation"]["n"]
    assert 0.03 < validation / (training + validation) < 0.25
    assert found["training"]["solved"] + found["validation"]["solved"] > 0.4 * (training + validation)


def test_progress_is_told_by_phase(found, told):
    assert [phase for phase in dict.fromkeys(phase for phase, _, _ in told)] == ["frames", "training", "test"]
    for phase in ("frames", "training", "test"):
        done, total = zip(*[(done, total) for name, done, total in told if name == phase], strict=True)
        assert sorted(done) == list(done)
        assert done[-1] == total[-1] == total[0]


def test_nothing_unfinished_is_left(found, out):
    assert [file.name for file in out.parent.iterdir()] == [out.name]


def test_the_same_seed_trains_the_same_detector(found, out, tmp_path):
    again = train(make(), plan(tmp_path / "again.pt"))
    assert again == found
    one, two = load(out).network.state_dict(), load(tmp_path / "again.pt").network.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_axes_are_kept_out_by_seed_or_by_name():
    usual, aside = split_axes(make(), None, 0)
    assert (len(usual), len(aside)) == (3, 1)
    assert split_axes(make(), None, 0) == (usual, aside)
    assert len({split_axes(make(), None, seed)[1] for seed in range(20)}) > 1
    assert split_axes(make(), ["brightness", "brightness"], 0) == (
        ("background-color", "object-color", "camera-shift"),
        ("brightness",),
    )
    assert split_axes(make(), [], 0) == (VISUAL, ())
    with pytest.raises(PerturbationError) as caught:
        split_axes(make(), ["mass"], 0)  # it has that axis, but one sees nothing of it
    assert str(caught.value).startswith("the world has no visual axis 'mass'. ")


def test_ctrl_c_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "dot.pt"
    path.write_bytes(b"before")

    def interrupt(phase, done, total):
        if (phase, done) == ("test", total):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(make(), plan(path, tests=8, episodes=30), interrupt)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["dot.pt"]


def test_a_detector_that_learns_nothing_is_named(tmp_path):
    with pytest.raises(NotTrainable) as caught:
        train(make(), plan(tmp_path / "none.pt", detector=Ensemble))
    assert str(caught.value) == "the reward detector Ensemble has nothing to train; see: adversarl plugins list"


class Untaught(PointMassWorld):
    def teacher(self, indices):
        raise NoTeacher("Untaught")


def test_a_world_without_an_expert_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(NothingToLabel) as caught:
        train(make(Untaught), plan(tmp_path / "none.pt"))
    assert str(caught.value) == (
        'labelled frames of "move the red dot onto the green goal": '
        "Untaught has no scripted teacher to solve the task. Collect in a simulator that has one, such as `mujoco`"
    )
    assert not list(tmp_path.iterdir())


def test_too_few_episodes_are_told_of(tmp_path):
    with pytest.raises(NothingToLabel) as caught:
        train(make(), plan(tmp_path / "none.pt", episodes=1))
    assert str(caught.value).startswith('labelled frames of "move the red dot onto the green goal": 0 of 0 pictures')
    assert str(caught.value).endswith("of 1 episodes are solved. Ask for more --episodes")


def test_tests_are_of_episodes_that_nothing_was_trained_on():
    seeds = {trial.seed for trial in grid_trials(VISUAL, (0.5,), 50, np.random.default_rng(0))}
    assert min(seeds) >= 2**31
