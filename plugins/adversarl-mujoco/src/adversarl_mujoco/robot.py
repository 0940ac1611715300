"""The embedded robot: the Franka Panda's published kinematics in capsules and boxes."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from adversarl.errors import AdversarlError

PREFIX = "robot_"
"""What the scene puts before every name of an attached robot."""


class RobotError(AdversarlError):
    """A robot that cannot be loaded or used."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"[backend] robot: {problem}")


@dataclass(frozen=True)
class Robot:
    """An arm with a gripper, ready to be attached to a scene.

    Names are those inside `spec`, without `PREFIX`.

    Attributes:
        spec: The model of the robot alone; its base frame is the world frame.
        site: Site at the grasp point, z along the approach direction, y along the fingers' way.
        joints: Arm joints from base to hand.
        home: Joint angles from which the inverse kinematics starts [rad].
        gripper_actuators: Actuators that open and close it.
        gripper_ctrl: Their controls (closed, open).
        gripper_length: Their lengths (closed, open), [m] or [rad].
        open_joints: Joints of the gripper and their positions when open, [m] or [rad].
        finger_bodies: Bodies left and right whose contacts tell a grasp.
    """

    spec: mujoco.MjSpec
    site: str
    joints: tuple[str, ...]
    home: tuple[float, ...]
    gripper_actuators: tuple[str, ...]
    gripper_ctrl: tuple[float, float]
    gripper_length: tuple[float, float]
    open_joints: tuple[tuple[str, float], ...]
    finger_bodies: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """One joint and the link it moves, in modified Denavit-Hartenberg parameters (Craig).

    Attributes:
        a: Link length of the joint before [m].
        d: Offset along the joint axis [m].
        alpha: Twist of the joint before [rad].
        low: Lower joint limit [rad].
        high: Upper joint limit [rad].
        torque: Torque limit [N m].
        stiffness: Position gain [N m / rad].
        mass: Mass [kg].
        capsule: Ends (6,) and radius of the link's capsule, link frame [m]; None draws nothing.
    """

    a: float
    d: float
    alpha: float
    low: float
    high: float
    torque: float
    stiffness: float
    mass: float
    capsules: tuple[tuple[float, ...], ...]


# Kinematics, joint and torque limits: Franka Robotics, "Robot and interface specifications" (Panda / FR1).
# Masses: Gaz et al., "Dynamic Identification of the Franka Emika Panda Robot With Retrieval of Feasible
# Parameters", RA-L 2019; inertias are those of the capsules.
_H = np.pi / 2
LINKS = (
    Link(0, 0.333, 0, -2.8973, 2.8973, 87, 4500, 4.970684, ((0, 0, -0.20, 0, 0, -0.02, 0.075),)),
    Link(
        0,
        0,
        -_H,
        -1.7628,
        1.7628,
        87,
        4500,
        0.646926,
        ((0, 0, -0.05, 0, 0, 0.05, 0.075), (0, 0, 0, 0, -0.17, 0, 0.065)),
    ),
    Link(
        0,
        0.316,
        _H,
        -2.8973,
        2.8973,
        87,
        3500,
        3.228604,
        ((0, 0, -0.12, 0, 0, -0.05, 0.065), (0, 0, -0.02, 0.0825, 0, 0, 0.06)),
    ),
    Link(
        0.0825,
        0,
        _H,
        -3.0718,
        -0.0698,
        87,
        3500,
        3.587895,
        ((0, 0, -0.05, 0, 0, 0.05, 0.065), (0, 0, 0, -0.0825, 0.13, 0, 0.058)),
    ),
    Link(
        -0.0825,
        0.384,
        -_H,
        -2.8973,
        2.8973,
        12,
        2000,
        1.225946,
        ((0, 0, -0.25, 0, 0.03, -0.10, 0.055), (0, 0.07, -0.10, 0, 0.02, 0.0, 0.048)),
    ),
    Link(
        0, 0, _H, -0.0175, 3.7525, 12, 2000, 1.666555, ((0, 0, -0.05, 0, 0, 0.03, 0.05), (0, 0, 0, 0.088, 0.0, 0, 0.05))
    ),
    Link(0.088, 0, _H, -2.8973, 2.8973, 12, 2000, 0.735522, ((0, 0, 0.02, 0, 0, 0.085, 0.045),)),
)
HOME = (0.0, 0.046, 0.0, -2.376, 0.0, 2.422, 0.7854)
"""A posture with the gripper above the table, pointing down [rad]."""
FLANGE = 0.107
"""Joint 7 to flange [m]."""
GRASP_POINT = 0.1034
"""Flange to the point between the fingertips [m] (Franka Hand)."""
FINGER_TRAVEL = 0.04
"""Way of each finger [m]."""
HAND_MASS, FINGER_MASS = 0.73, 0.015  # [kg], Franka Hand
FINGER_STIFFNESS, FINGER_FORCE = 1000.0, 35.0  # [N/m], [N] per finger; the hand holds with 70 N continuously


