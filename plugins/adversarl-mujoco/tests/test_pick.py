from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.control import HIGH, LOW, MAX_STEP
from adversarl_mujoco.tasks.pick_state import STATE, STATE_SIZE


def play(world, seeds, disturb=None, limit=100):
    """Success, length and return of one teacher episode per seed."""
    num_envs = world.num_envs
    results = []
    for begin in range(0, len(seeds), num_envs):
        world.reset(seed=seeds[begin : begin + num_envs])
        success, length, total = np.zeros(num_envs, bool), np.full(num_envs, limit), np.zeros(num_envs)
        for step in range(limit):
            actions = world.teacher(range(num_envs))
            _, reward, terminated, *_ = world.step(actions if disturb is None else disturb(step, actions))
            total += reward * ~success
            length[terminated & ~success] = step + 1
            success |= terminated
            if success.all():
                break
        results.append((success, length, total))
    return tuple(np.concatenate(parts) for parts in zip(*results, strict=True))


@pytest.fixture(scope="module")
def tiny(open_world):
    return open_world(10, image_size=16)


def test_the_teacher_succeeds_in_300_episodes_of_300(tiny):
    success, length, total = play(tiny, list(range(300)))
    assert success.mean() >= 0.99
    assert length.mean() <= 40
    assert total.min() > 2


def test_the_teacher_recovers_from_dropping_the_object(tiny):
    def drop(step, actions):
        if step in (9, 10, 11):
            actions[:, 3] = -1.0
        return actions

    success, _, _ = play(tiny, list(range(40)), drop)
    assert success.mean() >= 0.95


def test_the_teacher_recovers_from_pushes_and_early_closing(tiny):
    rng = np.random.default_rng(0)

    def disturb(step, actions):
        if 2 <= step < 8:
            actions[:, :3] = rng.uniform(-1, 1, (len(actions), 3))
            actions[:, 3] = 1.0
        return actions

    success, _, _ = play(tiny, list(range(40)), disturb)
    assert success.mean() >= 0.95


def test_the_teacher_reads_the_state_alone(tiny):
    tiny.reset(seed=0)
    saved = tiny.snapshot(range(10))
    first = tiny.teacher(range(10))
    play(tiny, list(range(10)), limit=5)
    tiny.rewind(range(10), saved)
    np.testing.assert_array_equal(tiny.teacher(range(10)), first)
    np.testing.assert_array_equal(tiny.teacher([3]), first[3:4])
    assert np.abs(first).max() <= 1


def test_doing_nothing_neither_pays_nor_moves(tiny):
    tiny.reset(seed=0)
    before = tiny.state()
    total = np.zeros(10)
    for _ in range(20):
        _, reward, terminated, *_ = tiny.step(np.zeros((10, 4), np.float32))
        total += reward
    assert not terminated.any()
    assert (total < 0).all()
    for name in ("grasp_point", "object"):
        columns = STATE[name][0]
        np.testing.assert_allclose(tiny.state()[:, columns], before[:, columns], atol=0.03)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_action_displaces_the_grasp_point_along_its_axis(tiny, axis):
    tiny.reset(seed=0)
    before = 0.2 * tiny.state()[:, STATE["grasp_point"][0]]
    action = np.zeros((10, 4), np.float32)
    action[:, axis] = -1.0
    for _ in range(3):
        tiny.step(action)
    moved = 0.2 * tiny.state()[:, STATE["grasp_point"][0]] - before
    assert (moved[:, axis] < -2 * MAX_STEP).all()
    assert (moved[:, axis] > -3.5 * MAX_STEP).all()
    assert np.abs(np.delete(moved, axis, axis=1)).max() < 0.015


def test_the_grasp_point_stays_in_its_box_whatever_is_asked(tiny):
    rng = np.random.default_rng(1)
    tiny.reset(seed=0)
    for _ in range(60):
        direction = np.sign(rng.normal(size=(10, 4)))
        for _ in range(2):
            tiny.step(5 * direction)
        points = np.array([s.arms[0].position for s in tiny.simulations])
        assert (points > np.array(LOW) - 0.02).all()
        assert (points < np.array(HIGH) + 0.02).all()
        assert np.isfinite(tiny.state()).all()


def test_seeds_place_the_object_and_the_arm(tiny):
    tiny.reset(seed=[1, 1, *range(2, 10)])
    state = tiny.state()
    np.testing.assert_array_equal(state[0], state[1])
    assert len(np.unique(state[:, STATE["object"][0]], axis=0)) == 9


def test_the_columns_of_the_state_are_documented_without_gaps():
    ends = [0] + [columns.stop for columns, _ in STATE.values()]
    assert [columns.start for columns, _ in STATE.values()] == ends[:-1]
    assert ends[-1] == STATE_SIZE
