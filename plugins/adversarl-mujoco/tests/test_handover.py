from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.control import ACROSS
from adversarl_mujoco.tasks.handover_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.handover_teacher import _fetch
from adversarl_mujoco.tasks.pick_teacher import action

from adversarl.bench_teachers import measure_teacher
from adversarl.errors import AdversarlError


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(10, task="handover", image_size=16)


def column(world, name):
    return world.state()[:, STATE[name][0]]


def play(world, steps, change=None):
    """Episodes of the teacher; returns their returns, when each was solved, and the potentials after every step."""
    total, solved, potentials = np.zeros(10), np.full(10, -1), []
    for step in range(steps):
        actions = world.teacher(range(10))
        if change is not None:
            change(actions)
        _, reward, terminated, *_ = world.step(actions)
        total += reward * (solved < 0)
        solved[terminated & (solved < 0)] = step
        potentials.append([s.task.potential for s in world.simulations])
    return total, solved, np.array(potentials)


def test_the_teacher_hands_the_bar_over_in_every_episode(world):
    assert measure_teacher(world, 30).success.value >= 0.95


def test_the_return_of_a_teachers_episode_is_that_of_all_its_terms(world):
    world.reset(seed=list(range(10)))
    total, solved, potentials = play(world, 40)
    assert (solved > 0).all()
    assert total.min() > 6.5
    assert (potentials[10] < potentials[15]).all()
    assert (potentials[-1] > 5.5).all()


def test_a_lifted_bar_that_the_first_arm_keeps_is_no_success(world):
    def keep(actions):
        actions[:, 4:] = 0
        actions[:, 7] = -1

    world.reset(seed=list(range(10)))
    _, solved, _ = play(world, 50, keep)
    assert (column(world, "flags")[:, 0] == 1).all()
    assert (solved < 0).all()


def test_a_bar_in_both_grippers_is_no_success(world):
    def hold_on(actions):
        taken = column(world, "flags")[:, 1] > 0
        actions[taken, :3], actions[taken, 3] = 0, 1

    world.reset(seed=list(range(10)))
    _, solved, _ = play(world, 50, hold_on)
    flags = column(world, "flags")
    assert (flags[:, :2] == 1).all(axis=1).mean() >= 0.9
    assert (solved < 0).all()


def test_a_bar_that_the_second_arm_fetches_itself_was_not_handed_over(world):
    def alone(actions):
        state = world.state()
        move, ready = _fetch(state, "taker")
        held = column(world, "flags")[:, 1] > 0
        move[held] = 0, 0, 0.03
        actions[:, :4] = 0, 0, 0, -1
        actions[:, 4:] = action(move, held | ready)

    world.reset(seed=list(range(10)))
    _, solved, _ = play(world, 60, alone)
    lifted = [s.data.body("bar").xpos[2] - s.task._rest > 0.1 for s in world.simulations]
    taken = column(world, "flags")[:, 1] > 0
    assert (taken & lifted).mean() >= 0.8
    assert (solved < 0).all()


def test_a_rewound_world_remembers_that_the_bar_was_given(world):
    world.reset(seed=list(range(10)))
    play(world, 20)
    saved = world.snapshot(range(10))
    first = play(world, 20)
    world.reset(seed=list(range(10)))
    world.rewind(range(10), saved)
    again = play(world, 20)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_teacher_lifts_as_high_as_is_asked_for(open_world):
    high = open_world(10, task={"type": "handover", "success": {"lift_height": 0.25}}, image_size=16)
    assert measure_teacher(high, 10).success.value >= 0.9


def test_a_bar_in_the_air_that_nobody_holds_is_no_success(world):
    world.reset(seed=0)
    simulation = world.simulations[0]
    simulation.data.joint("bar_free").qpos[2] += 0.3
    for _ in range(12):
        simulation._settle()
        simulation.task.reward()
        assert not simulation.task.met
        assert not simulation.task.solved


def test_the_teacher_recovers_from_a_dropped_bar(world):
    steps = iter(range(100))

    def drop(actions):
        if next(steps) in (10, 11, 12):
            actions[:, 3] = -1

    world.reset(seed=list(range(10)))
    _, solved, _ = play(world, 90, drop)
    assert (solved > 0).mean() >= 0.8


@pytest.mark.parametrize(("arm", "first"), [(0, 0), (1, 4)])
def test_four_numbers_move_one_arm_and_not_the_other(world, arm, first):
    world.reset(seed=0)
    before = [[s.arms[i].position.copy() for i in (0, 1)] for s in world.simulations]
    action = np.zeros((10, 8), np.float32)
    action[:, first + 2] = 1
    world.step(action)
    world.step(action)
    moved = [[s.arms[i].position - b[i] for i in (0, 1)] for s, b in zip(world.simulations, before, strict=True)]
    rise = np.array(moved)[:, :, 2]
    assert (rise[:, arm] > 0.03).all()
    assert (np.abs(rise[:, 1 - arm]) < 0.01).all()


def test_each_arm_keeps_to_its_side_of_the_table(world):
    world.reset(seed=0)
    action = np.zeros((10, 8), np.float32)
    action[:, 1], action[:, 5] = 1, -1
    for _ in range(25):
        world.step(action)
    for simulation in world.simulations:
        assert simulation.arms[0].position[1] == pytest.approx(ACROSS, abs=0.02)
        assert simulation.arms[1].position[1] == pytest.approx(-ACROSS, abs=0.02)


def test_a_scene_with_one_arm_is_refused(open_world):
    with pytest.raises(AdversarlError, match="'handover' needs 2 robots, the scene has 1"):
        open_world(1, task="handover", scene={"objects": {"bar": {"type": "bar"}}})


def test_the_columns_of_the_state_are_documented_without_gaps():
    ends = [0] + [columns.stop for columns, _ in STATE.values()]
    assert [columns.start for columns, _ in STATE.values()] == ends[:-1]
    assert ends[-1] == STATE_SIZE
