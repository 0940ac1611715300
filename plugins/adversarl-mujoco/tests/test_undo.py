"""Whatever is put in force ends without a trace, and snapshots carry it: all axes, judged to the bit."""

from __future__ import annotations

import pickle
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes import AXES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adversarl.types import Perturbation

PROCESSES = [
    *("action-noise", "action-delay", "backlash", "pushes", "timing-jitter", "clutter", "frozen-frames"),
    *("dropped-frames", "camera-latency", "proprio-noise", "proprio-bias", "proprio-freeze", "proprio-delay"),
]
SENSORS = [axis.name for axis in AXES if axis.group == "sensor"]
MECHANICAL = [axis for axis in AXES if axis.group in ("geometry", "dynamics")]
SEED = 11


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(2, image_size=24)


@pytest.fixture(autouse=True)
def _nominal(world):
    world.restore([0, 1])
    world.reset(seed=[SEED, SEED])


def contents(world, env):
    model = world.simulations[env].model
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def actions(steps):
    """Reaching, closing and lifting, with some randomness; the same for both environments."""
    return np.random.default_rng(5).uniform(-1, 1, (steps, 1, 4)).repeat(2, axis=1).astype(np.float32)


def look(world, observation, reward):
    return observation["image"], observation["proprio"], world.state(), reward


def play(world, steps, changes=None, taught=False):
    """Frames of both environments: image, proprio, state, reward."""
    frames = []
    for step, action in enumerate(actions(steps)):
        if changes and step in changes:
            changes[step]()
        observation, reward, *_ = world.step(world.teacher([0, 1]) if taught else action)
        frames.append(look(world, observation, reward))
    return frames


def same(frames, env, others, other):
    pairs = zip(frames, others, strict=True)
    return all(np.array_equal(x[env], y[other]) for a, b in pairs for x, y in zip(a, b, strict=True))


def put(world, *perturbations, envs=(0,)):
    world.perturb(envs, [list(perturbations)] * len(envs))


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_undone_at_the_next_reset(world, axis):
    before = contents(world, 0)
    for target in axis.targets or (None,):
        put(world, Perturbation(axis.name, 1.0, target, seed=3))
    world.reset(seed=[SEED, SEED])
    play(world, 5)
    world.restore([0])
    observation, _ = world.reset(seed=[SEED, SEED])
    assert contents(world, 0) == before == contents(world, 1)
    np.testing.assert_array_equal(observation["image"][0], observation["image"][1])
    frames = play(world, 8)
    assert same(frames, 0, frames, 1)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_intensity_zero_is_nominal(world, axis):
    put(world, Perturbation(axis.name, 0.0, seed=3))
    world.reset(seed=[SEED, SEED])
    frames = play(world, 6)
    assert same(frames, 0, frames, 1)
    assert contents(world, 0) == contents(world, 1)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_it_acts_within_the_episode_or_waits_for_the_reset(world, axis):
    def shows(seed):
        world.restore([0])
        world.reset(seed=[seed, seed])
        change = Perturbation(axis.name, 1.0, seed=seed)
        frames = play(world, 45, {3: lambda: put(world, change)}, taught=True)
        assert same(frames[:3], 0, frames[:3], 1)
        return not same(frames, 0, frames, 1)

    if axis.mid_episode:
        assert any(shows(seed) for seed in range(12))
    else:
        assert not shows(1)
        before = contents(world, 1)
        assert contents(world, 0) == before
        world.reset(seed=[2, 2])
        frames = play(world, 30, taught=True)
        assert not same(frames, 0, frames, 1)


def test_what_waits_for_the_reset_also_ends_there(world):
    put(world, Perturbation("object-size", 1.0, value="large"), envs=(0, 1))
    world.reset(seed=[SEED, SEED])
    frames = play(world, 12, {4: lambda: world.restore([0])})
    assert same(frames, 0, frames, 1)
    assert world.active([0, 1])[0] == ()


@pytest.mark.parametrize("name", SENSORS)
def test_a_sensor_restored_in_the_middle_reads_the_truth_again(world, name):
    put(world, Perturbation(name, 1.0, seed=1))
    world.reset(seed=[SEED, SEED])
    frames = play(world, 20, {12: lambda: world.restore([0])})
    assert same(frames[12:], 0, frames[12:], 1)
    states = [frame[2:] for frame in frames]
    assert same(states, 0, states, 1)  # a sensor changes neither state nor reward
    people = world.frames([0, 1], 40)
    np.testing.assert_array_equal(people[0], people[1])


