from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.backend import Mujoco
from adversarl_mujoco.grippers import GRASP_POINT
from adversarl_mujoco.imported import ArmOptions, load_robot
from adversarl_mujoco.robot import FLANGE, LINKS, PREFIX, RobotError, panda
from adversarl_mujoco.scene import BASE, build_scene
from pydantic import ValidationError

from adversarl.errors import MissingExtra

JOINTS = [f"{PREFIX}joint{i}" for i in range(1, 8)]


@pytest.fixture(scope="module")
def model():
    return build_scene(panda(), textures=2).model


def denavit_hartenberg(angles):
    """Flange frame by Franka's table of modified DH parameters, multiplied out independently of MuJoCo."""
    table = [
        (0, 0.333, 0),
        (0, 0, -np.pi / 2),
        (0, 0.316, np.pi / 2),
        (0.0825, 0, np.pi / 2),
        (-0.0825, 0.384, -np.pi / 2),
        (0, 0, np.pi / 2),
        (0.088, 0, np.pi / 2),
    ]
    frame = np.eye(4)
    for (a, d, alpha), theta in zip([*table, (0, 0.107, 0)], [*angles, 0], strict=True):
        ct, st, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
        frame = frame @ np.array(
            [[ct, -st, 0, a], [st * ca, ct * ca, -sa, -d * sa], [st * sa, ct * sa, ca, d * ca], [0, 0, 0, 1]]
        )
    return frame


def test_kinematics_are_the_published_ones(model):
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    for _ in range(20):
        angles = [rng.uniform(*model.joint(name).range) for name in JOINTS]
        for name, angle in zip(JOINTS, angles, strict=True):
            data.joint(name).qpos = angle
        mujoco.mj_kinematics(model, data)
        flange = denavit_hartenberg(angles)
        grasp = flange[:3, 3] + GRASP_POINT * flange[:3, 2] + BASE
        np.testing.assert_allclose(data.site(f"{PREFIX}grasp").xpos, grasp, atol=1e-9)
        np.testing.assert_allclose(data.body(f"{PREFIX}hand").xpos, flange[:3, 3] + BASE, atol=1e-9)
    assert FLANGE == 0.107


def test_joint_and_torque_limits_are_the_published_ones(model):
    limits = [(-2.8973, 2.8973), (-1.7628, 1.7628), (-2.8973, 2.8973), (-3.0718, -0.0698)]
    limits += [(-2.8973, 2.8973), (-0.0175, 3.7525), (-2.8973, 2.8973)]
    torques = [87, 87, 87, 87, 12, 12, 12]
    for name, limit, torque in zip(JOINTS, limits, torques, strict=True):
        np.testing.assert_allclose(model.joint(name).range, limit)
        np.testing.assert_allclose(model.actuator(name).forcerange, (-torque, torque))
    for finger in ("left", "right"):
        np.testing.assert_allclose(model.joint(f"{PREFIX}finger_{finger}_joint").range, (0, 0.04))


def test_masses_are_those_of_the_table(model):
    for index, link in enumerate(LINKS, start=1):
        np.testing.assert_allclose(model.body(f"{PREFIX}link{index}").mass, link.mass)


def test_only_hand_fingers_object_table_and_floor_collide(model):
    colliding = {model.geom(g).name for g in range(model.ngeom) if model.geom_contype[g] or model.geom_conaffinity[g]}
    hand = {f"{PREFIX}{name}" for name in ("hand", "finger_left", "finger_right")}
    assert colliding == hand | {"cube", "table", "floor"}


@pytest.fixture(scope="module")
def foreign():
    """The Panda with a Robotiq gripper that the package gym-hil ships."""
    found = importlib.util.find_spec("gym_hil")
    path = Path(found.submodule_search_locations[0]) / "assets" / "panda.xml" if found else None
    if path is None or not path.is_file():
        pytest.skip("gym-hil is not installed: pip install --no-deps gym-hil")
    arm = {
        "end_effector": "pinch",
        "fingers": ("left_pad", "right_pad"),
        "gripper": "fingers_actuator",
        "closed": "high",
    }
    return {"robot": f"file:{path}", "arm": arm}


def test_a_foreign_robot_picks_the_cube_with_the_same_teacher(foreign, open_world):
    world = open_world(4, image_size=16, **foreign)
    world.reset(seed=0)
    solved = np.zeros(4, bool)
    for _ in range(60):
        solved |= world.step(world.teacher(range(4)))[2]
    assert solved.all()


def test_a_name_that_a_file_lacks_gets_the_nearest_one(foreign):
    arm = ArmOptions.model_validate({**foreign["arm"], "gripper": "finger_actuator"})
    with pytest.raises(
        RobotError, match=re.escape("has no actuator 'finger_actuator'. Did you mean 'fingers_actuator'?")
    ):
        load_robot(foreign["robot"], arm)
    arm = ArmOptions.model_validate({**foreign["arm"], "end_effector": "pinhc"})
    with pytest.raises(RobotError, match="has no body 'pinhc'"):
        load_robot(foreign["robot"], arm)


def test_a_home_of_the_wrong_length_is_named(foreign):
    arm = ArmOptions.model_validate({**foreign["arm"], "home": (0.0, 1.0)})
    with pytest.raises(RobotError, match="home needs 7 angles, not 2"):
        load_robot(foreign["robot"], arm)


def test_a_file_without_names_asks_for_the_table(foreign):
    with pytest.raises(RobotError, match=r"needs the table \[backend.arm\] with end_effector, fingers and gripper"):
        load_robot(foreign["robot"])


def test_a_missing_file_is_named():
    with pytest.raises(RobotError, match=re.escape("there is no file nowhere/arm.xml")):
        load_robot("file:nowhere/arm.xml")


