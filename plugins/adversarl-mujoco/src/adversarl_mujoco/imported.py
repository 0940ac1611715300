"""Robots from elsewhere: MuJoCo Menagerie, and any MJCF arm with a gripper."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import mujoco
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from adversarl.errors import MissingExtra, did_you_mean
from adversarl_mujoco.grippers import FLANGE_TURN, GRIPPERS, add_touch
from adversarl_mujoco.robot import FLANGE, HOME, Robot, RobotError, panda, panda_arm

SITE = "adversarl_grasp"


class ArmOptions(BaseModel):
    """Keys of ``[backend.arm]``: what the names in a foreign MJCF file mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    end_effector: str = Field(description="Site or body that the grasp point is fixed to; its z axis leaves the hand.")
    flange: str | None = Field(
        None, description="Site or body of the arm that a gripper from another file is mounted on; z leaves the arm."
    )
    offset: tuple[float, float, float] = Field((0, 0, 0), description="Grasp point in that frame [m].")
    yaw: float = Field(
        0.0, ge=-180, le=180, description="Rotation about z after which the fingers open along y [degree]."
    )
    fingers: tuple[str, str] = Field(description="Bodies that touch the object on either side.")
    gripper: str = Field(description="Actuator that opens and closes the gripper.")
    closed: Literal["low", "high"] = Field("low", description="End of the actuator's control range that closes it.")
    home: tuple[float, ...] | None = Field(
        None,
        description="Joint angles with the gripper over the table [rad]; default: the file's keyframe, or mid-range.",
    )


PRESETS = {
    "franka_emika_panda": ArmOptions.model_validate(
        {
            "end_effector": "hand",
            "offset": (0.0, 0.0, 0.1034),
            "fingers": ("left_finger", "right_finger"),
            "gripper": "actuator8",
        }
    )
}
"""Arms of MuJoCo Menagerie that need no ``[backend.arm]``."""


def load_robot(name: str, arm: ArmOptions | None = None, gripper: str | None = None) -> Robot:
    """Loads a robot.

    Args:
        name: ``panda``, ``menagerie:NAME`` or ``file:PATH``.
        arm: The meaning of names in the file; None where it is known. With a gripper from a file: of the names there.
        gripper: ``hand`` or ``robotiq`` (embedded), or ``file:PATH``; None is the robot's own.

    Raises:
        RobotError: There is no such robot or file, it cannot be downloaded, or a name is not in it.
        MissingExtra: ``mujoco-menagerie`` is not installed.
    """
    held = _gripper_file(gripper)
    if name == "panda":
        return panda(gripper or "hand") if held is None else _with_gripper(f"panda with {gripper}", None, held, arm)
    kind, _, rest = name.partition(":")
    if kind == "menagerie" and rest:
        path, arm = _menagerie_file(rest), arm or PRESETS.get(rest)
    elif kind == "file" and rest:
        path = _there(rest)
    else:
        raise RobotError(f"'{name}' is no robot. Use panda, menagerie:NAME or file:PATH")
    if held is not None:
        return _with_gripper(f"{name} with {gripper}", path, held, arm)
    if gripper is not None:
        raise RobotError(f"'{name}' has a gripper of its own; gripper = '{gripper}' is for robot = \"panda\"")
    return _adapt(name, path, arm)


