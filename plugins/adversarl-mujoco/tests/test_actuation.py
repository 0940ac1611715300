"""Noise, delay, slack, pushes and uneven time, measured at the actuators and at the object."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes.actuation import NOISE, LateTargets, NoisyAction, Pushed, Slack, UnevenTime

from adversarl.types import Perturbation

MODEL = mujoco.MjModel.from_xml_string(
    """<mujoco><worldbody>
    <body name="a"><joint name="a" axis="0 0 1"/><geom size=".1" mass="1"/></body>
    <body name="b" pos="1 0 0"><joint name="b" axis="0 0 1"/><geom size=".1" mass="1"/></body>
    <body name="thing" pos="0 1 0"><freejoint/><geom size=".1" mass="2"/></body>
    </worldbody><actuator><position joint="a"/><position joint="b"/></actuator></mujoco>"""
)
MOTORS = np.array([0, 1])


@pytest.fixture
def data():
    return mujoco.MjData(MODEL)


@pytest.fixture(scope="module")
def world(open_world):
    return open_world(20, image_size=16)


def began(effect, data, seed=0):
    effect.begin(np.random.default_rng(seed), MODEL, data)
    return effect


def test_noise_has_the_stated_deviations(data):
    effect = began(NoisyAction(0.1, 0.0, 0.0), data)
    noise = np.array([effect.action([0.0, 0.5]) for _ in range(4000)]) - (0, 0.5)
    assert noise.std(axis=0) == pytest.approx(0.1, rel=0.05)
    assert abs(noise.mean()) < 0.01
    effect = began(NoisyAction(0.0, 0.0, 0.1), data)
    noise = np.array([effect.action([0.0, 0.5]) for _ in range(4000)]) - (0, 0.5)
    assert noise[:, 0].std() == 0
    assert noise[:, 1].std() == pytest.approx(0.05, rel=0.05)


def test_correlated_noise_stays_for_an_episode(data):
    offsets = []
    for episode in range(800):
        effect = began(NoisyAction(0.0, 0.1, 0.0), data, episode)
        first, second = effect.action([0.0]), effect.action([0.0])
        assert list(first) == list(second)
        offsets.append(first[0])
    assert np.std(offsets) == pytest.approx(0.1, rel=0.1)


def test_noisy_actions_stay_in_range(data):
    effect = began(NoisyAction(*NOISE.values()), data)
    drawn = np.array([effect.action([1.0, -1.0]) for _ in range(200)])
    assert np.abs(drawn).max() == 1.0


@pytest.mark.parametrize("delay", [1, 2])
def test_targets_arrive_so_many_steps_late(data, delay):
    data.ctrl[:] = (5.0, 6.0)
    effect = began(LateTargets(float(delay), MOTORS), data)
    got = []
    for step in range(6):
        data.ctrl[:] = (step, step)
        effect.control(MODEL, data)
        got.append(data.ctrl.tolist())
    assert got == [[5.0, 6.0]] * delay + [[step, step] for step in range(6 - delay)]


def test_half_a_step_of_delay_is_one_step_for_half_of_the_actuators(data):
    late = []
    for episode in range(2000):
        data.ctrl[:] = -1
        effect = began(LateTargets(0.5, MOTORS), data, episode)
        data.ctrl[:] = 1
        effect.control(MODEL, data)
        late += (data.ctrl == -1).tolist()
    assert np.mean(late) == pytest.approx(0.5, abs=0.04)


def test_a_delayed_action_moves_the_arm_later(world):
    def path(intensity):
        world.restore(range(20))
        world.perturb([0], [[Perturbation("action-delay", intensity)]])
        world.reset(seed=0)
        points = []
        for step in range(6):
            world.step(np.tile(np.float32([0, 0, float(step == 1), -1]), (20, 1)))
            points.append(world.simulations[0].arms[0].point[2])
        return np.array(points)

    now, later = path(0.0), path(1.0)
    np.testing.assert_allclose(later[2], later[0], atol=1e-3)
    assert now[1] - now[0] > 0.01
    assert later[3] - later[2] > 0.01


def test_slack_eats_reversals_and_nothing_else(data):
    """Full speed crosses the slack in the stated time; then the whole way arrives."""
    effect = began(Slack(0.2, MOTORS, MOTORS), data)
    way = 0.06

    def drive(direction, steps):
        shares = []
        for _ in range(steps):
            data.ctrl[:] = data.qpos[:2] + direction * way
            effect.control(MODEL, data)
            shares.append(float((data.ctrl[0] - data.qpos[0]) / (direction * way)))
        return shares

    drive(1, 8)
    assert drive(1, 3) == pytest.approx([1, 1, 1])
    back = drive(-1, 6)  # 0.2 s are four control steps
    assert back[:3] == pytest.approx([0, 0, 0])
    assert back[4:] == pytest.approx([1, 1])
    assert drive(1, 6)[:3] == pytest.approx([0, 0, 0])


def test_pushes_have_the_stated_size_and_rate(data):
    rates, forces, body = [], [], MODEL.body("thing").id
    for episode in range(300):
        effect = began(Pushed(body, 5.0), data, episode)
        last, pushes = np.zeros(3), 0
        for _ in range(400):
            effect.control(MODEL, data)
            force = data.xfrc_applied[body, :3].copy()
            if not np.allclose(force, last * 0.99 ** (0.05 / 0.08)):
                pushes += 1
                forces.append(force)
            last = force
        rates.append(pushes / (400 * 0.05 / 0.08))
    assert np.std(forces) == pytest.approx(5.0 * 2.0, rel=0.05)
    assert np.mean(rates) == pytest.approx((0.1 - 0.001) / np.log(100), rel=0.2)  # mean of a log-uniform draw
    effect.release(MODEL, data)
    assert not data.xfrc_applied.any()


def test_pushes_move_the_cube(world):
    world.restore(range(20))
    world.perturb(range(20), [[Perturbation("pushes", 1.0, seed=env)] for env in range(20)])
    world.reset(seed=0)
    before = np.array([s.data.body("cube").xpos for s in world.simulations])
    for _ in range(60):
        world.step(np.zeros((20, 4), np.float32))
    moved = np.linalg.norm(np.array([s.data.body("cube").xpos for s in world.simulations]) - before, axis=1)
    assert (moved > 0.02).sum() >= 3
    assert (moved < 0.005).sum() >= 3  # some episodes have hardly any
    world.restore(range(20))


def test_control_steps_last_longer_by_exponential_draws():
    model = mujoco.MjModel.from_xml_string("<mujoco><option timestep='0.005'/></mujoco>")
    data, means = mujoco.MjData(model), []
    for episode in range(200):
        effect = UnevenTime(0.005, 1.0)
        effect.begin(np.random.default_rng(episode), model, data)
        extra = []
        for _ in range(200):
            effect.control(model, data)
            extra.append(model.opt.timestep - 0.005)
        assert min(extra) >= 0
        means.append(np.mean(extra))
    assert 1 / 12500 < min(means) < max(means) < 1 / 1000
    assert np.mean(means) == pytest.approx(np.log(8) / 8750, rel=0.1)  # mean of 1 / U[1250, 10000]
    effect.release(model, data)
    assert model.opt.timestep == 0.005


def test_time_runs_on_in_the_world(world):
    world.restore(range(20))
    world.perturb([0], [[Perturbation("timing-jitter", 1.0)]])
    world.reset(seed=0)
    for _ in range(20):
        world.step(np.zeros((20, 4), np.float32))
    assert world.simulations[1].data.time == pytest.approx(1.0)
    assert world.simulations[0].data.time > 1.005
    world.restore([0])
    world.step(np.zeros((20, 4), np.float32))
    assert world.simulations[0].model.opt.timestep == 0.005