def test_a_file_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "arm.xml").write_text("<mujoco><worldbody><geom/></worldbody></mujoco>")
    arm = ArmOptions.model_validate({"end_effector": "hand", "fingers": ("a", "b"), "gripper": "g"})
    with pytest.raises(RobotError, match=re.escape("arm.xml does not compile")):
        load_robot(f"file:{tmp_path / 'arm.xml'}", arm)


def test_an_unknown_robot_lists_the_forms():
    with pytest.raises(RobotError, match=re.escape("'pandas' is no robot. Use panda, menagerie:NAME or file:PATH")):
        load_robot("pandas")


def test_menagerie_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", None)
    with pytest.raises(MissingExtra, match=r"pip install 'adversarl-mujoco\[menagerie\]'"):
        load_robot("menagerie:franka_emika_panda")


def test_menagerie_knows_its_robots():
    pytest.importorskip("mujoco_menagerie")
    with pytest.raises(RobotError, match=re.escape("Did you mean 'franka_emika_panda'?")):
        load_robot("menagerie:franka_emika_pand")


def test_menagerie_that_cannot_download_says_what_to_do(monkeypatch, tmp_path):
    menagerie = pytest.importorskip("mujoco_menagerie")

    def refuse(*_, **__):
        raise menagerie.DownloadError("no route to host")

    monkeypatch.setattr(menagerie.Robot, "path", refuse)
    with pytest.raises(RobotError, match=re.escape("cannot be downloaded: no route to host. Set MENAGERIE_ROOT")):
        load_robot("menagerie:franka_emika_panda")


MENAGERIE_LINKS = (
    ("0 0 0.333", "1 0 0 0", "-2.8973 2.8973", 87),
    ("0 0 0", "1 -1 0 0", "-1.7628 1.7628", 87),
    ("0 -0.316 0", "1 1 0 0", "-2.8973 2.8973", 87),
    ("0.0825 0 0", "1 1 0 0", "-3.0718 -0.0698", 87),
    ("-0.0825 0.384 0", "1 -1 0 0", "-2.8973 2.8973", 12),
    ("0 0 0", "1 1 0 0", "-0.0175 3.7525", 12),
    ("0.088 0 0", "1 1 0 0", "-2.8973 2.8973", 12),
)
"""Frames, limits and torques of Menagerie's Panda, whose names and structure the stand-in below has."""


def menagerie_panda():
    finger = (
        '<body name="{side}_finger" pos="0 0 0.0584" quat="{quat}"><joint name="finger_joint{n}" type="slide" '
        'axis="0 1 0" range="0 0.04" armature="0.1" damping="10"/><geom type="box" pos="0 0.008 0.028" '
        'size="0.011 0.008 0.028" mass="0.015" friction="1.5"/></body>'
    )
    body = '<body name="hand" pos="0 0 0.107" quat="0.9238795 0 0 -0.3826834"><inertial pos="0 0 0.03" mass="0.73" '
    body += 'diaginertia="0.001 0.0025 0.0017"/>' + finger.format(side="left", quat="1 0 0 0", n=1)
    body += finger.format(side="right", quat="0 0 0 1", n=2) + "</body>"
    actuators = ""
    for n, (position, quaternion, limits, torque) in reversed(list(enumerate(MENAGERIE_LINKS, start=1))):
        joint = f'<joint name="joint{n}" range="{limits}" armature="0.1" damping="1"/>'
        inertia = '<inertial pos="0 0 0" mass="2" diaginertia="0.02 0.02 0.02"/>'
        body = f'<body name="link{n}" pos="{position}" quat="{quaternion}">{inertia}{joint}{body}</body>'
        actuators = (
            f'<general name="actuator{n}" joint="joint{n}" biastype="affine" gainprm="4500" biasprm="0 -4500 -450" '
            f'ctrlrange="{limits}" forcerange="-{torque} {torque}"/>{actuators}'
        )
    return f"""<mujoco model="panda"><compiler angle="radian" autolimits="true"/><worldbody><light pos="0 0 2"/>
        <body name="link0">{body}</body></worldbody>
        <tendon><fixed name="split"><joint joint="finger_joint1" coef="0.5"/><joint joint="finger_joint2" coef="0.5"/>
        </fixed></tendon>
        <equality><joint joint1="finger_joint1" joint2="finger_joint2" solimp="0.95 0.99 0.001" solref="0.005 1"/>
        </equality><actuator>{actuators}<general name="actuator8" tendon="split" biastype="affine"
        forcerange="-100 100" ctrlrange="0 255" gainprm="0.01568627451 0 0" biasprm="0 -100 -10"/></actuator>
        <keyframe><key name="home" qpos="0 0 0 -1.57079 0 1.57079 -0.7853 0.04 0.04"/></keyframe></mujoco>"""


def test_menageries_panda_needs_no_table(monkeypatch, tmp_path, open_world):
    pytest.importorskip("mujoco_menagerie")
    (tmp_path / "franka_emika_panda").mkdir()
    (tmp_path / "franka_emika_panda" / "panda.xml").write_text(menagerie_panda())
    monkeypatch.setenv("MENAGERIE_ROOT", str(tmp_path))
    world = open_world(4, image_size=16, robot="menagerie:franka_emika_panda")
    world.reset(seed=0)
    solved = np.zeros(4, bool)
    for _ in range(60):
        solved |= world.step(world.teacher(range(4)))[2]
    assert solved.all()


def test_an_unknown_key_of_the_arm_is_refused():
    with pytest.raises(ValidationError, match="fingr"):
        Mujoco.Options(robot="file:x", arm={"end_effector": "a", "fingr": 1, "fingers": ("a", "b"), "gripper": "g"})