@pytest.mark.parametrize("name", [axis.name for axis in MECHANICAL] + SENSORS)
def test_a_snapshot_in_the_middle_repeats_in_any_environment(world, name):
    put(world, Perturbation(name, 1.0, seed=2))
    world.reset(seed=[SEED, 77])
    play(world, 7)
    saved = pickle.loads(pickle.dumps(world.snapshot([0])))
    shown = {key: value[0].copy() for key, value in world._observation().items()}
    put(world, Perturbation("camera-fov", 1.0, seed=1))
    first = play(world, 9)
    for env in (0, 1):
        put(world, Perturbation("object-mass", 1.0), Perturbation("table-height", 1.0), envs=[env])
        observation = world.rewind([env], saved)
        for key, value in shown.items():
            np.testing.assert_array_equal(observation[key][env], value)
        put(world, Perturbation("camera-fov", 1.0, seed=1), envs=[env])
        assert same(play(world, 9), env, first, 0)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_goes_on_when_something_else_begins_and_ends(world, name):
    process, other = Perturbation(name, 1.0, seed=4), Perturbation("object-mass", 0.0)
    put(world, process, envs=(0, 1))
    world.reset(seed=[SEED, SEED])

    def swap():
        world.restore([0])
        put(world, process)

    frames = play(world, 24, {6: lambda: put(world, other), 13: swap})
    assert same(frames, 0, frames, 1)


@pytest.mark.parametrize("name", PROCESSES)
def test_seeds_of_perturbation_and_episode_decide_a_process(world, name):
    def trace(seed, episode):
        world.restore([0])
        put(world, Perturbation(name, 0.4, seed=seed))
        observation, _ = world.reset(seed=[episode, episode])
        return [look(world, observation, np.zeros(2)), *play(world, 40)]

    one = trace(1, SEED)
    assert same(one, 0, trace(1, SEED), 0)
    assert any(not same(one, 0, trace(seed, SEED), 0) for seed in range(2, 40))


@pytest.mark.parametrize("name", [axis.name for axis in MECHANICAL] + SENSORS)
def test_an_episode_repeats_whatever_happened_before(world, name):
    put(world, Perturbation(name, 1.0, seed=6), envs=(0, 1))
    world.reset(seed=[SEED, 5])
    first = play(world, 25)
    world.reset(seed=[6, SEED])
    assert same(play(world, 25), 1, first, 0)


some = st.builds(
    Perturbation,
    axis=st.sampled_from([axis.name for axis in AXES]),
    intensity=st.floats(0, 1),
    seed=st.integers(0, 2**63),
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(some, max_size=6)),
        st.tuples(st.just("step"), st.integers(1, 4)),
        st.tuples(st.just("restore"), st.none()),
        st.tuples(st.just("reset"), st.integers(0, 50)),
        st.tuples(st.just("rewind"), st.none()),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=moves)
def test_any_story_of_any_axes_ends_in_the_nominal_world(world, story):
    world.restore([0, 1])
    world.reset(seed=[SEED, SEED])
    before, saved = contents(world, 1), world.snapshot([0])
    for what, how in story:
        if what == "put":
            put(world, *how)
        elif what == "step":
            play(world, how)
        elif what == "restore":
            world.restore([0])
        elif what == "reset":
            world.reset(seed=[how, how])
        else:
            world.rewind([0], saved)
            saved = world.snapshot([0])
    world.restore([0])
    observation, _ = world.reset(seed=[SEED, SEED])
    assert contents(world, 0) == before
    for value in observation.values():
        np.testing.assert_array_equal(value[0], value[1])
    frames = play(world, 6)
    assert same(frames, 0, frames, 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(active=st.lists(some, max_size=7, unique_by=lambda p: p.axis), order=st.randoms(use_true_random=False))
def test_the_order_of_perturbations_never_matters(world, active, order):
    shuffled = list(active)
    order.shuffle(shuffled)
    world.restore([0, 1])
    put(world, *active, envs=[0])
    put(world, *shuffled, envs=[1])
    observation, _ = world.reset(seed=[SEED, SEED])
    for value in observation.values():
        np.testing.assert_array_equal(value[0], value[1])
    frames = play(world, 5)
    assert same(frames, 0, frames, 1)
    assert contents(world, 0) == contents(world, 1)


def test_a_perturbation_that_only_grows_starts_its_process_anew(world):
    weak = Perturbation("action-delay", 0.5, seed=1)
    put(world, weak)
    world.reset(seed=[SEED, SEED])
    play(world, 3)
    put(world, replace(weak, intensity=1.0))
    play(world, 1)
    (running,) = world.snapshot([0])[0].effects.running
    assert running[0].intensity == 1.0


def test_a_world_without_processes_carries_none(world):
    put(world, Perturbation("table-color", 1.0), Perturbation("gravity", 1.0))
    world.reset(seed=[SEED, SEED])
    play(world, 2)
    first, second = (saved.effects for saved in world.snapshot([0, 1]))
    assert first is second
    assert (first.running, first.picture, first.row) == ((), None, None)
