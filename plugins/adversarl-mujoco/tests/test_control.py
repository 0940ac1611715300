from __future__ import annotations

import numpy as np
import pytest
from adversarl_mujoco.control import MAX_TILT, MAX_TURN


def targets(world, actions):
    """Where the arm's actuators are told to go from the home posture [rad]. Shape (len(actions), 7)."""
    simulation = world.simulations[0]
    arm = simulation.arms[0]
    arm.set_joints(np.array(arm.home))
    simulation._settle()
    told = []
    for action in actions:
        arm.act(*action)
        told.append(arm._targets.copy())
    return np.array(told)


ACTIONS = np.random.default_rng(0).uniform(-1, 1, (20, 4)).tolist()


def test_what_else_moves_in_a_scene_changes_no_bit_of_what_an_arm_is_told(open_world):
    ball = {"type": "sphere", "position": [0.1, 0.2]}
    dish = {"type": "plate", "position": [0.1, -0.2]}
    alone = open_world(1, scene={"objects": {"cube": {"type": "box"}}})
    crowded = open_world(1, scene={"objects": {"cube": {"type": "box"}, "ball": ball, "dish": dish}})
    for world in (alone, crowded):
        world.reset(seed=0)
        world.simulations[0].arms[0]._home = alone.simulations[0].arms[0].home
    assert crowded._model.nv == alone._model.nv + 12
    np.testing.assert_array_equal(targets(alone, ACTIONS), targets(crowded, ACTIONS))


def test_a_tilt_of_nothing_keeps_a_gripper_pointing_down_as_no_tilt_does(open_world):
    world = open_world(1)
    world.reset(seed=3)
    arm = world.simulations[0].arms[0]
    np.testing.assert_allclose(arm._turn(None), arm._slant(), atol=1e-12)


@pytest.mark.parametrize("heading", [0.0, np.pi / 2, -1.0])
def test_tilts_add_up_and_end_at_the_largest(open_world, heading):
    world = open_world(1, image_size=16)
    world.reset(seed=0)
    simulation = world.simulations[0]
    arm = simulation.arms[0]
    arm.heading = heading
    arm.find_home((0.0, 0.0, 0.65))
    simulation._settle()
    assert arm.tilt() == pytest.approx(0, abs=0.02)
    arm.hold()
    for _ in range(4):
        arm.act(0, 0, 0, -1, 0.5)
        simulation.advance()
        arm.update()
    assert arm.tilt() == pytest.approx(4 * 0.5 * MAX_TURN, rel=0.35)
    for _ in range(60):
        arm.act(0, 0, 0, -1, 1)
        simulation.advance()
        arm.update()
    assert arm.tilt() < MAX_TILT + 0.05
