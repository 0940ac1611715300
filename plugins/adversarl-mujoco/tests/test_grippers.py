from __future__ import annotations

import re

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.grippers import STROKE
from adversarl_mujoco.imported import ArmOptions, load_robot
from adversarl_mujoco.robot import RobotError

JAWS = """<mujoco><compiler autolimits="true"/><worldbody><body name="palm">
<geom name="palm" type="box" size="0.02 0.05 0.02" pos="0 0 0.02" mass="0.3"/>
<body name="left" pos="0 0.041 0.04"><joint name="left" type="slide" axis="0 -1 0" range="0 0.04" damping="5"
armature="0.05"/><geom type="box" size="0.01 0.005 0.03" pos="0 0.005 0.03" mass="0.03" friction="1.5"
priority="1"/></body>
<body name="right" pos="0 -0.041 0.04"><joint name="right" type="slide" axis="0 1 0" range="0 0.04" damping="5"
armature="0.05"/><geom type="box" size="0.01 0.005 0.03" pos="0 -0.005 0.03" mass="0.03" friction="1.5"
priority="1"/></body></body></worldbody>
<tendon><fixed name="both"><joint joint="left" coef="0.5"/><joint joint="right" coef="0.5"/></fixed></tendon>
<equality><joint joint1="left" joint2="right" solref="0.005 1"/></equality>
<actuator><position name="close" tendon="both" kp="2000" kv="30" ctrlrange="0 0.04" forcerange="-120 120"/></actuator>
<keyframe><key qpos="0 0"/></keyframe></mujoco>"""
NAMES = {
    "end_effector": "palm",
    "offset": (0, 0, 0.089),
    "fingers": ("left", "right"),
    "gripper": "close",
    "closed": "high",
}


@pytest.fixture
def jaws(tmp_path):
    path = tmp_path / "jaws.xml"
    path.write_text(JAWS)
    return f"file:{path}"


def solved(world, episodes):
    world.reset(seed=0)
    done = np.zeros(episodes, bool)
    for _ in range(world.max_episode_steps):
        done |= world.step(world.teacher(range(episodes)))[2]
        if done.all():
            break
    return done.mean()


def test_the_robotiq_gripper_has_the_published_stroke_and_keeps_its_pads_parallel():
    robot = load_robot("panda", gripper="robotiq")
    model = robot.spec.compile()
    data = mujoco.MjData(model)
    widths = []
    for control in reversed(robot.gripper_ctrl):
        data.actuator("fingers").ctrl = control
        for _ in range(1500):
            mujoco.mj_step(model, data)
        left, right = data.geom("finger_left"), data.geom("finger_right")
        np.testing.assert_allclose(left.xmat, data.body("hand").xmat, atol=0.01)
        np.testing.assert_allclose(right.xmat, data.body("hand").xmat, atol=0.01)
        pads = model.geom("finger_left").id, model.geom("finger_right").id
        widths.append(mujoco.mj_geomDistance(model, data, *pads, 0.5, None))
    assert widths[0] == pytest.approx(STROKE, abs=1e-3)
    assert widths[1] == pytest.approx(0.0, abs=1e-3)


def test_the_robotiq_gripper_holds_with_the_stated_force(open_world):
    world = open_world(1, image_size=16, gripper="robotiq")
    world.reset(seed=0)
    for _ in range(60):
        if world.step(world.teacher(range(1)))[2].any():
            break
    data = world.simulations[0].data
    for name in ("finger_left", "finger_right"):
        assert 30 < float(data.sensor(f"robot_touch_{name}").data[0]) < 110


def test_the_teacher_picks_with_the_robotiq_gripper(open_world):
    assert solved(open_world(40, image_size=16, gripper="robotiq"), 40) >= 0.95


def test_the_teacher_picks_with_a_gripper_from_a_file(jaws, open_world):
    assert solved(open_world(20, image_size=16, gripper=jaws, arm=NAMES), 20) >= 0.95


def test_a_foreign_arm_takes_a_gripper_at_its_flange(tmp_path, jaws):
    arm = """<mujoco><compiler autolimits="true"/><worldbody><body name="one"><joint name="a" range="-2 2"/>
    <geom type="box" size="0.1 0.1 0.1" mass="1"/><body name="tool" pos="0 0 0.3"><joint name="b" axis="0 1 0"
    range="-2 2"/><geom type="sphere" size="0.05" mass="1"/><site name="mount" pos="0 0 0.1"/></body></body>
    </worldbody><actuator><position name="a" joint="a" kp="100"/><position name="b" joint="b" kp="100"/></actuator>
    </mujoco>"""
    path = tmp_path / "arm.xml"
    path.write_text(arm)
    robot = load_robot(f"file:{path}", ArmOptions.model_validate({**NAMES, "flange": "mount"}), jaws)
    assert robot.joints == ("a", "b")
    model = robot.spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(data.site(robot.site).xpos, (0, 0, 0.489), atol=1e-6)
    with pytest.raises(RobotError, match=re.escape("has no site or body 'mout'. Did you mean 'mount'?")):
        load_robot(f"file:{path}", ArmOptions.model_validate({**NAMES, "flange": "mout"}), jaws)
    with pytest.raises(RobotError, match='Say where: flange = "SITE_OR_BODY"'):
        load_robot(f"file:{path}", ArmOptions.model_validate(NAMES), jaws)


def test_an_unknown_gripper_lists_the_forms():
    with pytest.raises(RobotError, match=re.escape("'robotik' is no gripper. Use hand, robotiq or file:PATH")):
        load_robot("panda", gripper="robotik")


def test_a_grippers_file_without_names_asks_for_the_table(jaws):
    with pytest.raises(RobotError, match="needs the table arm with end_effector, fingers and gripper"):
        load_robot("panda", gripper=jaws)


def test_a_name_that_a_grippers_file_lacks_gets_the_nearest_one(jaws):
    names = ArmOptions.model_validate({**NAMES, "gripper": "clos"})
    with pytest.raises(RobotError, match=r"has no actuator 'gripper_clos'\. Did you mean 'gripper_close'"):
        load_robot("panda", names, jaws)


def test_embedded_grippers_are_for_the_embedded_arm(tmp_path):
    path = tmp_path / "arm.xml"
    path.write_text("<mujoco/>")
    with pytest.raises(RobotError, match="has a gripper of its own; gripper = 'robotiq' is for robot"):
        load_robot(f"file:{path}", gripper="robotiq")
