"""Turns a parsed MJCF arm with a gripper into a robot that tasks can drive."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import mujoco
import numpy as np

from adversarl.errors import did_you_mean
from adversarl_mujoco.grippers import add_touch
from adversarl_mujoco.robot import Robot, RobotError, actuator_of

if TYPE_CHECKING:
    from adversarl_mujoco.imported import ArmOptions

SITE = "adversarl_grasp"


class Adapter:
    """Turns one parsed file into a `Robot`."""

    def __init__(self, path: Path, spec: mujoco.MjSpec, model: mujoco.MjModel, arm: ArmOptions) -> None:
        self.path, self.spec, self.model, self.arm = path, spec, model, arm

    def robot(self) -> Robot:
        """The robot; the spec is changed in place."""
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
        number = actuator_of(model, joint)
        if number is None:
            raise RobotError(f"{self.path}: joint '{name}' has no actuator")
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
