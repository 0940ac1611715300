"""Labelled frames: their truth, their balance, and what makes them repeatable."""

from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.backend import Mujoco
from adversarl_rewards.collect import collect, grid_trials, kinds_of, random_trials
from adversarl_rewards.errors import NothingToLabel

from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import NoTeacher
from adversarl.interfaces.trials import Trial
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Perturbation

AXES = ("background-color", "brightness", "camera-shift")


def make(num_envs=8, cls=PointMassWorld, limit=60):
    return cls(num_envs, seed=num_envs, image_size=16, max_episode_steps=limit)


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    return collect(make(), random_trials(AXES, 120, rng), rng)


def test_about_half_of_the_frames_are_solved_and_others_are_near_it(frames):
    assert 0.45 < frames.success.mean() < 0.55
    assert np.array_equal(frames.success, frames.kind == "solved")
    assert (frames.kind == "near").sum() > 50
    assert (frames.kind == "apart").sum() > 50


def test_progress_goes_from_the_start_to_success(frames):
    assert frames.progress.min() == 0
    assert frames.progress.max() == 1
    assert frames.progress[frames.success].mean() > 0.9
    assert frames.progress[frames.kind == "apart"].mean() < 0.5


def test_every_episode_has_frames_and_none_too_many(frames):
    counts = np.bincount(frames.episode, minlength=120)
    assert counts.min() >= 1
    assert counts.max() == 6


def test_a_frame_knows_what_was_perturbed_and_how_much(frames):
    nominal = frames.axis == "nominal"
    assert 0.1 < nominal.mean() < 0.35
    assert not frames.intensity[nominal].any()
    assert frames.intensity[~nominal].min() > 0
    assert {name for names in frames.axis[~nominal] for name in names.split("+")} == set(AXES)


def test_frames_depend_on_the_generator_and_not_on_the_number_of_environments(frames):
    rng = np.random.default_rng(0)
    again = collect(make(5), random_trials(AXES, 120, rng), rng)
    for name in ("frames", "success", "progress", "episode", "axis", "intensity", "kind"):
        np.testing.assert_array_equal(getattr(again, name), getattr(frames, name))
    other = collect(make(), random_trials(AXES, 120, np.random.default_rng(0)), np.random.default_rng(1))
    assert len(other) != len(frames) or not np.array_equal(other.frames, frames.frames)


def test_the_label_is_the_simulators_at_that_very_frame():
    """The dot of a picture that is called solved is on the goal: no green is left uncovered but a rim."""
    rng = np.random.default_rng(2)
    found = collect(make(), grid_trials((), (0,), 60, rng), rng)
    green = (found.frames[..., 1] > 1.5 * found.frames[..., 0]).sum(axis=(1, 2))
    apart = found.progress < 0.3
    assert green[found.success].mean() < 0.6 * green[apart].mean()


def test_what_was_solved_and_is_lost_is_among_the_near_ones():
    success = np.array([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], bool)
    progress = np.array([0, 0.7, 1, 1, 0.2, 0.1, 0.1, 0, 0, 0, 0, 0])
    assert kinds_of(success, progress).tolist() == ["apart", "near", "solved", "solved"] + ["near"] * 5 + ["apart"] * 3


def test_pick_shows_what_is_held_too_low_and_what_was_dropped():
    world = Mujoco(Mujoco.Options(task="pick", num_envs=8, threads=1, image_size=16)).make(seed=0)
    rng = np.random.default_rng(0)
    found = collect(world, random_trials(("light-intensity", "fog"), 64, rng), rng)
    world.close()
    near = found.progress[found.kind == "near"]
    assert found.task == "pick up the cube"
    assert (near > 0.6).sum() > 20  # in the gripper, and too low
    assert (near < 0.3).sum() > 2  # it fell a moment ago
    assert found.progress[found.success].min() > 0.95


def test_changes_with_an_onset_are_put_in_force_in_time():
    dark = Perturbation("brightness", 1.0, onset=10, duration=5)
    found = collect(make(1), [Trial(3, (dark,))] * 8, np.random.default_rng(0), frames_per_episode=60)
    light = found.frames.reshape(len(found), -1).mean(axis=1)
    assert 0.05 < (light < 0.5 * light.max()).mean() < 0.4


def test_trials_to_train_on_and_to_measure_with_share_no_seed():
    rng = np.random.default_rng(0)
    training = random_trials(AXES, 200, rng, clean=0.5, most=2)
    assert len({trial.seed for trial in training}) == 200
    assert all(trial.seed < TRAINING_SEEDS and len(trial.perturbations) <= 2 for trial in training)
    assert 60 < sum(not trial.perturbations for trial in training) < 140
    grid = grid_trials(AXES, (0, 0.5, 1), 4, rng)
    assert len(grid) == 4 + 3 * 2 * 4
    assert all(TRAINING_SEEDS <= trial.seed < 2 * TRAINING_SEEDS for trial in grid)
    assert [trial.perturbations for trial in grid[:4]] == [()] * 4
    assert {(p.axis, p.intensity) for trial in grid for p in trial.perturbations} == {
        (axis, intensity) for axis in AXES for intensity in (0.5, 1)
    }


class Untaught(PointMassWorld):
    def teacher(self, indices):
        raise NoTeacher("Untaught")


class Shapeless(PointMassWorld):
    def potential(self):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Untaught, "Untaught has no scripted teacher to solve the task"),
        (Shapeless, "Shapeless has no potential to say how near success is"),
    ],
)
def test_a_world_that_cannot_label_is_named(cls, problem):
    with pytest.raises(NothingToLabel) as caught:
        collect(make(cls=cls), [Trial(0)], np.random.default_rng(0))
    assert str(caught.value) == (
        f'labelled frames of "move the red dot onto the green goal": {problem}. '
        "Collect in a simulator that has one, such as `mujoco`"
    )


def test_an_expert_that_solves_nothing_is_told_of():
    with pytest.raises(NothingToLabel) as caught:
        collect(make(limit=2), [Trial(0)], np.random.default_rng(0))
    assert str(caught.value) == (
        'labelled frames of "move the red dot onto the green goal": the scripted expert solved none of 32 nominal '
        "episodes in 2 steps. Give the task more time or an expert that can do it"
    )


def test_the_world_is_left_nominal_and_shows_pictures():
    world = make()
    collect(world, [Trial(0, (Perturbation("brightness", 1.0),))], np.random.default_rng(0))
    assert world.pictures
    assert world.active(range(8)) == [()] * 8


def test_progress_is_told():
    told = []
    collect(make(), [Trial(n) for n in range(20)], np.random.default_rng(0), on_progress=lambda *n: told.append(n))
    assert told == [(8, 20), (16, 20), (20, 20)]


def test_a_point_mass_of_a_recipe_can_be_collected_from():
    world = PointMass(PointMass.Options(num_envs=2, image_size=16)).make(seed=0)
    assert len(collect(world, [Trial(0), Trial(1), Trial(2)], np.random.default_rng(0))) > 6
