from __future__ import annotations

import re

import numpy as np
import pytest
from adversarl_mujoco.tasks.errors import TaskError
from adversarl_mujoco.tasks.insert_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.pick_state import STATE as PICK_STATE

from adversarl.bench_teachers import measure_teacher


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(10, task="insert", image_size=16)


def column(world, name):
    return world.state()[:, STATE[name][0]]


def put(world, env, depth, tip=0.0, aside=0.0):
    """Puts the peg into the hole, [m], leaning by `tip` [rad] and `aside` of its middle [m]."""
    simulation = world.simulations[env]
    data = simulation.data
    peg, socket = (data.joint(f"{name}_free").qpos for name in ("peg", "socket"))
    # A hole of 5 cm height, a peg of 11 cm.
    peg[:3] = np.add(socket[:3], (aside, 0, 0.025 - depth + 0.055))
    peg[3:] = np.cos(tip / 2), 0, np.sin(tip / 2), 0
    simulation._settle()
    simulation.task.reward()
    world._state = None


def test_the_teacher_inserts_the_peg_in_nearly_every_episode(world):
    assert measure_teacher(world, 40).success.value >= 0.95


def test_the_hole_is_measured_from_the_tip(world):
    world.reset(seed=0)
    put(world, 0, 0.015)
    assert column(world, "depth")[0, 0] == pytest.approx(0.15, abs=1e-4)
    np.testing.assert_allclose(column(world, "hole")[0], (0, 0, 0.15), atol=1e-3)
    assert column(world, "misalignment")[0, 0] == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize(
    ("depth", "tip", "aside", "solved"),
    [(0.021, 0.0, 0.0, True), (0.019, 0.0, 0.0, False), (0.021, 0.2, 0.011, False), (0.021, 0.0, 0.06, False)],
    ids=["deep enough", "too shallow", "askew", "beside the hole"],
)
def test_only_depth_inside_the_hole_and_alignment_solve_it(world, depth, tip, aside, solved):
    world.reset(seed=0)
    put(world, 0, depth, tip, aside)
    assert world.simulations[0].task.solved is solved


def test_a_deeper_peg_is_worth_more(world):
    world.reset(seed=0)
    worth = []
    for depth in (0.002, 0.008, 0.014):
        put(world, 0, depth)
        worth.append(world.simulations[0].task.measure())
    assert worth == sorted(worth)


def test_the_return_of_a_teachers_episode_is_that_of_all_its_terms(world):
    world.reset(seed=list(range(10)))
    total = np.zeros(10)
    running = np.ones(10, bool)
    for _ in range(60):
        _, reward, terminated, *_ = world.step(world.teacher(range(10)))
        total += reward * running
        running &= ~terminated
    assert np.median(total) > 6


def test_the_socket_stands_somewhere_else_in_every_episode(world):
    world.reset(seed=list(range(10)))
    places = [s.data.body("socket").xpos[:2].copy() for s in world.simulations]
    assert len(np.unique(np.round(places, 3), axis=0)) == 10


def test_the_first_thing_that_can_move_is_the_peg_wherever_the_socket_stands_in_the_list(open_world):
    scene = {"objects": {"socket": {"type": "socket", "position": [0, -0.15]}, "peg": {"type": "peg"}}}
    assert open_world(1, task="insert", scene=scene, image_size=16).task == "put the peg into the socket"


@pytest.mark.parametrize(
    ("task", "objects", "said"),
    [
        ({"success": {"depth": 0.06}}, None, "task.success.depth: the hole of 'socket' is 0.045 m deep, not 0.06"),
        ({}, {"peg": {"type": "peg"}}, "task.into: the scene has no hollow object beside 'peg'"),
        ({"target": "pig"}, None, "task.target: the scene has no movable object 'pig'. Did you mean 'peg'?"),
    ],
)
def test_what_cannot_be_inserted_is_said(open_world, task, objects, said):
    with pytest.raises(TaskError, match=re.escape(said)):
        open_world(1, task={"type": "insert", **task}, scene=objects and {"objects": objects})


def test_the_columns_of_the_state_follow_those_of_pick_without_gaps():
    assert dict(list(STATE.items())[: len(PICK_STATE)]) == PICK_STATE
    ends = [0] + [columns.stop for columns, _ in STATE.values()]
    assert [columns.start for columns, _ in STATE.values()] == ends[:-1]
    assert ends[-1] == STATE_SIZE
