"""Grippers of the embedded arm: the Franka Hand, and one with the published figures of Robotiq's 2F-85."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mujoco

FLANGE_TURN = -math.pi / 4
"""How the hand is turned about the flange's axis, so that its fingers open across the arm [rad]."""
GRASP_POINT = 0.1034
"""Flange to the point between the fingertips [m] (Franka Hand)."""
FINGER_TRAVEL = 0.04
"""Way of each finger [m]."""
HAND_MASS, FINGER_MASS = 0.73, 0.015  # [kg], Franka Hand
FINGER_STIFFNESS, FINGER_FORCE = 1000.0, 35.0  # [N/m], [N] per finger; the hand holds with 70 N continuously

# Robotiq, "2F-85 instruction manual": stroke 85 mm, height 163 mm, mass 0.9 kg, grip force 20 to 235 N, 20 to 150 mm/s.
PIVOT = (0.0306, 0.0549)
"""Where a knuckle turns: distance from the middle and from the flange [m]."""
KNUCKLE = 0.0573
"""Pivot of the knuckle to that of the fingertip [m]."""
STROKE = 0.085
"""Between the fingertips when open [m]."""
OPEN_LEAN = 0.4
"""Lean of an open knuckle outwards [rad]."""
PAD_LENGTH, PAD_HALF = 0.030, (0.011, 0.004, 0.019)
"""From the fingertip's pivot to the middle of its pad, and the pad's half extents [m]."""
ROBOTIQ_MASS = 0.9
GRIP_FORCE = 70.0
"""Force between the fingertips [N], as strong as the Franka Hand."""
CLOSING_SPEED = 1.3
"""Fastest turn of a knuckle [rad/s]: 150 mm/s between the fingertips."""


@dataclass(frozen=True, slots=True)
class Gripper:
    """A gripper on an arm: names in the arm's spec, as `adversarl_mujoco.robot.Robot` has them.

    Attributes:
        actuators: Actuators that open and close it.
        ctrl: Their controls (closed, open).
        length: Their lengths (closed, open), [m] or [rad].
        open_joints: Its joints and their positions when open, [m] or [rad].
        fingers: Bodies left and right whose contacts tell a grasp.
    """

    actuators: tuple[str, ...]
    ctrl: tuple[float, float]
    length: tuple[float, float]
    open_joints: tuple[tuple[str, float], ...]
    fingers: tuple[str, str]


_TIP: Mapping[str, Any] = {
    "type": mujoco.mjtGeom.mjGEOM_BOX,
    "material": "mat_finger",
    "friction": [1.5, 0.02, 0.0001],
    "condim": 3,  # each finger touches with a whole face, which resists twisting by itself
    "contype": 2,
    "conaffinity": 0,
    "solref": [0.01, 1],
    "solimp": [0.95, 0.99, 0.001, 0.5, 2],
    "priority": 1,
}
"""What all fingertips have in common."""


def add_touch(spec: mujoco.MjSpec, finger: mujoco.MjsBody) -> None:
    """Adds the sensor ``touch_<body>`` of the normal force of all contacts on a finger [N]."""
    site = finger.add_site(name=f"touch_{finger.name}", size=[0.1, 0.1, 0.1])
    spec.add_sensor(
        name=site.name, type=mujoco.mjtSensor.mjSENS_TOUCH, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=site.name
    )


