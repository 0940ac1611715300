from __future__ import annotations

import gc
import pickle
import re
import threading

import numpy as np
import pytest

from adversarl.errors import PerturbationError
from adversarl.types import Perturbation

GREEN = Perturbation("table-color", 1.0, value=(0.1, 0.8, 0.2))


def rollout(world, steps, rng=None):
    trace = []
    for _ in range(steps):
        actions = world.teacher(range(world.num_envs))
        if rng is not None:
            actions = actions + rng.normal(0, 0.4, actions.shape)
        observation, reward, *_ = world.step(actions)
        trace.append((observation["image"], observation["proprio"], reward, world.state()))
    return trace


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_observations_and_actions_have_the_documented_shapes(open_world):
    world = open_world(3, image_size=84)
    observation, info = world.reset(seed=1)
    assert world.observation_space.contains(observation)
    assert observation["image"].shape == (3, 84, 84, 3)
    assert observation["proprio"].shape == (3, 14)
    assert world.single_action_space.shape == (4,)
    assert world.state().shape == (3, 29)
    assert not info["success"].any()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_world_that_is_dropped_unclosed_leaves_the_pictures_of_others_alone(open_world, threads):
    from adversarl_mujoco.backend import Mujoco

    backend = Mujoco(Mujoco.Options(num_envs=2, threads=threads, image_size=32))
    dropped, kept = backend.make(seed=0), open_world(2, threads=threads)
    dropped.reset(seed=0)
    seen = kept.reset(seed=0)[0]["image"]
    del dropped
    gc.collect()
    np.testing.assert_array_equal(kept.reset(seed=0)[0]["image"], seen)


def test_results_do_not_depend_on_the_number_of_threads(open_world):
    traces = []
    for threads in (1, 3):
        world = open_world(5, threads=threads)
        world.reset(seed=11)
        world.perturb([1, 3], [[GREEN], [Perturbation("camera-position", 0.7, seed=5)]])
        traces.append(rollout(world, 12, np.random.default_rng(0)))
    assert_same(*traces)


def test_a_world_can_be_stepped_from_another_thread(open_world):
    world = open_world(2)
    world.reset(seed=4)
    here = rollout(world, 3)
    world.reset(seed=4)
    there = []
    thread = threading.Thread(target=lambda: there.extend(rollout(world, 3)))
    thread.start()
    thread.join()
    assert_same(here, there)


def test_worlds_of_different_sizes_take_turns_in_one_thread(open_world):
    small, large = open_world(1), open_world(1, image_size=64)
    small.reset(seed=4)
    alone = rollout(small, 3)
    small.reset(seed=4)
    large.reset(seed=4)
    mixed = []
    for _ in range(3):
        mixed += rollout(small, 1)
        rollout(large, 1)
    assert_same(alone, mixed)


def test_a_snapshot_continues_bit_for_bit_in_another_environment(open_world):
    world = open_world(2)
    world.reset(seed=[5, 6])
    world.perturb([0], [[GREEN, Perturbation("occluder", 0.5, seed=2)]])
    rollout(world, 7)
    saved = pickle.loads(pickle.dumps(world.snapshot([0])))
    before = world.snapshot([0])[0]
    expected = [tuple(part[0] for part in step) for step in rollout(world, 8)]
    world.restore([0, 1])
    world.reset(seed=[99, 98])
    world.rewind([1], saved)
    assert world.active([1]) == [before.active]
    found = [tuple(part[1] for part in step) for step in rollout(world, 8)]
    assert_same(expected, found)


def test_rewinding_shows_the_picture_of_the_snapshot(open_world):
    world = open_world(2)
    world.reset(seed=[5, 6])
    observation, *_ = world.step(world.teacher([0, 1]))
    world.perturb([0], [[GREEN]])  # in force only from the next step on, so not in the picture
    saved = world.snapshot([0, 1])
    rollout(world, 3)
    again = world.rewind([0, 1], saved)
    np.testing.assert_array_equal(again["image"], observation["image"])
    np.testing.assert_array_equal(again["proprio"], observation["proprio"])
    assert world.active([0]) == [(GREEN,)]