def _there(path: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise RobotError(f"there is no file {found}")
    return found


def _gripper_file(gripper: str | None) -> Path | None:
    """File of a gripper; None for the embedded ones."""
    if gripper is None or gripper in GRIPPERS:
        return None
    kind, _, rest = gripper.partition(":")
    if kind == "file" and rest:
        return _there(rest)
    raise RobotError(f"'{gripper}' is no gripper. Use {', '.join(GRIPPERS)} or file:PATH")


def _with_gripper(name: str, arm_file: Path | None, gripper_file: Path, arm: ArmOptions | None) -> Robot:
    """An arm with a gripper of another file on its flange; names of the gripper get the prefix ``gripper_``."""
    if arm is None:
        raise RobotError(
            f"'{name}' needs the table arm with end_effector, fingers and gripper, as the gripper's file says"
        )
    try:
        hand = mujoco.MjSpec.from_file(str(gripper_file))
        spec = None if arm_file is None else mujoco.MjSpec.from_file(str(arm_file))
        spec = _mount(spec, hand, arm, arm_file)
        model = spec.compile()
    except ValueError as error:
        raise RobotError(f"{name} does not compile: {error}") from error
    mounted: dict[str, Any] = {
        "end_effector": f"gripper_{arm.end_effector}",
        "fingers": tuple(f"gripper_{finger}" for finger in arm.fingers),
        "gripper": f"gripper_{arm.gripper}",
    }
    if arm_file is None and arm.home is None:
        mounted["home"] = HOME
    return _Adapter(gripper_file, spec, model, arm.model_copy(update=mounted)).robot()


def _mount(spec: mujoco.MjSpec | None, hand: mujoco.MjSpec, arm: ArmOptions, arm_file: Path | None) -> mujoco.MjSpec:
    """Attaches a gripper to an arm's flange; the embedded arm's where there is no spec."""
    for key in list(hand.keys):
        hand.delete(key)  # a keyframe of the gripper alone says nothing about the arm
    if spec is None:
        spec, last = panda_arm()
        half = FLANGE_TURN / 2
        frame = last.add_frame(pos=[0, 0, FLANGE], quat=[math.cos(half), 0, 0, math.sin(half)])
        spec.attach(hand, prefix="gripper_", frame=frame)
        return spec
    if arm.flange is None:
        raise RobotError(f'{arm_file}: a gripper is to be mounted on it. Say where: flange = "SITE_OR_BODY"')
    site, body = spec.site(arm.flange), spec.body(arm.flange)
    if site is None and body is None:
        names = [element.name for element in (*spec.sites, *spec.bodies) if element.name]
        raise RobotError(f"{arm_file} has no site or body '{arm.flange}'. {did_you_mean(arm.flange, names)}")
    if site is not None:
        spec.attach(hand, prefix="gripper_", site=site)
    else:
        spec.attach(hand, prefix="gripper_", frame=body.add_frame())
    return spec


def _menagerie_file(name: str) -> Path:
    """The model file of a Menagerie robot, downloaded on first use."""
    try:
        import mujoco_menagerie
    except ModuleNotFoundError as error:
        install = "'adversarl-mujoco[menagerie]'"
        raise MissingExtra(f"robot 'menagerie:{name}'", "mujoco_menagerie", install) from error
    if name not in mujoco_menagerie.names():
        raise RobotError(f"MuJoCo Menagerie has no '{name}'. {did_you_mean(name, mujoco_menagerie.names())}")
    robot = mujoco_menagerie.get(name)
    try:
        return Path(robot.xml(robot.default_model))
    except (mujoco_menagerie.MenagerieError, OSError) as error:
        raise RobotError(
            f"'menagerie:{name}' cannot be downloaded: {error}. Set MENAGERIE_ROOT to a checkout of "
            'mujoco_menagerie, or use the embedded robot = "panda"'
        ) from error


def _adapt(name: str, path: Path, arm: ArmOptions | None) -> Robot:
    if arm is None:
        raise RobotError(f"'{name}' needs the table [backend.arm] with end_effector, fingers and gripper")
    try:
        spec = mujoco.MjSpec.from_file(str(path))
        model = spec.compile()
    except ValueError as error:
        raise RobotError(f"{path} does not compile: {error}") from error
    return _Adapter(path, spec, model, arm).robot()


class _Adapter:
    """Turns one parsed file into a `Robot`."""

    def __init__(self, path: Path, spec: mujoco.MjSpec, model: mujoco.MjModel, arm: ArmOptions) -> None:
        self.path, self.spec, self.model, self.arm = path, spec, model, arm

    def robot(self) -> Robot:
        body = self._add_site()
        joints = self._chain(body)
        home = self._home(joints)
        for joint in joints:
            self._make_servo(joint)
        ctrl, length, open_joints = self._gripper()
        self._clean()
        for finger in self.arm.fingers:
            add_touch(self.spec, self._element("body", finger))
        return Robot(
            spec=self.spec,
            site=SITE,
            joints=tuple(self.model.joint(j).name for j in joints),
            home=home,
            gripper_actuators=(self.arm.gripper,),
            gripper_ctrl=ctrl,
            gripper_length=length,
            open_joints=open_joints,
            finger_bodies=self.arm.fingers,
        )

    def _element(self, kind: Literal["body", "site", "actuator"], name: str) -> Any:
        element = getattr(self.spec, kind)(name)
        if element is None:
            plural = {"body": self.spec.bodies, "site": self.spec.sites, "actuator": self.spec.actuators}[kind]
            names = [e.name for e in plural if e.name]
            raise RobotError(f"{self.path} has no {kind} '{name}'. {did_you_mean(name, names)}")
        return element

    def _add_site(self) -> int:
        """Adds the grasp point; returns the number of its body."""
        arm, spec = self.arm, self.spec
        half = math.radians(arm.yaw) / 2
        turn = np.array([math.cos(half), 0.0, 0.0, math.sin(half)])
        site = spec.site(arm.end_effector)
        if site is None:
            body = self._element("body", arm.end_effector)
            body.add_site(name=SITE, pos=list(arm.offset), quat=turn.tolist())
        else:
            body = site.parent
            number = self.model.site(arm.end_effector).id
            position, quaternion = np.zeros(3), np.zeros(4)
            mujoco.mju_rotVecQuat(position, np.array(arm.offset, float), self.model.site_quat[number])
            mujoco.mju_mulQuat(quaternion, self.model.site_quat[number], turn)
            body.add_site(name=SITE, pos=(position + self.model.site_pos[number]).tolist(), quat=quaternion.tolist())
        return int(self.model.body(body.name).id)

    def _chain(self, body: int) -> list[int]:
        """Hinges from the base to a body."""
        joints: list[int] = []
        while body:
            first = self.model.body_jntadr[body]
            joints[:0] = range(first, first + self.model.body_jntnum[body])
            body = int(self.model.body_parentid[body])
        if not joints:
            raise RobotError(f"{self.path}: no joint moves '{self.arm.end_effector}'")
        return joints

    def _home(self, joints: list[int]) -> tuple[float, ...]:
        model = self.model
        if self.arm.home is not None:
            if len(self.arm.home) != len(joints):
                raise RobotError(f"[backend.arm] home needs {len(joints)} angles, not {len(self.arm.home)}")
            return self.arm.home
        if model.nkey:
            return tuple(float(model.key_qpos[0, model.jnt_qposadr[j]]) for j in joints)
        return tuple(float(model.jnt_range[j].mean()) for j in joints)

    def _make_servo(self, joint: int) -> None:
        """Makes a joint's actuator a position servo with the damping that the control law expects."""
        model, name = self.model, self.model.joint(joint).name
        numbers = [
            a
            for a in range(model.nu)
            if model.actuator_trntype[a] == mujoco.mjtTrn.mjTRN_JOINT and model.actuator_trnid[a, 0] == joint
        ]
        if not numbers:
            raise RobotError(f"{self.path}: joint '{name}' has no actuator")
        number = numbers[0]
        actuator = self.spec.actuators[number]
        servo = (
            model.actuator_biastype[number] == mujoco.mjtBias.mjBIAS_AFFINE and model.actuator_biasprm[number, 1] < 0
        )
        limit = model.actuator_forcerange[number, 1] or (0.0 if servo else model.actuator_ctrlrange[number, 1])
        stiffness = float(model.actuator_gainprm[number, 0]) if servo else max(50.0 * float(limit), 2000.0)
        actuator.set_to_position(kp=stiffness, kv=0.03 * stiffness)
        actuator.gear = [1, 0, 0, 0, 0, 0]
        actuator.ctrlrange, actuator.ctrllimited = model.jnt_range[joint].tolist(), True
        if limit:
            actuator.forcerange, actuator.forcelimited = [-float(limit), float(limit)], True

    def _gripper(self) -> tuple[tuple[float, float], tuple[float, float], tuple[tuple[str, float], ...]]:
        """Controls and lengths (closed, open) of the gripper's actuator, and its joints when open."""
        model, number = self.model, self.spec.actuators.index(self._element("actuator", self.arm.gripper))
        joints = self._driven(number)
        open_end = 1 if self.arm.closed == "low" else 0
        low, high = (sum(coefficient * model.jnt_range[j, end] for j, coefficient in joints) for end in (0, 1))
        ctrl = [float(x) for x in model.actuator_ctrlrange[number]]
        ends = [float(low), float(high)]
        opened = tuple((model.joint(j).name, float(model.jnt_range[j, open_end])) for j, _ in joints)
        return (ctrl[1 - open_end], ctrl[open_end]), (ends[1 - open_end], ends[open_end]), opened

    def _driven(self, actuator: int) -> list[tuple[int, float]]:
        """Joints that an actuator drives, each with its coefficient."""
        model, target = self.model, int(self.model.actuator_trnid[actuator, 0])
        if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT:
            return [(target, 1.0)]
        if model.actuator_trntype[actuator] != mujoco.mjtTrn.mjTRN_TENDON:
            raise RobotError(f"{self.path}: actuator '{self.arm.gripper}' drives neither a joint nor a tendon")
        first = model.tendon_adr[target]
        wraps = range(first, first + model.tendon_num[target])
        return [(int(model.wrap_objid[w]), float(model.wrap_prm[w])) for w in wraps]

    def _clean(self) -> None:
        """Takes away what belongs to a scene, and gravity from the links, as the arms' own controllers do."""
        for element in (*self.spec.keys, *self.spec.lights):
            self.spec.delete(element)
        for geom in list(self.spec.worldbody.geoms):
            if geom.type == mujoco.mjtGeom.mjGEOM_PLANE:
                self.spec.delete(geom)
        for body in self.spec.bodies[1:]:
            body.gravcomp = 1
