"""Policies that fail in one known way each, in real worlds, and what the simulator calls it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from adversarl_mujoco.tasks.catalog import TASKS
from adversarl_mujoco.tasks.handover_state import STATE as HANDOVER
from adversarl_mujoco.tasks.insert_state import STATE as INSERT
from adversarl_mujoco.tasks.pick_state import STATE
from adversarl_mujoco.tasks.place import PLACE_STATE

from adversarl.interfaces.trials import Trial
from adversarl.rollouts import Recorder, Rollouts

ENVS = 2
SEEDS = range(ENVS)
HARDER = {"reach": {"hold": 1.0}, "insert": {"depth": 0.03, "time_limit": 5.0}, "pour": {"time_limit": 5.0}}
"""Conditions of success under which a policy cannot help but fail."""
TWO_CUBES = {
    "objects": [
        {"name": "red", "type": "box", "position": [0.05, 0.12], "randomize": {"position": [0, 0]}},
        {"name": "blue", "type": "box", "position": [0.05, -0.12], "randomize": {"position": [0, 0]}},
    ]
}


class Policy:
    """The teacher's actions, spoilt; `spoil` is called with the step, the states and the actions."""

    def __init__(self, world, spoil):
        self.world, self.spoil, self.step = world, spoil, 0

    def __call__(self, observation):
        actions = self.spoil(self.step, self.world.state(), self.world.teacher(range(self.world.num_envs)))
        self.step += 1
        return actions


def kinds(world, spoil):
    """The kinds of failure of one episode per environment; `success` where there was none."""
    recorder = Recorder(world.num_envs)
    outcomes = Rollouts(world, Policy(world, spoil), recorder).play([Trial(seed) for seed in SEEDS])
    return {"success" if o.success else world.failure_kind(o.trace) for o in outcomes}


def column(states, name, table=STATE):
    return states[:, table[name][0]]


def height(states):
    return 0.1 * column(states, "object")[:, 2]


def stay(step, states, actions):
    return np.zeros_like(actions)


def closes_beside(aside):
    """Sinks to the object's height so far to its left [m], closes there and goes up again."""

    def spoil(step, states, actions):
        way = 0.1 * column(states, "offset") + (0, aside, 0)
        way[:, 2] += 0.1 * (np.abs(way[:, 1]) > 0.01)
        actions[:, :3] = np.clip(way / 0.03, -1, 1)
        actions[:, 3] = -1.0 if step < 40 else 1.0
        if step >= 60:
            actions[:, :3] = 0, 0, 1
        return actions

    return spoil


def opens_when(lost):
    """Opens for good once `lost` holds of the states."""
    done = np.zeros(ENVS, bool)

    def spoil(step, states, actions):
        nonlocal done
        done |= lost(states)
        actions[done, 3] = -1.0
        actions[done, :3] = 0
        return actions

    return spoil


def stops_when(reached):
    """Stays where it is, gripper closed, once `reached` holds of the states."""
    done = np.zeros(ENVS, bool)

    def spoil(step, states, actions):
        nonlocal done
        done |= reached(states)
        actions[done] = 0.0
        actions[done, 3::4] = 1.0
        return actions

    return spoil


def crawls(pace, since=0):
    def spoil(step, states, actions):
        if step >= since:
            actions[:, :3] *= pace
        return actions

    return spoil


def held(states):
    return column(states, "flags")[:, 0] > 0


def never(step, states, actions):
    return actions


@pytest.fixture(scope="module")
def pick(open_world):
    return open_world(ENVS, image_size=16)


@pytest.fixture(scope="module")
def harder(open_world):
    """One world of each task, under `HARDER` conditions."""
    return cache(lambda task: open_world(ENVS, image_size=16, task={"type": task, "success": HARDER.get(task, {})}))


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("success", lambda: never),
        ("never-reached", lambda: stay),
        ("wrong-place", lambda: closes_beside(0.12)),
        ("missed", lambda: closes_beside(0.05)),
        ("dropped", lambda: opens_when(lambda states: height(states) > 0.05)),
        ("held-too-low", lambda: stops_when(lambda states: height(states) > 0.05)),
        ("too-slow", lambda: crawls(0.1)),
    ],
)
def test_each_way_of_failing_to_pick_has_its_name(pick, kind, spoil):
    assert kinds(pick, spoil()) == {kind}


def test_lifting_another_object_than_the_target_is_called_so(open_world):
    wanted, other = (open_world(ENVS, image_size=16, scene=TWO_CUBES, task={"target": n}) for n in ("red", "blue"))
    other.reset(seed=list(SEEDS))

    def expert_of_the_other(step, states, actions):
        if step < 60:
            actions = other.teacher(SEEDS)
        else:
            actions[:] = 0, 0, 0, 1
        other.step(actions)
        return actions

    assert kinds(wanted, expert_of_the_other) == {"wrong-object"}