def test_a_snapshot_keeps_the_generator_that_draws_the_next_episode(open_world):
    world = open_world(1)
    world.reset(seed=1)
    saved = world.snapshot([0])
    first, _ = world.reset()
    second, _ = world.reset()
    world.rewind([0], saved)
    again, _ = world.reset()
    assert not np.array_equal(first["image"], second["image"])
    np.testing.assert_array_equal(first["image"], again["image"])


def test_restoring_mid_episode_gives_the_nominal_pixels(open_world):
    nominal, changed = open_world(1), open_world(1)
    for world in (nominal, changed):
        world.reset(seed=8)
    changed.perturb([0], [[GREEN, Perturbation("shadow", 1.0), Perturbation("hue", 1.0, seed=1)]])
    during = rollout(nominal, 2), rollout(changed, 2)
    assert not np.array_equal(during[0][1][0], during[1][1][0])
    changed.restore([0])
    assert_same(rollout(nominal, 3), rollout(changed, 3))


def test_visual_perturbations_leave_the_physics_alone(open_world):
    nominal, changed = open_world(1), open_world(1)
    for world in (nominal, changed):
        world.reset(seed=8)
    changed.perturb([0], [[Perturbation(axis.name, 1.0, seed=3) for axis in changed.axes if axis.group == "visual"]])
    for before, after in zip(rollout(nominal, 10), rollout(changed, 10), strict=True):
        np.testing.assert_array_equal(before[1], after[1])
        np.testing.assert_array_equal(before[3], after[3])


def test_the_same_axis_and_target_replaces_what_stood(open_world):
    world = open_world(1)
    world.restore([0])
    world.perturb([0], [[GREEN, Perturbation("hue", 0.2)]])
    red = Perturbation("table-color", 0.4, value=(1.0, 0.0, 0.0))
    world.perturb([0], [[red]])
    assert set(world.active([0])[0]) == {red, Perturbation("hue", 0.2)}


def test_an_unknown_axis_is_refused_at_once(open_world):
    world = open_world(1)
    with pytest.raises(PerturbationError, match=re.escape("no axis 'table-colour'. Did you mean 'table-color'?")):
        world.perturb([0], [[Perturbation("table-colour", 1.0)]])


def test_a_time_limit_truncates_and_does_not_terminate(open_world):
    world = open_world(2, task={"type": "pick", "success": {"time_limit": 0.25}})
    world.reset(seed=0)
    for step in range(1, 6):
        _, _, terminated, truncated, info = world.step(np.zeros((2, 4), np.float32))
        assert truncated.tolist() == [step == 5] * 2
        assert not terminated.any()
        assert not info["success"].any()


def test_only_masked_environments_are_reset(open_world):
    world = open_world(3)
    world.reset(seed=3)
    rollout(world, 4)
    before = world.state()
    mask = np.array([False, True, False])
    observation, _ = world.reset(seed=[None, 17, None], options={"reset_mask": mask})
    np.testing.assert_array_equal(world.state()[~mask], before[~mask])
    fresh, _ = world.reset(seed=[17, 17, 17])
    np.testing.assert_array_equal(observation["image"][1], fresh["image"][0])


def test_a_wrong_number_of_seeds_is_named(open_world):
    with pytest.raises(ValueError, match="needs 2 seeds, one per environment, not 1"):
        open_world(2).reset(seed=[1])


def test_pictures_for_people_have_the_size_asked_for(open_world):
    world = open_world(2)
    world.reset(seed=0)
    before, _ = world.reset(seed=0)
    pictures = world.frames([1, 0], 120)
    assert pictures.shape == (2, 120, 120, 3)
    after, _ = world.reset(seed=0)
    np.testing.assert_array_equal(before["image"], after["image"])


def test_what_a_job_raises_reaches_the_caller(open_world):
    world = open_world(3, threads=2)
    world.reset(seed=0)
    with pytest.raises(TypeError):
        world.step(np.full((3, 4), None))
    world.reset(seed=0)
    rollout(world, 1)
