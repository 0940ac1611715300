"""What the policy reads under each sensor axis, against what is."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes import readings, sensors
from adversarl_mujoco.axes.settings import Shot

from adversarl.types import Perturbation

MODEL = mujoco.MjModel.from_xml_string("<mujoco/>")
DATA = mujoco.MjData(MODEL)


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(2, image_size=32)


@pytest.fixture(autouse=True)
def _nominal(world):
    world.restore([0, 1])


def began(effect, seed=0):
    effect.begin(np.random.default_rng(seed), MODEL, DATA)
    return effect


def read(effect, steps, sense="proprio"):
    """What becomes of the readings 0, 1, 2, ..."""
    got = []
    for step in range(steps):
        reading = np.full(3, step, np.float32) if sense == "proprio" else np.full((2, 2, 3), step % 256, np.uint8)
        getattr(effect, sense)(reading)
        got.append(float(reading.flat[0]))
    return np.array(got)


def played(world, name, steps, value=None, intensity=1.0, seed=0):
    """Observations of a perturbed environment and of its nominal twin."""
    world.restore([0, 1])
    world.perturb([0], [[Perturbation(name, intensity, value=value, seed=seed)]])
    observations = [world.reset(seed=[4, 4])[0]]
    for action in np.random.default_rng(1).uniform(-1, 1, (steps, 1, 4)).repeat(2, axis=1):
        observations.append(world.step(action.astype(np.float32))[0])
    images, rows = (np.array([observation[key] for observation in observations]) for key in ("image", "proprio"))
    return images[:, 0], images[:, 1], rows[:, 0], rows[:, 1]


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_late_readings_are_so_many_steps_old(delay):
    got = read(began(readings.LateJoints(float(delay))), 9)
    assert got.tolist() == [0.0] * delay + list(range(9 - delay))


def test_the_camera_is_three_frames_late_and_nothing_else(world):
    seen, true, row, truth = played(world, "camera-latency", 10)
    np.testing.assert_array_equal(seen[3:], true[:-3])
    np.testing.assert_array_equal(seen[:3], true[[0, 0, 0]])
    np.testing.assert_array_equal(row, truth)


def test_joint_readings_are_three_steps_late_and_nothing_else(world):
    seen, true, row, truth = played(world, "proprio-delay", 10)
    np.testing.assert_array_equal(row[3:], truth[:-3])
    np.testing.assert_array_equal(seen, true)


@pytest.mark.parametrize("kind", [readings.FrozenPicture, readings.FrozenJoints])
def test_freezes_last_a_second_and_come_at_the_stated_rate(kind):
    sense = "image" if kind is readings.FrozenPicture else "proprio"
    starts, running = 0, 0
    for episode in range(60):
        got = read(began(kind(0.2), episode), 250, sense)
        frozen = np.concatenate([[False], np.diff(got) == 0])
        begins = np.flatnonzero(frozen & ~np.concatenate([[False], frozen[:-1]]))
        for begin in begins:
            run = frozen[begin:].tolist().index(False) if not frozen[begin:].all() else None
            assert run is None or run % 20 == 0
        starts += len(begins)
        running += int((~frozen).sum())
    assert starts / (running / 20) == pytest.approx(0.2, rel=0.2)


def test_frozen_frames_repeat_the_last_picture(world):
    for seed in range(20):
        seen, true, _, _ = played(world, "frozen-frames", 60, seed=seed)
        frozen = np.flatnonzero((seen != true).any(axis=(1, 2, 3)))
        if len(frozen):
            break
    first = frozen[0]
    np.testing.assert_array_equal(seen[first], true[first - 1])
    assert all((seen[step] == seen[first]).all() for step in range(first, min(first + 20, 61)))


@pytest.mark.parametrize("value", ["black", "repeated"])
def test_dropped_frames_are_lost_at_the_stated_rate(world, value):
    seen, true, _, _ = played(world, "dropped-frames", 200, value)
    lost = (seen != true).any(axis=(1, 2, 3))
    assert lost.mean() == pytest.approx(0.3, abs=0.1)
    for step in np.flatnonzero(lost):
        expected = np.zeros_like(seen[step]) if value == "black" else seen[step - 1]
        np.testing.assert_array_equal(seen[step], expected)


def test_joint_noise_has_the_stated_deviation_anew_each_step(world):
    _, _, row, truth = played(world, "proprio-noise", 200)
    noise = row - truth
    assert noise.std() == pytest.approx(0.05, rel=0.05)
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.1


def test_joint_bias_stays_for_an_episode():
    offsets = np.array([read(began(readings.NoisyJoints(0.05, kept=True), episode), 3) for episode in range(800)])
    np.testing.assert_allclose(offsets - (0, 1, 2), (offsets[:, :1]).repeat(3, axis=1), atol=1e-6)
    assert offsets[:, 0].std() == pytest.approx(0.05, rel=0.1)


def test_grain_has_the_stated_deviation_and_follows_seed_and_step():
    gray = np.full((64, 64, 3), 128, np.uint8)
    noisy = sensors.Grain(1, 0.1, 0.0).apply(gray.copy(), Shot(5))
    assert (noisy.astype(float) - 128).std() == pytest.approx(25.5, rel=0.03)
    np.testing.assert_array_equal(noisy, sensors.Grain(1, 0.1, 0.0).apply(gray.copy(), Shot(5)))
    for seed, step in ((1, 6), (2, 5)):
        assert (noisy != sensors.Grain(seed, 0.1, 0.0).apply(gray.copy(), Shot(step))).mean() > 0.9


def test_salt_falls_on_the_stated_share_of_pixels():
    gray = np.full((200, 200, 3), 128, np.uint8)
    noisy = sensors.Grain(1, 0.0, 0.05).apply(gray, Shot(0))
    assert (noisy != 128).all(axis=2).mean() == pytest.approx(0.05, rel=0.1)
    assert (noisy == 0).mean() == pytest.approx((noisy == 255).mean(), rel=0.2)


def test_grain_is_new_in_every_frame_and_shown_to_people(world):
    seen, true, _, _ = played(world, "image-noise", 4, "gaussian")
    noise = seen.astype(int) - true
    assert all((noise[step] != noise[step + 1]).mean() > 0.5 for step in range(4))
    people = world.frames([0, 1], 48)
    assert (people[0] != people[1]).mean() > 0.5


@pytest.mark.parametrize("axis", ["camera-latency", "frozen-frames", "dropped-frames", "proprio-noise"])
def test_people_see_the_truth(world, axis):
    played(world, axis, 6)
    people = world.frames([0, 1], 48)
    np.testing.assert_array_equal(people[0], people[1])