def test_an_object_gripped_at_the_very_end_was_too_slow_not_too_low(pick):
    recorder = Recorder(ENVS)
    (first, *_) = Rollouts(pick, Policy(pick, never), recorder).play([Trial(seed) for seed in SEEDS])
    gripped = int(np.flatnonzero(held(first.trace.state))[0])
    for steps in (gripped + 1, gripped + 3):
        assert pick.failure_kind(replace(first.trace, state=first.trace.state[:steps])) == "too-slow"
    lying = np.repeat(first.trace.state[gripped : gripped + 1], 20, axis=0)
    assert pick.failure_kind(replace(first.trace, state=lying)) == "held-too-low"


def test_a_kind_is_a_function_of_the_trace_alone(pick, open_world):
    recorder = Recorder(ENVS)
    (first, *_) = Rollouts(pick, Policy(pick, closes_beside(0.05)), recorder).play([Trial(seed) for seed in SEEDS])
    other = open_world(1, image_size=16)
    other.reset(seed=99)
    assert other.failure_kind(first.trace) == pick.failure_kind(first.trace) == "missed"


def sets_down(step, states, actions):
    """Lowers the object where it is and lets go just above the table."""
    low = 0.1 * column(states, "goal", PLACE_STATE)[:, 2] > -0.008
    actions[:, :3] = 0, 0, -0.3
    actions[:, 3] = np.where(low, -1.0, 1.0)
    actions[low, :3] = 0
    return actions


def keeps_gripping(step, states, actions):
    actions[:, 3] = 1.0
    return actions


def in_the_hole(states):
    return column(states, "depth", INSERT)[:, 0] > 0


def puts_beside_the_hole(step, states, actions):
    """Carries the peg over the socket's rim and presses it down there."""
    hole, taken = 0.1 * column(states, "hole", INSERT), held(states)
    near = np.hypot(hole[:, 0], hole[:, 1] + 0.025) < 0.008
    way = hole + (0, 0.025, 0) + np.where(near, -0.004, 0.02)[:, None] * (0, 0, 1)
    actions[taken, :3] = np.clip(0.5 * way / 0.03, -0.5, 0.5)[taken]
    return actions


def keeps_level(step, states, actions):
    actions[:, 4] = 0.0
    return actions


def pours_at_once(step, states, actions):
    high = held(states) & (height(states) > 0.05)
    actions[high] = 0, 0, 0, 1, 1
    return actions


def leaves_the_second_arm(step, states, actions):
    actions[:, 4:] = 0.0
    return actions


def holds_on(step, states, actions):
    taken = column(states, "flags", HANDOVER)[:, 1] > 0
    actions[taken] = 0, 0, 0, 1, 0, 0, 0, 1
    return actions


def the_bar_is_up(states):
    return 0.1 * column(states, "object", HANDOVER)[:, 2] > -0.05


def stops_short(step, states, actions):
    actions[:, :3] = np.clip((0.1 * column(states, "offset") + (0, 0, 0.04)) / 0.03, -1, 1)
    return actions


def visits_and_leaves():
    done = np.zeros(ENVS, bool)

    def spoil(step, states, actions):
        nonlocal done
        done |= np.linalg.norm(0.1 * column(states, "offset"), axis=1) < 0.015
        actions[done] = 0, 0, 1, 1
        return actions

    return spoil


@pytest.mark.parametrize(
    ("task", "kind", "spoil"),
    [
        ("place", "dropped", lambda: opens_when(lambda states: np.ones(len(states), bool))),
        ("place", "beside", lambda: sets_down),
        ("place", "not-released", lambda: keeps_gripping),
        ("place", "too-slow", lambda: stay),
        ("pick-place", "missed", lambda: closes_beside(0.05)),
        ("insert", "stuck", lambda: stops_when(in_the_hole)),
        ("insert", "beside", lambda: puts_beside_the_hole),
        ("pour", "not-poured", lambda: keeps_level),
        ("pour", "spilled", lambda: pours_at_once),
        ("handover", "not-taken", lambda: leaves_the_second_arm),
        ("handover", "not-released", lambda: holds_on),
        ("handover", "dropped", lambda: opens_when(the_bar_is_up)),
        ("reach", "near-miss", lambda: stops_short),
        ("reach", "left-again", visits_and_leaves),
    ],
)
def test_each_way_of_failing_at_other_tasks_has_its_name(harder, task, kind, spoil):
    assert kinds(harder(task), spoil()) == {kind}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_whatever_happens_the_kind_is_one_of_the_worlds(open_world, task):
    world = open_world(ENVS, image_size=16, task={"type": task, "success": {"time_limit": 1.0}})
    assert world.failure_kinds == TASKS[task].failure_kinds
    assert len(set(world.failure_kinds)) == len(world.failure_kinds) > 0
    rng = np.random.default_rng(0)
    found = kinds(world, lambda step, states, actions: actions + rng.normal(0, 2.0, actions.shape))
    assert found <= {*world.failure_kinds, "success"}
    assert kinds(world, stay) <= {"never-reached", "too-slow"}