def _add_base(parent: mujoco.MjsBody, flange: float) -> mujoco.MjsBody:
    half = FLANGE_TURN / 2
    quaternion = [math.cos(half), 0.0, 0.0, math.sin(half)]
    return parent.add_body(name="hand", pos=[0, 0, flange], quat=quaternion, gravcomp=1)


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
    finger.add_geom(name=name, pos=[0, side * 0.008, 0.028], size=[0.011, 0.008, 0.028], mass=FINGER_MASS, **_TIP)
    add_touch(spec, finger)
    actuator = spec.add_actuator(name=name, target=f"{name}_joint", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(kp=FINGER_STIFFNESS, kv=30.0)
    actuator.ctrlrange, actuator.ctrllimited = [0, FINGER_TRAVEL], True
    actuator.forcerange, actuator.forcelimited = [-FINGER_FORCE, FINGER_FORCE], True


def franka_hand(spec: mujoco.MjSpec, parent: mujoco.MjsBody, flange: float) -> Gripper:
    """Adds two fingers that slide independently.

    Args:
        spec: The arm.
        parent: Its last link.
        flange: From that link's frame to the flange, along z [m].
    """
    hand = _add_base(parent, flange)
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
    travel = (0.0, FINGER_TRAVEL)
    names = ("finger_left", "finger_right")
    opened = tuple((f"{name}_joint", FINGER_TRAVEL) for name in names)
    return Gripper(names, travel, travel, opened, names)


def _closed_turn() -> float:
    """Turn of a knuckle from open to closed [rad]: half the stroke is KNUCKLE (sin(open) - sin(open - turn))."""
    return OPEN_LEAN - math.asin(math.sin(OPEN_LEAN) - STROKE / 2 / KNUCKLE)


def _add_linkage(spec: mujoco.MjSpec, hand: mujoco.MjsBody, name: str, side: float) -> None:
    """Adds a knuckle and a fingertip that keeps its direction, as the four-bar linkage makes it do."""
    turn = _closed_turn()
    servo = {"armature": 0.005, "damping": 0.05}
    half = -side * OPEN_LEAN / 2
    knuckle = hand.add_body(
        name=f"knuckle_{name}",
        pos=[0, side * PIVOT[0], PIVOT[1]],
        quat=[math.cos(half), math.sin(half), 0, 0],
        gravcomp=1,
    )
    knuckle.add_joint(name=f"knuckle_{name}", axis=[side, 0, 0], range=[0, turn], limited=True, **servo)
    knuckle.add_geom(
        name=f"knuckle_{name}",
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[0, 0, 0, 0, 0, KNUCKLE],
        size=[0.008, 0, 0],
        mass=0.04,
        material="mat_finger",
        contype=0,
        conaffinity=0,
    )
    finger = knuckle.add_body(
        name=f"finger_{name}", pos=[0, 0, KNUCKLE], quat=[math.cos(half), -math.sin(half), 0, 0], gravcomp=1
    )
    finger.add_joint(name=f"finger_{name}_joint", axis=[-side, 0, 0], range=[0, turn], limited=False, **servo)
    # The pad's face lies half the stroke from the middle while the knuckle is open.
    face = side * (STROKE / 2 - PIVOT[0] - KNUCKLE * math.sin(OPEN_LEAN))
    middle = face + side * PAD_HALF[1]
    finger.add_geom(name=f"finger_{name}", pos=[0, middle, PAD_LENGTH], size=list(PAD_HALF), mass=0.03, **_TIP)
    add_touch(spec, finger)


def _couple(spec: mujoco.MjSpec, follower: str, leader: str) -> None:
    equality = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, name1=follower, name2=leader)
    equality.data[:2] = [0.0, 1.0]
    equality.solref, equality.solimp[:3] = [0.005, 1], [0.95, 0.99, 0.001]


def robotiq(spec: mujoco.MjSpec, parent: mujoco.MjsBody, flange: float) -> Gripper:
    """Adds a gripper with the stroke, size, mass and speed of Robotiq's 2F-85.

    One motor turns both knuckles; equalities stand for its gears and for the rods that keep the fingertips parallel.
    Its fingertips move on arcs of 0.0573 m, so they rise by up to 4.5 mm while it opens and closes.

    Args:
        spec: The arm.
        parent: Its last link.
        flange: From that link's frame to the flange, along z [m].
    """
    hand = _add_base(parent, flange)
    body = {"type": mujoco.mjtGeom.mjGEOM_BOX, "contype": 2, "conaffinity": 0, "material": "mat_finger"}
    hand.add_geom(name="hand", pos=[0, 0, 0.03], size=[0.03, 0.045, 0.03], mass=ROBOTIQ_MASS - 0.14, **body)
    tip = PIVOT[1] + KNUCKLE + PAD_LENGTH + PAD_HALF[2]
    hand.add_site(name="grasp", pos=[0, 0, tip - 0.011])  # as far from the tips as the Franka Hand's
    for name, side in (("left", 1.0), ("right", -1.0)):
        _add_linkage(spec, hand, name, side)
    _couple(spec, "knuckle_right", "knuckle_left")
    for name in ("left", "right"):
        _couple(spec, f"finger_{name}_joint", f"knuckle_{name}")
    turn, torque = _closed_turn(), GRIP_FORCE * KNUCKLE
    tendon = spec.add_tendon(name="knuckles")
    for name in ("left", "right"):
        tendon.wrap_joint(f"knuckle_{name}", 0.5)
    tendon.damping[0] = 2 * torque / CLOSING_SPEED
    motor = spec.add_actuator(name="fingers", target="knuckles", trntype=mujoco.mjtTrn.mjTRN_TENDON)
    motor.set_to_position(kp=100.0, kv=1.0)
    motor.ctrlrange, motor.ctrllimited = [0, turn], True
    motor.forcerange, motor.forcelimited = [-2 * torque, 2 * torque], True
    opened = tuple((joint, 0.0) for name in ("left", "right") for joint in (f"knuckle_{name}", f"finger_{name}_joint"))
    return Gripper(("fingers",), (turn, 0.0), (turn, 0.0), opened, ("finger_left", "finger_right"))


GRIPPERS: Mapping[str, Callable[[mujoco.MjSpec, mujoco.MjsBody, float], Gripper]] = {
    "hand": franka_hand,
    "robotiq": robotiq,
}
"""Grippers of the embedded arm by name."""
