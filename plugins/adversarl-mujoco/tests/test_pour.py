from __future__ import annotations

import math
import re

import numpy as np
import pytest
from adversarl_mujoco.tasks.grains import RADIUS
from adversarl_mujoco.tasks.pick_state import STATE as PICK_STATE
from adversarl_mujoco.tasks.pour_state import STATE, STATE_SIZE

from adversarl.bench_teachers import measure_teacher
from adversarl.errors import AdversarlError


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(10, task="pour", image_size=16)


def column(world, name):
    return world.state()[:, STATE[name][0]]


def put_grains(world, env, bowl, table):
    """Puts so many grains into the bowl and so many onto the table; the others stay in the cup."""
    simulation = world.simulations[env]
    data = simulation.data
    middle = data.body("bowl").xpos
    for index in range(bowl + table):
        spot = (0.013 * (index % 3 - 1), 0.013 * (index // 3 - 2), 0) if index < bowl else (0, 0.1, RADIUS - 0.025)
        data.joint(f"grain_{index}").qpos[:3] = middle + spot
    simulation._settle()
    simulation.task.reward()
    world._state = None


def test_the_teacher_pours_in_nearly_every_episode(world):
    assert measure_teacher(world, 20).success.value >= 0.95


def test_an_episode_begins_with_all_grains_in_the_cup_and_they_stay_there(world):
    world.reset(seed=list(range(10)))
    np.testing.assert_array_equal(column(world, "shares"), [[1, 0, 0]] * 10)
    for _ in range(10):
        world.step(np.zeros((10, 5), np.float32))
    np.testing.assert_array_equal(column(world, "shares"), [[1, 0, 0]] * 10)


@pytest.mark.parametrize(("bowl", "table"), [(0, 0), (11, 0), (10, 0), (11, 3), (7, 7)])
def test_grains_are_counted_where_they_are(world, bowl, table):
    world.reset(seed=0)
    put_grains(world, 0, bowl, table)
    rest = 14 - bowl - table
    np.testing.assert_allclose(column(world, "shares")[0], np.array([rest, bowl, table]) / 14, atol=1e-6)
    assert world.simulations[0].task.met is (bowl >= 11)


def test_a_cup_that_is_put_into_the_bowl_is_not_poured(world):
    world.reset(seed=0)
    simulation = world.simulations[0]
    data = simulation.data
    way = np.add(data.body("bowl").xpos, (0, 0, 0.022)) - data.body("cup").xpos
    for name in ("cup_free", *(f"grain_{index}" for index in range(14))):
        data.joint(name).qpos[:3] += way
    simulation._settle()
    simulation.task.reward()
    world._state = None
    np.testing.assert_array_equal(column(world, "shares")[0], [1, 0, 0])
    assert not simulation.task.met


def test_a_grain_on_the_table_under_the_bowls_rim_is_spilled(world):
    world.reset(seed=0)
    simulation = world.simulations[0]
    place = np.add(simulation.data.body("bowl").xpos, (0.066, 0, RADIUS - 0.025))
    simulation.data.joint("grain_0").qpos[:3] = place
    simulation._settle()
    simulation.task.reward()
    world._state = None
    np.testing.assert_allclose(column(world, "shares")[0], np.array([13, 0, 1]) / 14, atol=1e-6)


def test_too_much_on_the_table_is_no_success(open_world):
    world = open_world(1, task={"type": "pour", "success": {"spill": 0.1}}, image_size=16)
    world.reset(seed=0)
    put_grains(world, 0, 12, 2)
    assert not world.simulations[0].task.met


def test_more_in_the_bowl_is_worth_more_and_spilling_costs(world):
    def worth(bowl, table):
        world.reset(seed=0)
        put_grains(world, 0, bowl, table)
        return world.simulations[0].task.measure()

    assert worth(0, 4) < worth(0, 0) < worth(4, 0) < worth(8, 0)


def test_the_return_of_a_teachers_episode_is_that_of_all_its_terms(world):
    world.reset(seed=list(range(10)))
    total, running = np.zeros(10), np.ones(10, bool)
    for _ in range(60):
        _, reward, terminated, *_ = world.step(world.teacher(range(10)))
        total += reward * running
        running &= ~terminated
    assert not running.any()
    assert total.min() > 7


@pytest.mark.parametrize("sign", [1, -1])
def test_the_fifth_number_tilts_the_gripper_about_its_fingers_and_leaves_it_where_it_is(world, sign):
    world.reset(seed=0)
    action = np.zeros((10, 5), np.float32)
    action[:, 2] = 1
    world.step(action)
    before = np.array([s.arms[0].position.copy() for s in world.simulations])
    action[:, 2], action[:, 4] = 0, 0.5 * sign
    for _ in range(14):
        world.step(action)
    assert (sign * column(world, "tilt")[:, 0] > 0.6).all()
    for simulation, start in zip(world.simulations, before, strict=True):
        rotation = simulation.arms[0]._rotation.reshape(3, 3)
        tilt = simulation.arms[0].tilt()
        np.testing.assert_allclose(np.abs(rotation[:, 1]), (1, 0, 0), atol=0.05)  # fingers close along the world's x
        # What points up in the gripper leans towards y.
        np.testing.assert_allclose(-rotation[:, 2], (0, math.sin(tilt), math.cos(tilt)), atol=0.05)
        assert np.linalg.norm(simulation.arms[0].position - start) < 0.05


def test_the_number_of_grains_is_an_option(open_world):
    world = open_world(1, task={"type": "pour", "grains": 5}, image_size=16)
    names = [world._model.body(index).name for index in range(world._model.nbody)]
    assert sum(name.startswith("grain_") for name in names) == 5


def test_perturbations_do_not_know_the_grains(world):
    assert {target for axis in world.axes for target in axis.targets if target.startswith("grain")} == set()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"type": "pour", "into": "bowel"}, "the scene has no hollow object 'bowel'. Did you mean 'bowl'?"),
        ({"type": "pour", "target": "block"}, "nothing can be in 'block'"),
        ({"type": "pour", "into": "cup"}, "'cup' cannot go into itself"),
        ({"type": "pour", "grains": 60}, "task.grains: 'cup' has room for 35 grains, not for 60"),
    ],
)
def test_what_cannot_be_poured_from_or_into_is_said(open_world, task, said):
    cup, bowl, block = ({"position": [0, y]} for y in (-0.15, 0, 0.15))
    kinds = {"cup": {"type": "beaker", **cup}, "bowl": {"type": "bowl", **bowl}, "block": {"type": "box", **block}}
    scene = {"objects": kinds}
    with pytest.raises(AdversarlError, match=re.escape(said)):
        open_world(1, task=task, scene=scene)


def test_the_columns_of_the_state_follow_those_of_pick_without_gaps():
    assert dict(list(STATE.items())[: len(PICK_STATE)]) == PICK_STATE
    ends = [0] + [columns.stop for columns, _ in STATE.values()]
    assert [columns.start for columns, _ in STATE.values()] == ends[:-1]
    assert ends[-1] == STATE_SIZE
