"""Pictures that another world puts behind the scene, and pictures of any shape for people and videos."""

from __future__ import annotations

import adversarl_mujoco.gl  # noqa: F401  isort: skip
import numpy as np
import pytest

from adversarl.types import Perturbation

GREEN, BLUE = (0, 255, 0), (0, 0, 255)


def plain(color):
    return np.full((30, 50, 3), color, np.uint8)


def share(image, color):
    """Share of the pixels that have a colour to the bit."""
    return float((image == np.array(color, np.uint8)).all(axis=-1).mean())


def test_a_backdrop_takes_the_place_of_floor_and_wall_and_of_nothing_else(open_world):
    world = open_world(num_envs=2)
    before = world.reset(seed=[1, 2])[0]["image"].copy()
    world.backdrops([0], [plain(GREEN)])
    image = world.reset(seed=[1, 2])[0]["image"]
    assert share(image[0], GREEN) > 0.1
    shown = (image[0] == GREEN).all(axis=-1)
    assert np.array_equal(image[0][~shown], before[0][~shown])
    assert np.array_equal(image[1], before[1])


def test_it_may_take_the_place_of_the_table_too(open_world):
    world = open_world(num_envs=2)
    world.backdrops([0, 1], [plain(GREEN)] * 2)
    behind = share(world.reset(seed=[1, 2])[0]["image"][0], GREEN)
    world.backdrops([0, 1], [plain(GREEN)] * 2, table=True)
    around = world.reset(seed=[1, 2])[0]["image"][0]
    assert share(around, GREEN) > behind + 0.3
    red = (around[..., 0] > 120) & (around[..., 1] < 60)
    assert red.any(), "the cube stays in front"


def test_it_stays_through_resets_and_steps_and_can_be_exchanged_at_any_step(open_world):
    world = open_world(num_envs=1)
    world.backdrops([0], [plain(GREEN)])
    world.reset(seed=[1])
    still = np.zeros((1, 4), np.float32)
    assert share(world.step(still)[0]["image"][0], GREEN) > 0.1
    world.backdrops([0], [plain(BLUE)])
    after = world.step(still)[0]["image"][0]
    assert share(after, BLUE) > 0.1
    assert share(after, GREEN) == 0


def test_without_it_every_pixel_is_as_it_was(open_world):
    world = open_world(num_envs=1)
    before = world.reset(seed=[1])[0]["image"].copy()
    world.backdrops([0], [plain(GREEN)], table=True)
    world.reset(seed=[1])
    world.backdrops([0], [None])
    assert np.array_equal(world.reset(seed=[1])[0]["image"], before)


@pytest.mark.parametrize("axis", ["background-image", "fog", "camera-position", "table-texture"])
def test_perturbations_still_act_on_what_stands_before_a_backdrop(open_world, axis):
    world = open_world(num_envs=1)
    world.backdrops([0], [plain(GREEN)])
    nominal = world.reset(seed=[1])[0]["image"].copy()
    world.perturb([0], [[Perturbation(axis, 1.0, seed=3)]])
    assert not np.array_equal(world.reset(seed=[1])[0]["image"], nominal)
    world.restore([0])
    assert np.array_equal(world.reset(seed=[1])[0]["image"], nominal)


@pytest.mark.parametrize("smooth", [True, False])
def test_pictures_for_videos_may_be_wide(open_world, smooth):
    world = open_world(num_envs=2)
    world.reset(seed=[1, 2])
    world.backdrops([1], [plain(GREEN)])
    wide = world.frames([0, 1], (60, 110), smooth=smooth)
    assert wide.shape == (2, 60, 110, 3)
    assert share(wide[0], GREEN) == 0
    assert share(wide[1], GREEN) > 0.1
    tall = world.frames([0], (110, 60), smooth=smooth)
    assert tall.shape == (1, 110, 60, 3)
    assert np.array_equal(world.frames([0, 1], (60, 110), smooth=smooth), wide)


def test_pictures_of_an_empty_world_show_room_and_table_and_observations_all(open_world):
    world = open_world(num_envs=1)
    before = world.reset(seed=[1])[0]["image"].copy()
    full = world.frames([0], 64, smooth=False)
    world.empty = True
    empty = world.frames([0], 64, smooth=False)
    changed = (empty != full).any(axis=-1).mean()
    assert 0.01 < changed < 0.6
    assert np.array_equal(world.reset(seed=[1])[0]["image"], before)
    world.reset(seed=[2])
    assert np.array_equal(world.frames([0], 64, smooth=False), empty)
    world.empty = False
    world.reset(seed=[1])
    assert np.array_equal(world.frames([0], 64, smooth=False), full)
