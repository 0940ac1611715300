"""Cartesian control: from a displacement of the grasp point to joint targets, by damped least squares."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.robot import PREFIX, Robot
from adversarl_mujoco.scene import TABLE_HEIGHT

MAX_STEP = 0.03
"""Displacement commanded by an action of 1, each axis [m]; 0.6 m/s at 20 Hz."""
LOW = np.array([-0.22, -0.26, TABLE_HEIGHT + 0.008])
"""Lower corner of the box that the grasp point is kept in, world frame [m]."""
HIGH = np.array([0.20, 0.26, TABLE_HEIGHT + 0.36])
"""Upper corner [m]."""
DAMPING = 0.02
"""Damping of the least squares [1]; large against it are all singular values in the workspace."""
POSTURE_GAIN = 0.2
"""Share of the way back to the home posture taken per step, in the null space [1]."""


class Arm:
    """Indices and array views of one robot in one simulation, and its control law.

    Differential inverse kinematics (Buss, "Introduction to Inverse Kinematics", 2004, eq. 11), with a posture task
    in the null space: dq = z + J^T (J J^T + lambda^2 I)^-1 (e - J z), where e holds the position error [m] and the
    rotation error [rad] that keeps the gripper pointing down, and z = k (q_home - q).
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, robot: Robot) -> None:
        self._model, self._data = model, data
        self.site = model.site(PREFIX + robot.site).id
        joints = [model.joint(PREFIX + name).id for name in robot.joints]
        self.qpos = _index([int(model.jnt_qposadr[j]) for j in joints])
        self._dofs = _index([int(model.jnt_dofadr[j]) for j in joints])
        self._ctrl = _index([_actuator_of(model, j) for j in joints])
        self._fingers = [int(model.joint(PREFIX + name).qposadr[0]) for name in robot.fingers]
        self._gripper = [model.actuator(PREFIX + name).id for name in robot.gripper_actuators]
        self._closed, self._open = robot.gripper_ctrl
        self._finger_closed, self._finger_open = robot.finger_range
        self.home = np.array(robot.home)
        self._low, self._high = model.jnt_range[joints].T.copy()
        self._views(model, data)

    def _views(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._jacobian = np.zeros((6, model.nv))
        self._linear, self._angular = self._jacobian[:3], self._jacobian[3:]
        self._q, self._v = data.qpos, data.qvel
        self._control = data.ctrl
        self.position = data.site_xpos[self.site]
        """Grasp point, world frame [m]. Shape (3,); a view."""
        self.rotation = data.site_xmat[self.site]
        """Its orientation, row-major. Shape (9,); a view."""
        self._damping = DAMPING**2 * np.eye(6)
        self._error = np.zeros(6)

    def update(self) -> None:
        """Computes the Jacobian of the grasp point at the current state."""
        mujoco.mj_jacSite(self._model, self._data, self._linear, self._angular, self.site)

    def velocity(self) -> NDArray[np.float64]:
        """Velocity of the grasp point, world frame [m/s]. Shape (3,)."""
        return self._linear[:, self._dofs] @ self._v[self._dofs]

    def opening(self) -> float:
        """How far the gripper is open: 0 closed, 1 open [1]."""
        mean = sum(self._q[i] for i in self._fingers) / len(self._fingers)
        return float((mean - self._finger_closed) / (self._finger_open - self._finger_closed))

    def joints(self) -> NDArray[np.float64]:
        """Joint angles [rad]. Shape (n,)."""
        return self._q[self.qpos]

    def act(self, dx: float, dy: float, dz: float, grip: float) -> None:
        """Sets the actuators' targets; `update` must have been called at this state.

        Args:
            dx: Displacement along the world's x in units of `MAX_STEP`, in [-1, 1].
            dy: Along y.
            dz: Along z.
            grip: From -0.5 (open) to 0.5 (closed), linear between, saturating beyond.
        """
        self._control[self._ctrl] = self.joint_targets((dx, dy, dz))
        share = min(max(grip + 0.5, 0.0), 1.0)
        for index in self._gripper:
            self._control[index] = self._open + share * (self._closed - self._open)

    def joint_targets(self, direction: tuple[float, float, float]) -> NDArray[np.float64]:
        """Joint angles [rad] whose grasp point is displaced by `direction` * `MAX_STEP`, pointing down. Shape (n,)."""
        x, y, z = self.position.tolist()
        dx, dy, dz = direction
        a, b, c = _LOW
        d, e, f = _HIGH
        _, r01, r02, r10, _, r12, r20, r21, _ = self.rotation.tolist()
        # The rotation part is half the sum of cross products of the axes with those of diag(1, -1, -1).
        self._error[:] = (
            min(max(x + MAX_STEP * dx, a), d) - x,
            min(max(y + MAX_STEP * dy, b), e) - y,
            min(max(z + MAX_STEP * dz, c), f) - z,
            0.5 * (r21 - r12),
            0.5 * (r20 + r02),
            -0.5 * (r10 + r01),
        )
        return self._solve()

    def _solve(self) -> NDArray[np.float64]:
        jacobian = self._jacobian[:, self._dofs]
        q = self._q[self.qpos]
        posture = POSTURE_GAIN * (self.home - q)
        gram = jacobian @ jacobian.T
        gram += self._damping
        target = q + posture + jacobian.T @ np.linalg.solve(gram, self._error - jacobian @ posture)
        return np.minimum(np.maximum(target, self._low), self._high)

    def seek(self, point: NDArray[np.float64], iterations: int = 60) -> None:
        """Moves the joints kinematically until the grasp point is at `point`, world frame [m], pointing down."""
        for _ in range(iterations):
            mujoco.mj_kinematics(self._model, self._data)
            mujoco.mj_comPos(self._model, self._data)
            self.update()
            step = np.clip((point - self.position) / MAX_STEP, -1, 1)
            self._q[self.qpos] = self.joint_targets((float(step[0]), float(step[1]), float(step[2])))

    def set_joints(self, angles: NDArray[np.float64]) -> None:
        """Puts the arm's joints at these angles [rad], within their limits. Shape (n,)."""
        self._q[self.qpos] = np.clip(angles, self._low, self._high)

    def find_home(self, point: NDArray[np.float64]) -> None:
        """Makes the posture with the grasp point at `point`, world frame [m], the home of this arm."""
        self.set_joints(self.home)
        self.seek(point)
        self.home = self.joints().copy()

    def hold(self) -> None:
        """Puts the actuators' targets at the current joints, gripper open."""
        self._control[self._ctrl] = self._q[self.qpos]
        for index in self._gripper:
            self._control[index] = self._open
        for index in self._fingers:
            self._q[index] = self._finger_open


_LOW, _HIGH = LOW.tolist(), HIGH.tolist()


def _index(indices: list[int]) -> slice | list[int]:
    """A slice where the indices are consecutive, since a view is cheaper than a gather."""
    first = indices[0]
    return slice(first, first + len(indices)) if indices == list(range(first, first + len(indices))) else indices


def _actuator_of(model: mujoco.MjModel, joint: int) -> int:
    for actuator in range(model.nu):
        if model.actuator_trntype[actuator] == mujoco.mjtTrn.mjTRN_JOINT and model.actuator_trnid[actuator, 0] == joint:
            return actuator
    raise ValueError(f"joint '{model.joint(joint).name}' has no actuator")
