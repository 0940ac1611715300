"""Training and tests draw different things, and nothing else differs between their worlds."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes.base import DRAWS, draws, on_sphere
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.axes.colors import saturated_color
from adversarl_mujoco.axes.splits import CELLS, in_split, is_test
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adversarl.types import Perturbation

SPLIT = [axis for axis in WORLD_AXES if axis.things]
NAMED = {axis.spec.name: axis for axis in WORLD_AXES}
COLORS = ["table-color", "object-color", "background-color", "floor-color", "robot-color", "ambient-light"]
DIRECTIONS = ["light-position", "light-direction", "camera-position", "camera-orientation"]
SEED = 11
axes = st.sampled_from(SPLIT)
seeds = st.integers(0, 2**64 - 1)
unit = st.floats(0, 1, exclude_max=True)


def field(u, group):
    return tuple(int(CELLS * u[index]) for index in group)


def drawn(axis, seed, split):
    return draws(seed, axis.spec.name, None, axis.things, split)


@given(axis=axes, seed=seeds, other=seeds)
def test_training_and_tests_never_draw_from_the_same_field(axis, seed, other):
    train, test = drawn(axis, seed, "train"), drawn(axis, other, "test")
    for group in axis.things:
        assert field(train, group) != field(test, group)
        assert not is_test(train[index] for index in group)
        assert is_test(test[index] for index in group)


@given(u=st.tuples(unit, unit, unit), split=st.sampled_from(["train", "test"]))
@example(u=(math.nextafter(1, 0), 0.0, 0.0), split="train")
@example(u=(0.75, 0.0, 0.25), split="test")
def test_every_draw_stays_in_the_unit_interval_and_moves_into_its_split(u, split):
    moved = in_split(u, [(0, 1, 2)], split)
    assert all(0 <= one < 1 for one in moved)
    assert is_test(moved) == (split == "test")
    assert moved[1:] == u[1:]
    assert moved in (u, (*in_split(moved, [(0, 1, 2)], split),))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("things", [((0,),), ((0, 1),), ((0, 1, 2),)])
def test_both_splits_are_spread_over_the_whole_range(things, split):
    rng = np.random.default_rng(0)
    rows = np.array([in_split(tuple(row), things, split) for row in rng.random((20_000, 3)).tolist()])
    np.testing.assert_allclose(rows.std(axis=0), 1 / math.sqrt(12), atol=0.02 if len(things[0]) > 1 else 0.04)
    corners = (CELLS * rows[:, things[0]]).astype(int)
    fields, counts = np.unique(corners, axis=0, return_counts=True)
    assert len(fields) == CELLS ** len(things[0]) / 2
    assert counts.max() < 1.25 * counts.mean()
    assert counts.min() > 0.75 * counts.mean()


@pytest.mark.parametrize(
    ("seed", "name", "first"),
    [
        (0, "table-color", (0.5037737131613814, 0.8998408768368418, 0.5101739829074252)),
        (7, "light-position", (0.13266281675068536, 0.30516257959234494, 0.4134661686249881)),
        (2**40 + 3, "distractors", (0.3577134694542975, 0.9730375884863515, 0.46021383497406365)),
    ],
)
def test_without_a_split_a_seed_draws_what_it_always_drew(seed, name, first):
    assert draws(seed, name, None)[:3] == first == drawn(NAMED[name], seed, "all")[:3]


def test_the_draws_of_one_thing_belong_to_no_other():
    for axis in SPLIT:
        indices = [index for group in axis.things for index in group]
        assert len(indices) == len(set(indices))
        assert max(indices) < DRAWS


@settings(deadline=None)
@given(seed=seeds, split=st.sampled_from(["train", "test"]))
def test_what_is_reserved_is_what_tests_draw(seed, split):
    for name in COLORS:
        u = drawn(NAMED[name], seed, split)
        assert NAMED[name].reserved(tuple(u[:3])) == (split == "test")
    for name in ("distractors", "occluder"):
        u = drawn(NAMED[name], seed, split)
        color = NAMED[name].things[-1]
        assert NAMED[name].reserved(tuple(u[index] for index in color)) == (split == "test")
    for name in DIRECTIONS:
        u = drawn(NAMED[name], seed, split)
        if min(abs(CELLS * one - round(CELLS * one)) for one in u[:2]) > 1e-9:  # on an edge rounding decides
            assert NAMED[name].reserved(tuple(3 * part for part in on_sphere(u[0], u[1]))) == (split == "test")
    u = drawn(NAMED["light-color"], seed, split)
    if abs(CELLS * u[0] - round(CELLS * u[0])) > 1e-9:
        assert NAMED["light-color"].reserved(saturated_color(u[0], 0.6)) == (split == "test")


@pytest.fixture(scope="module")
def worlds(open_world):
    return {split: open_world(2, split=split, image_size=24) for split in ("all", "train", "test")}


def test_a_name_is_never_reserved(worlds):
    named = [
        *(Perturbation(axis.spec.name, 1.0, value=name) for axis in SPLIT for name in axis.names),
        *(Perturbation(axis.spec.name, 1.0) for axis in WORLD_AXES),
    ]
    assert not any(world.reserved(one) for world in worlds.values() for one in named)


def test_every_world_knows_what_is_reserved_whatever_it_draws_itself(worlds):
    for world in worlds.values():
        assert world.reserved(Perturbation("table-color", 1.0, value=(0.3, 0.1, 0.1)))
        assert not world.reserved(Perturbation("table-color", 1.0, value=(0.1, 0.1, 0.1)))
        assert not world.reserved(Perturbation("fog", 1.0, value=(0.3, 0.1, 0.1)))


def parameters(world, axis, seed):
    """What the scene looks like and how it moves with one perturbation in force: arrays of the model, and pictures."""
    world.restore([0, 1])
    world.perturb([0], [[Perturbation(axis.spec.name, 0.5, seed=seed)]])
    world.reset(seed=[SEED, SEED])
    observation, *_ = world.step(np.zeros(world.action_space.shape, np.float32))
    model = world.simulations[0].model
    looks = ("mat_rgba", "geom_rgba", "light_pos", "light_dir", "light_diffuse", "cam_pos", "cam_quat")
    physics = ("body_mass", "geom_friction", "actuator_gainprm", "dof_damping")
    seen = [getattr(model, name).copy() for name in looks] + [observation["image"][0].copy()]
    return seen, [getattr(model, name).copy() for name in physics] + [world.state()[0].copy()]


def same(arrays, others):
    return all(np.array_equal(one, other) for one, other in zip(arrays, others, strict=True))


@pytest.mark.parametrize("axis", SPLIT, ids=lambda axis: axis.spec.name)
def test_the_worlds_of_a_split_look_different_and_have_the_same_physics(worlds, axis):
    different = 0
    for seed in range(6):
        found = {split: parameters(world, axis, seed) for split, world in worlds.items()}
        different += not same(found["train"][0], found["test"][0])
        if len(axis.things) == 1:  # what was drawn belongs to one of the two already
            assert any(same(found["all"][0], found[split][0]) for split in ("train", "test"))
        assert same(found["train"][1], found["all"][1])
        assert same(found["test"][1], found["all"][1])
    assert different == 6 if axis.spec.name != "light-count" else different > 0  # fewer lights stand nowhere else


@pytest.mark.parametrize("axis", [a for a in WORLD_AXES if not a.things], ids=lambda axis: axis.spec.name)
def test_what_is_not_split_is_the_same_in_all_worlds(worlds, axis):
    one, *others = (parameters(world, axis, 3) for world in worlds.values())
    for other in others:
        assert same(one[0], other[0])
        assert same(one[1], other[1])


def contents(world, env):
    model = world.simulations[env].model
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


@settings(max_examples=15, deadline=None)
@given(
    split=st.sampled_from(["train", "test"]),
    active=st.lists(
        st.builds(
            Perturbation,
            axis=st.sampled_from([axis.spec.name for axis in WORLD_AXES]),
            intensity=st.floats(0, 1),
            seed=seeds,
        ),
        max_size=8,
    ),
)
def test_what_a_split_draws_is_undone_exactly(worlds, split, active):
    world = worlds[split]
    world.restore([0, 1])
    world.reset(seed=[SEED, SEED])
    before = contents(world, 1)
    world.perturb([0], [active])
    world.reset(seed=[SEED, SEED])
    world.step(np.zeros(world.action_space.shape, np.float32))
    world.restore([0])
    observation, _ = world.reset(seed=[SEED, SEED])
    assert contents(world, 0) == before
    for value in observation.values():
        np.testing.assert_array_equal(value[0], value[1])
