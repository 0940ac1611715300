"""Sizes, shapes and places: episodes begin as asked for, at rest and with nothing inside of anything."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes import shapes
from adversarl_mujoco.axes.geometry import CLUTTER, SHIFT_M, TABLE_M
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.tasks.layout import AREA, YAW

from adversarl.errors import PerturbationError
from adversarl.types import Perturbation

HALF = 0.0225
CASES = [
    *(("object-shape", shape) for shape in ("sphere", "cylinder", "capsule", "ellipsoid")),
    *(("object-size", size) for size in ("large", "small")),
    *(("object-position", side) for side in (None, "left", "right", "closer", "farther", "left farther")),
    *(("object-rotation", value) for value in (None, "tipped")),
    *(("table-height", way) for way in ("high", "low")),
    *(("clutter", None), ("robot-start", None)),
]


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(8, image_size=16)


@pytest.fixture(autouse=True)
def _nominal(world):
    world.restore(range(8))


def begin(world, *perturbations, seed=0):
    """Begins eight episodes, each with its own draws."""
    world.restore(range(8))
    world.perturb(range(8), [[Perturbation(*p, seed=env) for p in perturbations] for env in range(8)])
    world.reset(seed=seed)
    return world.simulations


def cube(simulation):
    return simulation.data.body("cube")


def depth(simulation):
    """How deep anything is inside of anything [m]."""
    mujoco.mj_forward(simulation.model, simulation.data)
    return -min((contact.dist for contact in simulation.data.contact), default=0.0)


@pytest.mark.parametrize(("name", "value"), CASES)
def test_episodes_begin_at_rest_and_apart(world, name, value):
    for seed in (0, 100):
        for simulation in begin(world, (name, 1.0, None, value), seed=seed):
            assert depth(simulation) < 1e-4
            assert not simulation.arms[0].collides()
        before = [cube(simulation).xpos.copy() for simulation in world.simulations]
        for _ in range(10):
            world.step(np.zeros((8, 4), np.float32))
        moved = [np.linalg.norm(cube(s).xpos - x) for s, x in zip(world.simulations, before, strict=True)]
        assert max(moved) < 2e-3


def test_all_of_geometry_at_once_begins_apart(world):
    for seed in range(0, 80, 8):
        names = sorted({name for name, _ in CASES})
        for simulation in begin(world, *((name, 1.0) for name in names), seed=seed):
            assert depth(simulation) < 1e-4


def test_an_odd_posture_is_odd_and_never_low(world):
    home = np.array(world.simulations[0].arms[0].home)
    far = [
        np.abs(s.arms[0].joints - home).max()
        for seed in range(0, 40, 8)
        for s in begin(world, ("robot-start", 1.0), seed=seed)
    ]
    assert 0.12 < np.median(far) <= 0.24
    for seed in range(0, 80, 8):
        perturbations = [("robot-start", 1.0), ("object-size", 1.0, None, "large"), ("table-height", 1.0, None, "high")]
        assert all(depth(s) < 1e-4 for s in begin(world, *perturbations, seed=seed))


@pytest.mark.parametrize(("value", "factor"), [("large", 1.5), ("small", 0.5)])
def test_size_scales_lengths_and_keeps_the_density(world, value, factor):
    nominal = begin(world)[0].model.body("cube")
    mass, inertia = nominal.mass[0], nominal.inertia.copy()
    simulation = begin(world, ("object-size", 1.0, None, value))[0]
    model = simulation.model
    np.testing.assert_allclose(model.geom("cube").size, factor * HALF)
    np.testing.assert_allclose(model.geom("cube").rbound, factor * HALF * 3**0.5)
    np.testing.assert_allclose(model.body("cube").mass, factor**3 * mass)
    np.testing.assert_allclose(model.body("cube").inertia, factor**5 * inertia)
    assert model.geom("cube_skin").size[0] > model.geom("cube").size[0]
    assert cube(simulation).xpos[2] == pytest.approx(TABLE_HEIGHT + factor * HALF)
    np.testing.assert_allclose(inertia_of(simulation), factor**3 * mass, rtol=1e-9)


def inertia_of(simulation):
    """What MuJoCo's dynamics takes for the cube's mass along each axis [kg]. Shape (3,)."""
    first = int(simulation.model.joint("cube_free").dofadr[0])
    return simulation.model.dof_M0[first : first + 3]


@pytest.mark.parametrize("shape", list(shapes.TYPES))
def test_volume_and_inertia_of_a_shape_are_those_that_mujoco_compiles(shape):
    size = shapes.equal(shape, 8 * HALF**3)
    assert shapes.volume(shape, size) == pytest.approx(8 * HALF**3)
    quat = " ".join(map(str, shapes.orientation(shape)))
    geom = f"<geom type='{shape}' size='{' '.join(map(str, size))}' quat='{quat}' mass='0.3'/>"
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody><body><freejoint/>{geom}</body></worldbody></mujoco>")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    frame = data.ximat[1].reshape(3, 3)
    tensor = frame @ np.diag(model.body_inertia[1]) @ frame.T
    np.testing.assert_allclose(np.diag(tensor), shapes.inertia(shape, size, 0.3), rtol=1e-9)
    corners = np.abs(data.geom_xmat[0].reshape(3, 3)) @ model.geom_aabb[0, 3:]
    np.testing.assert_allclose(corners, shapes.half(shape, size), rtol=1e-6)


def test_a_shape_keeps_the_mass_and_rests_on_the_table(world):
    for shape in ("sphere", "cylinder", "capsule", "ellipsoid"):
        simulation = begin(world, ("object-shape", 0.2, None, shape))[0]
        model = simulation.model
        assert model.geom("cube").type[0] == model.geom("cube_skin").type[0] == shapes.TYPES[shape]
        assert model.body("cube").mass[0] == pytest.approx(0.08)
        half = shapes.half(shape, shapes.equal(shape, 8 * HALF**3))
        assert cube(simulation).xpos[2] == pytest.approx(TABLE_HEIGHT + half[2])


def test_an_unnamed_shape_is_never_the_nominal_one(world):
    kinds = {int(s.model.geom("cube").type[0]) for s in begin(world, ("object-shape", 1.0))}
    assert int(mujoco.mjtGeom.mjGEOM_BOX) not in kinds
    assert len(kinds) > 1


def test_the_range_of_positions_grows_or_moves(world):
    def places(value=None, intensity=1.0):
        seeds = range(0, 400, 8)
        drawn = [begin(world, ("object-position", intensity, None, value), seed=seed) for seed in seeds]
        return np.array([cube(s).xpos[:2] for simulations in drawn for s in simulations])

    nominal = places(intensity=0.0)
    assert np.abs(places()).max(axis=0) == pytest.approx(1.5 * np.abs(nominal).max(axis=0))
    assert places("left")[:, 1] == pytest.approx(nominal[:, 1] - SHIFT_M)
    assert places("closer")[:, 0] == pytest.approx(nominal[:, 0] - SHIFT_M)
    assert np.abs(places()[:, 0]).max() < 1.5 * AREA[0]


def test_objects_turn_or_lie_on_their_side(world):
    yaws = []
    for seed in range(0, 80, 8):
        for simulation in begin(world, ("object-rotation", 1.0), seed=seed):
            axis = cube(simulation).xmat.reshape(3, 3)[:, 0]
            yaws.append(abs(np.arctan2(axis[1], axis[0])))
    assert max(yaws) > 2.5 > 1 > YAW
    lying = begin(world, ("object-rotation", 1.0, None, "tipped"))[0]
    assert abs(cube(lying).xmat.reshape(3, 3)[2, 2]) < 1e-9


@pytest.mark.parametrize(("value", "rise"), [("high", TABLE_M), ("low", -TABLE_M)])
def test_the_table_moves_with_everything_that_counts_from_it(world, value, rise):
    floor = world.simulations[0].arms[0].low[2]
    simulation = begin(world, ("table-height", 1.0, None, value))[0]
    arm = simulation.arms[0]
    assert simulation.model.body("table").pos[2] == pytest.approx(TABLE_HEIGHT + rise)
    assert cube(simulation).xpos[2] == pytest.approx(TABLE_HEIGHT + rise + HALF)
    assert arm.low[2] == pytest.approx(floor + rise)
    for _ in range(40):
        world.step(np.tile(np.float32([0.5, 0.5, -1, 1]), (8, 1)))
    assert arm.point[2] == pytest.approx(floor + rise, abs=2e-3)
    begin(world)
    assert arm.low[2] == floor


def test_obstacles_are_counted_solid_and_clear_of_the_object(world):
    for count in (0, 1, 3, CLUTTER):
        for simulation in begin(world, ("clutter", count / CLUTTER)):
            bodies = [simulation.data.body(f"obstacle_{index}") for index in range(CLUTTER)]
            there = [body for body in bodies if body.xpos[2] > TABLE_HEIGHT]
            assert len(there) == count
            gaps = [np.linalg.norm(body.xpos[:2] - cube(simulation).xpos[:2]) for body in there]
            assert all(gap > 0.09 for gap in gaps)


def test_an_obstacle_stops_the_gripper(world):
    simulation = begin(world, ("clutter", 1.0))[0]
    block, arm = simulation.data.body("obstacle_0").xpos.copy(), simulation.arms[0]

    def drive(goal, steps):
        for _ in range(steps):
            way = np.clip((goal - np.array(arm.point)) / 0.03, -1, 1)
            world.step(np.tile(np.float32([*way, 1]), (8, 1)))

    drive(np.array([block[0], block[1], TABLE_HEIGHT + 0.15]), 30)
    drive(np.array([block[0], block[1], TABLE_HEIGHT + 0.02]), 20)
    assert arm.collides()
    assert arm.point[2] > block[2] + 0.01
    np.testing.assert_array_equal(simulation.data.body("obstacle_0").xpos, block)


def test_obstacles_follow_the_table_up(world):
    begin(world, ("clutter", 1.0))
    simulation = begin(world, ("clutter", 1.0), ("table-height", 1.0, None, "high"))[0]
    body = simulation.model.body("obstacle_0")
    assert body.pos[2] == pytest.approx(TABLE_HEIGHT + TABLE_M + simulation.model.geom("obstacle_0").size[2])


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_the_teacher_solves_what_geometry_asks(world, name):
    solved = []
    for seed in range(0, 24, 8):
        begin(world, (name, 1.0), seed=seed)
        done = np.zeros(8, bool)
        for _ in range(80):
            done |= world.step(world.teacher(range(8)))[2]
            if done.all():
                break
        solved += done.tolist()
    assert np.mean(solved) >= 0.9


def test_what_cannot_be_reshaped_is_not_offered_and_refused(open_world):
    objects = [{"name": "mug", "type": "cup"}, {"name": "bin", "type": "bin", "position": (0.1, 0.25)}]
    world = open_world(1, scene={"objects": objects}, task={"type": "pick", "target": "mug"})
    targets = {axis.name: axis.targets for axis in world.axes}
    assert "object-shape" not in targets
    assert targets["object-size"] == ("mug",)
    assert targets["object-friction"] == ("mug", "bin")
    with pytest.raises(PerturbationError, match="no target of object-shape 'mug'"):
        world.perturb([0], [[Perturbation("object-shape", 1.0)]])
    with pytest.raises(PerturbationError, match="no target of object-size 'bin'"):
        world.perturb([0], [[Perturbation("object-size", 1.0, "bin")]])


def test_fixtures_and_bystanders_rise_with_the_table(open_world):
    objects = [
        {"name": "mug", "type": "cup"},
        {"name": "bin", "type": "bin", "position": (0.1, 0.3)},
        {"name": "can", "type": "cylinder", "position": (-0.1, -0.25)},
    ]
    world = open_world(1, scene={"objects": objects}, task={"type": "pick", "target": "mug"})

    def heights(*perturbations):
        world.restore([0])
        world.perturb([0], [perturbations])
        world.reset(seed=[2])
        return np.array([world.simulations[0].data.body(name).xpos[2] for name in ("mug", "bin", "can", "table")])

    nominal = heights()
    raised = heights(Perturbation("table-height", 1.0, value="high"))
    np.testing.assert_allclose(raised - nominal, TABLE_M)
    grown = heights(Perturbation("object-size", 1.0, "can", value="large"))
    assert np.argmax(grown - nominal) == 2
    assert depth(world.simulations[0]) < 1e-4
    np.testing.assert_array_equal(heights(), nominal)


@pytest.mark.parametrize("shape", list(shapes.TYPES))
def test_bounds_of_a_shape_are_those_that_mujoco_compiles(shape):
    size = shapes.equal(shape, 8 * HALF**3)
    geom = f"<geom type='{shape}' size='{' '.join(map(str, size))}'/>"
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody><body>{geom}</body></worldbody></mujoco>")
    radius, half = shapes.bounds(shape, size)
    assert model.geom_rbound[0] == pytest.approx(radius)
    np.testing.assert_allclose(model.geom_aabb[0, 3:], half)
