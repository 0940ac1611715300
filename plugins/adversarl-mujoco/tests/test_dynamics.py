"""What dynamics axes do to motion and force, measured in the physics."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from adversarl.types import Perturbation

STEP_S = 0.05


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(1, image_size=16)


@pytest.fixture(autouse=True)
def _nominal(world):
    world.restore([0])


def begin(world, name=None, value=None, intensity=1.0, seed=1):
    """Begins the same episode, with or without a perturbation."""
    world.restore([0])
    if name:
        world.perturb([0], [[Perturbation(name, intensity, value=value, seed=seed)]])
    world.reset(seed=[3])
    return world.simulations[0]


def idle(world, steps, action=(0, 0, 0, -1)):
    for _ in range(steps):
        world.step(np.array([action], np.float32))


def put_cube(simulation, position, velocity=(0, 0, 0)):
    """Puts the cube somewhere, level [m, m/s]."""
    joint = simulation.model.joint("cube_free")
    pose, speed = int(joint.qposadr[0]), int(joint.dofadr[0])
    simulation.data.qpos[pose : pose + 7] = (*position, 1, 0, 0, 0)
    simulation.data.qvel[speed : speed + 6] = (*velocity, 0, 0, 0)
    mujoco.mj_step1(simulation.model, simulation.data)
    return simulation.data.body("cube")


def fall(world, *change):
    """How far the cube falls freely in four control steps, per axis [m]."""
    simulation = begin(world, *change)
    body = put_cube(simulation, (0.2, 0.3, 1.5))
    idle(world, 4)
    return body.xpos - (0.2, 0.3, 1.5)


@pytest.mark.parametrize(
    ("value", "pull"),
    [
        ("strong", (0, 0, -13.81)),
        ("weak", (0, 0, -5.81)),
        ("left", (0, -4, -9.81)),
        ("right", (0, 4, -9.81)),
        ((1.0, 0.0, 0.0), (4, 0, -9.81)),
    ],
)
def test_gravity_is_what_free_fall_shows(world, value, pull):
    # From rest, n semi-implicit Euler steps of length h fall g h^2 n (n + 1) / 2.
    n, h = 4 * 10, 0.005
    np.testing.assert_allclose(fall(world, "gravity", value), np.array(pull) * h * h * n * (n + 1) / 2, atol=2e-4)
    np.testing.assert_allclose(fall(world), np.array((0, 0, -9.81)) * h * h * n * (n + 1) / 2, atol=2e-4)


def shove(world, *change, force=1.0):
    """Acceleration of the floating cube under a force along x [m/s^2]."""
    simulation = begin(world, *change)
    put_cube(simulation, (0.2, 0.3, 1.5))
    simulation.data.xfrc_applied[simulation.model.body("cube").id, 0] = force
    idle(world, 1)
    return simulation.data.body("cube").cvel[3] / STEP_S


def test_a_heavy_object_needs_three_times_the_force(world):
    assert shove(world) == pytest.approx(1 / 0.08, rel=1e-3)
    assert shove(world, "object-mass", "heavy", force=3.0) == pytest.approx(1 / 0.08, rel=1e-3)
    assert shove(world, "object-mass", "light", force=1 / 3) == pytest.approx(1 / 0.08, rel=1e-3)


def test_twice_as_heavy_is_an_intensity(world):
    simulation = begin(world, "object-mass", "heavy", np.log(2) / np.log(3))
    assert simulation.model.body("cube").mass[0] == pytest.approx(0.16)


def slide(world, *change):
    """How far the cube slides on the table from 0.5 m/s [m]."""
    simulation = begin(world, *change)
    body = put_cube(simulation, (0.0, -0.2, 0.4225), (0.0, 0.5, 0.0))
    idle(world, 10)
    return body.xpos[1] + 0.2


@pytest.mark.parametrize("name", ["object-friction", "table-friction"])
def test_friction_decides_how_far_the_object_slides(world, name):
    nominal = slide(world)
    assert nominal == pytest.approx(0.5**2 / (2 * 9.81), rel=0.5)
    assert slide(world, name, "slippery") > 6 * nominal
    assert slide(world, name, "rough") < 0.7 * nominal


def test_a_slippery_object_slips_out_of_a_gripper_that_held_it(world):
    """The fingers' own friction would hold it, if the larger of two frictions counted."""

    def lifted(*changes):
        world.restore([0])
        world.perturb([0], [changes])
        world.reset(seed=[3])
        for _ in range(60):
            if world.step(world.teacher([0]))[2][0]:
                return True
        return False

    weak = Perturbation("gripper-force", 0.7, value="weak")
    assert lifted(weak)
    assert not lifted(weak, Perturbation("object-friction", 1.0, value="slippery"))


