"""The embedded robot: the Franka Panda's published kinematics in capsules and boxes."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from adversarl.errors import AdversarlError
from adversarl_mujoco.grippers import GRIPPERS

PREFIX = "robot_"
"""What the scene puts before every name of an attached robot."""


class RobotError(AdversarlError):
    """A robot that cannot be loaded or used."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"[backend] robot: {problem}")


def actuator_of(model: mujoco.MjModel, joint: int) -> int | None:
    """The first actuator that drives a joint by itself, by its number; None where there is none."""
    for actuator in range(model.nu):
        if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT and model.actuator_trnid[actuator, 0] == joint:
            return actuator
    return None


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
JOINTS = tuple(f"joint{i}" for i in range(1, 8))
FLANGE = 0.107
"""Joint 7 to flange [m]."""


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


def panda(gripper: str = "hand") -> Robot:
    """The embedded robot: 7 joints, position actuators, primitives.

    Args:
        gripper: One of `adversarl_mujoco.grippers.GRIPPERS`.
    """
    spec, last = panda_arm()
    held = GRIPPERS[gripper](spec, last, FLANGE)
    return Robot(
        spec=spec,
        site="grasp",
        joints=JOINTS,
        home=HOME,
        gripper_actuators=held.actuators,
        gripper_ctrl=held.ctrl,
        gripper_length=held.length,
        open_joints=held.open_joints,
        finger_bodies=held.fingers,
    )


def panda_arm() -> tuple[mujoco.MjSpec, mujoco.MjsBody]:
    """The arm without a gripper, and its last link."""
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
    return spec, body