def _twist(alpha: float) -> list[float]:
    return [float(np.cos(alpha / 2)), float(np.sin(alpha / 2)), 0.0, 0.0]


def _add_link(spec: mujoco.MjSpec, parent: mujoco.MjsBody, index: int, link: Link) -> mujoco.MjsBody:
    offset = [link.a, -link.d * float(np.sin(link.alpha)), link.d * float(np.cos(link.alpha))]
    body = parent.add_body(name=f"link{index}", pos=offset, quat=_twist(link.alpha), gravcomp=1)
    body.add_joint(
        name=f"joint{index}", axis=[0, 0, 1], range=[link.low, link.high], limited=True, armature=0.1, damping=1.0
    )
    for part, (*ends, radius) in enumerate(link.capsules):
        body.add_geom(
            name=f"link{index}_{part}",
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=ends,
            size=[radius, 0, 0],
            mass=link.mass / len(link.capsules),
            contype=0,
            conaffinity=0,
        )
    actuator = spec.add_actuator(name=f"joint{index}", target=f"joint{index}", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    # kv/kp = 30 ms: a control step of 50 ms then ends nearly settled.
    actuator.set_to_position(kp=link.stiffness, kv=0.03 * link.stiffness)
    actuator.ctrlrange, actuator.ctrllimited = [link.low, link.high], True
    actuator.forcerange, actuator.forcelimited = [-link.torque, link.torque], True
    return body


def _add_finger(spec: mujoco.MjSpec, hand: mujoco.MjsBody, name: str, side: float) -> None:
    finger = hand.add_body(name=name, pos=[0, 0, 0.0584], gravcomp=1)
    finger.add_joint(
        name=f"{name}_joint",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, side, 0],
        range=[0, FINGER_TRAVEL],
        limited=True,
        armature=0.1,
        damping=5,
    )
    finger.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[0, side * 0.008, 0.028],
        size=[0.011, 0.008, 0.028],
        mass=FINGER_MASS,
        material="mat_finger",
        friction=[1.5, 0.02, 0.0001],
        condim=3,  # each finger touches with a whole face, which resists twisting by itself
        contype=2,
        conaffinity=0,
        solref=[0.01, 1],
        solimp=[0.95, 0.99, 0.001, 0.5, 2],
        priority=1,
    )
    add_touch(spec, finger)
    actuator = spec.add_actuator(name=name, target=f"{name}_joint", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(kp=FINGER_STIFFNESS, kv=30.0)
    actuator.ctrlrange, actuator.ctrllimited = [0, FINGER_TRAVEL], True
    actuator.forcerange, actuator.forcelimited = [-FINGER_FORCE, FINGER_FORCE], True


def add_touch(spec: mujoco.MjSpec, finger: mujoco.MjsBody) -> None:
    """Adds the sensor ``touch_<body>`` of the normal force of all contacts on a finger [N]."""
    site = finger.add_site(name=f"touch_{finger.name}", size=[0.1, 0.1, 0.1])
    spec.add_sensor(
        name=site.name, type=mujoco.mjtSensor.mjSENS_TOUCH, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=site.name
    )


def _add_hand(spec: mujoco.MjSpec, flange_parent: mujoco.MjsBody) -> None:
    angle = -np.pi / 8  # half of the hand's -45 degrees about the flange axis
    hand = flange_parent.add_body(
        name="hand", pos=[0, 0, FLANGE], quat=[float(np.cos(angle)), 0, 0, float(np.sin(angle))], gravcomp=1
    )
    hand.add_geom(
        name="hand",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[0, 0, 0.03],
        size=[0.028, 0.1, 0.032],
        mass=HAND_MASS,
        contype=2,
        conaffinity=0,
    )
    hand.add_site(name="grasp", pos=[0, 0, GRASP_POINT])
    _add_finger(spec, hand, "finger_left", 1.0)
    _add_finger(spec, hand, "finger_right", -1.0)


def panda() -> Robot:
    """The embedded robot: 7 joints, position actuators, two sliding fingers, 14 primitives."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.add_material(name="mat_finger", rgba=[0.16, 0.17, 0.2, 1], specular=0.2, shininess=0.2)
    body = spec.worldbody.add_body(name="base", gravcomp=1)
    body.add_geom(
        name="base",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=[-0.02, 0, 0.07],
        size=[0.09, 0.07, 0],
        mass=2.8,
        contype=0,
        conaffinity=0,
    )
    for index, link in enumerate(LINKS, start=1):
        body = _add_link(spec, body, index, link)
    _add_hand(spec, body)
    return Robot(
        spec=spec,
        site="grasp",
        joints=tuple(f"joint{i}" for i in range(1, 8)),
        home=HOME,
        gripper_actuators=("finger_left", "finger_right"),
        gripper_ctrl=(0.0, FINGER_TRAVEL),
        gripper_length=(0.0, FINGER_TRAVEL),
        open_joints=(("finger_left_joint", FINGER_TRAVEL), ("finger_right_joint", FINGER_TRAVEL)),
        finger_bodies=("finger_left", "finger_right"),
    )