def grip(world, *change):
    """Force of the left finger on the cube held in mid-air [N]."""
    simulation = begin(world, *change)
    arm = simulation.arms[0]
    for _ in range(4):
        put_cube(simulation, arm.point)
        idle(world, 1, (0, 0, 0, 1))
    return float(simulation.data.sensor("robot_touch_finger_left").data[0])


def test_the_grip_force_scales(world):
    nominal = grip(world)
    assert nominal > 10
    assert grip(world, "gripper-force", "strong") > 2 * nominal
    assert grip(world, "gripper-force", "weak") < nominal / 10


def sag(world, *change):
    """How far the grasp point sinks while nothing is asked of the arm [m]."""
    simulation = begin(world, *change)
    before = simulation.arms[0].point[2]
    idle(world, 8)
    return before - simulation.arms[0].point[2]


def test_heavy_links_pull_the_arm_down_and_light_ones_let_it_rise(world):
    assert abs(sag(world)) < 1e-4
    assert sag(world, "link-mass", "heavy") > 1e-3
    assert sag(world, "link-mass", "light") < -1e-3


def reach(world, *change):
    """Angle of the arm's first joint during its answer to a step of its target by 0.2 rad [rad]."""
    simulation = begin(world, *change)
    arm, angles = simulation.arms[0], []
    target = np.array(arm.joints)
    target[0] += 0.2
    first = arm.joints[0]
    for _ in range(12):
        simulation.data.ctrl[:7] = target
        mujoco.mj_step(simulation.model, simulation.data, 4)
        angles.append(arm.joints[0] - first)
    return np.array(angles)


def test_damping_slows_and_its_lack_overshoots(world):
    nominal, stiff, loose = (reach(world, *c) for c in ((), ("joint-damping", "stiff"), ("joint-damping", "loose")))
    assert stiff[2] < 0.75 * nominal[2]
    assert loose.max() > nominal.max() + 0.005


def test_a_weak_servo_gives_way_more_and_a_strong_one_less(world):
    def give(*change):
        simulation = begin(world, *change)
        simulation.data.xfrc_applied[simulation.model.body("robot_hand").id, 2] = -30
        before = simulation.arms[0].joints.copy()
        target = before.copy()
        for _ in range(200):
            simulation.data.ctrl[:7] = target
            mujoco.mj_step(simulation.model, simulation.data)
        return np.abs(simulation.arms[0].joints - before).max()

    nominal = give()
    assert give("actuator-gain", "weak") == pytest.approx(nominal / 0.75, rel=0.1)
    assert give("actuator-gain", "strong") == pytest.approx(nominal / 1.5, rel=0.1)


def ranges(model):
    """Limits of the arm's joints [rad]. Shape (7, 2)."""
    return np.array([model.joint(f"robot_joint{number}").range for number in range(1, 8)])


def test_joints_stop_at_the_shifted_limits(world):
    simulation = begin(world, "joint-limits")
    model, arm = simulation.model, simulation.arms[0]
    low, high = ranges(model).T
    home = np.array(arm.home)
    assert np.all(low < home - 0.09)
    assert np.all(high > home + 0.09)
    assert np.all(high - low < 0.5 * (ranges(begin(world).model) @ (-1, 1)))
    begin(world, "joint-limits")
    for _ in range(100):
        simulation.data.ctrl[:7] = home + 1.5 * np.eye(7)[0]
        mujoco.mj_step(model, simulation.data, 4)
    assert arm.joints[0] < high[0] + 0.05
    assert high[0] < home[0] + 1.5


@pytest.mark.parametrize("name", ["link-mass", "joint-damping", "actuator-gain", "joint-limits"], ids=lambda name: name)
def test_each_part_draws_its_own_unless_named(world, name):
    def arrays(value):
        model = begin(world, name, value).model
        fields = (model.body_mass, model.dof_damping, model.actuator_gainprm[:, 0], model.jnt_range[:, 1])
        return np.concatenate([field.copy() for field in fields])

    nominal = begin(world).model
    base = np.concatenate(
        [nominal.body_mass, nominal.dof_damping, nominal.actuator_gainprm[:, 0], nominal.jnt_range[:, 1]]
    ).clip(1e-12)
    factors = np.round(arrays(None) / base, 9)
    assert len(set(factors[factors != 1])) >= 5
