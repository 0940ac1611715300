"""Cartesian control: from a displacement of the grasp point to joint targets, by damped least squares."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.parts import Mount
from adversarl_mujoco.robot import RobotError, actuator_of
from adversarl_mujoco.scene import TABLE_HEIGHT

Array = NDArray[np.float64]
MAX_STEP = 0.03
"""Displacement commanded by an action of 1, each axis [m]; 0.6 m/s at 20 Hz."""
LOW = (-0.24, -0.28, TABLE_HEIGHT + 0.014)
"""Lower corner of the box that the grasp point is kept in, world frame [m]; the fingertips clear the table by 3 mm."""
HIGH = (0.25, 0.28, TABLE_HEIGHT + 0.36)
"""Upper corner [m]."""
ACROSS = 0.12
"""How far beyond the table's middle an arm reaches whose base stands aside of it [m]."""
MAX_TURN = 0.15
"""Tilt commanded by an action of 1 [rad]; 3 rad/s at 20 Hz."""
MAX_TILT = 2.2
"""Largest tilt of the gripper to either side [rad]."""
DAMPING = 0.02
"""Damping of the least squares [1]; large against it are all singular values in the workspace."""
POSTURE_GAIN = 0.2
"""Share of the way back to the home posture taken per step, in the null space [1]."""


class Arm:
    """One robot in one simulation: views of its state, and its control law.

    Differential inverse kinematics (Buss, "Introduction to Inverse Kinematics", 2004, eq. 11) with a posture task:
    the joint step dq minimizes |J dq - e|^2 + lambda^2 |dq - k (home - q)|^2, where e holds the position error [m]
    and the rotation error [rad] that keeps the gripper pointing down. The second term moves the null space alone as
    long as lambda is small.

    Stacked, this is the least-squares problem |[J; lambda I] dq - [e; lambda k (home - q)]|^2, solved by its normal
    equations. It is computed with MuJoCo's own small-matrix functions over the arm's degrees of freedom and a few
    neighbours (whose columns are zero): after a frame was drawn, caches are cold, and numpy's general machinery costs
    more than the arithmetic.

    Attributes:
        low: Lower corner of the box that the grasp point is kept in, world frame [m]. Shape (3,).
        high: Upper corner [m]. Shape (3,).
        heading: Angle about the vertical from the world's x axis to the gripper's, whose fingers open across it [rad];
            set it before `find_home`.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, mount: Mount) -> None:
        self._model, self._data = model, data
        robot, prefix = mount.robot, mount.prefix
        self._site = model.site(prefix + robot.site).id
        joints = [model.joint(prefix + name).id for name in robot.joints]
        self._home = list(robot.home)
        self._range: Array = model.jnt_range[_span(joints, "joints")]
        self._root = int(model.body_rootid[model.site_bodyid[self._site]])
        self._length_closed, self._length_open = robot.gripper_length
        self._open_joints = [
            (data.qpos[int(model.joint(prefix + j).qposadr[0]) :][:1], q) for j, q in robot.open_joints
        ]
        self._closed, self._open = robot.gripper_ctrl
        self.low, self.high = _box(mount)
        self.heading = 0.0
        self._dofs = _span([int(model.jnt_dofadr[j]) for j in joints], "joints")
        self._window = _window(self._dofs, model.nv)
        self._view(model, data, mount, joints)
        self._allocate(model, len(joints))

    def _view(self, model: mujoco.MjModel, data: mujoco.MjData, mount: Mount, joints: list[int]) -> None:
        self.position: Array = data.site_xpos[self._site]
        """Grasp point, world frame [m]. Shape (3,); a view."""
        self._rotation: Array = data.site_xmat[self._site]
        self.joints: Array = data.qpos[_span([int(model.jnt_qposadr[j]) for j in joints], "joints")]
        """Joint angles [rad]. Shape (n,); a view."""
        self._targets: Array = data.ctrl[_span([motor_of(model, j) for j in joints], "actuators")]
        gripper = _span(
            [model.actuator(mount.prefix + name).id for name in mount.robot.gripper_actuators], "gripper actuators"
        )
        self._gripper: Array = data.ctrl[gripper]
        self._lengths: Array = data.actuator_length[gripper]
        self._velocities: Array = data.qvel[self._window]
        self.point: list[float] = [0.0, 0.0, 0.0]
        """Grasp point at the last `update`, world frame [m]. Shape (3,)."""
        self.bend: list[float] = []
        """Joint angles relative to home at the last `update` [rad]. Shape (n,)."""

    def _allocate(self, model: mujoco.MjModel, n: int) -> None:
        whole, width = np.zeros((6, model.nv)), self._window.stop - self._window.start
        self._linear, self._angular, self._columns = whole[:3], whole[3:], whole[:, self._window]
        self._stacked = np.zeros((6 + n, width))  # the Jacobian, and below it lambda times the identity on the arm
        arm = slice(self._dofs.start - self._window.start, self._dofs.stop - self._window.start)
        self._stacked[6:, arm] = DAMPING * np.eye(n)
        self._jacobian, self._slide = self._stacked[:6], self._stacked[:3]
        self._error, self._velocity = np.zeros(6 + n), np.zeros(3)
        self._gram, self._right, self._step = np.zeros((width, width)), np.zeros(width), np.zeros(width)
        self._arm_step = self._step[arm]

    def update(self) -> None:
        """Reads the current state and computes the Jacobian of the grasp point."""
        mujoco.mj_jacSite(self._model, self._data, self._linear, self._angular, self._site)
        self._jacobian[:] = self._columns
        self.point = self.position.tolist()
        self.bend = [angle - home for angle, home in zip(self.joints.tolist(), self._home, strict=True)]

    @property
    def home(self) -> list[float]:
        """Joint angles of the home posture [rad]. Shape (n,)."""
        return self._home

    def velocity(self) -> list[float]:
        """Velocity of the grasp point at the last `update`, world frame [m/s]. Shape (3,)."""
        mujoco.mju_mulMatVec(self._velocity, self._slide, self._velocities)
        values: list[float] = self._velocity.tolist()
        return values

    def opening(self) -> float:
        """How far the gripper is open: 0 closed, 1 open [1]."""
        lengths: list[float] = self._lengths.tolist()
        return (sum(lengths) / len(lengths) - self._length_closed) / (self._length_open - self._length_closed)

    def tilt(self) -> float:
        """Angle at the last `update` by which the gripper leans so that a cup in it pours along `heading` [rad]."""
        _, _, r02, _, _, r12, _, _, r22 = self._rotation.tolist()
        return math.atan2(-r02 * math.cos(self.heading) - r12 * math.sin(self.heading), -r22)

    def act(self, dx: float, dy: float, dz: float, grip: float, tilt: float | None = None) -> None:
        """Sets the actuators' targets; `update` must have been called at this state.

        Args:
            dx: Displacement along the world's x in units of `MAX_STEP`, clipped to [-1, 1].
            dy: Along y.
            dz: Along z.
            grip: From -0.5 (open) to 0.5 (closed), linear between, saturating beyond.
            tilt: Rotation about the line through both fingertips in units of `MAX_TURN`, clipped to [-1, 1]; None keeps
                the gripper pointing down.
        """
        self._solve(dx, dy, dz, tilt)
        np.add(self.joints, self._arm_step, out=self._targets)  # the actuators clamp to the joints' limits
        share = min(max(grip + 0.5, 0.0), 1.0)
        self._gripper.fill(self._open + share * (self._closed - self._open))

    def _solve(self, dx: float, dy: float, dz: float, tilt: float | None = None) -> None:
        """Computes the step of the joints [rad] whose grasp point moves by (dx, dy, dz) * `MAX_STEP`."""
        (x, y, z), low, high = self.point, self.low, self.high
        self._error[:] = (
            min(max(x + MAX_STEP * min(max(dx, -1.0), 1.0), low[0]), high[0]) - x,
            min(max(y + MAX_STEP * min(max(dy, -1.0), 1.0), low[1]), high[1]) - y,
            min(max(z + MAX_STEP * min(max(dz, -1.0), 1.0), low[2]), high[2]) - z,
            *(self._slant() if tilt is None and self.heading == 0.0 else self._turn(tilt)),
            *[-_PULL * angle for angle in self.bend],
        )
        mujoco.mju_sqrMatTD(self._gram, self._stacked, None)
        mujoco.mju_mulMatTVec(self._right, self._stacked, self._error)
        mujoco.mju_cholFactor(self._gram, 1e-9)  # the columns that are not the arm's are zero
        mujoco.mju_cholSolve(self._step, self._gram, self._right)

    def _slant(self) -> tuple[float, float, float]:
        """Rotation error of a gripper that shall point down with heading 0 [rad].

        It is half the sum of cross products of the site's axes with those of diag(1, -1, -1).
        """
        _, r01, r02, r10, _, r12, r20, r21, _ = self._rotation.tolist()
        return 0.5 * (r21 - r12), 0.5 * (r20 + r02), -0.5 * (r10 + r01)

    def _turn(self, tilt: float | None) -> tuple[float, float, float]:
        """Rotation error of a gripper that shall have its heading and another tilt [rad]; the general `_slant`."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        goal = 0.0 if tilt is None else self.tilt() + MAX_TURN * min(max(tilt, -1.0), 1.0)
        goal = min(max(goal, -MAX_TILT), MAX_TILT)
        ct, st = math.cos(goal), math.sin(goal)
        axes = zip(*[iter(self._rotation.tolist())] * 3, strict=True)
        turns = [
            (b * w - d * v, d * u - a * w, a * v - b * u)
            for (a, b, d), (u, v, w) in zip(
                zip(*axes, strict=True), ((c * ct, s * ct, -st), (s, -c, 0.0), (-c * st, -s * st, -ct)), strict=True
            )
        ]
        ex, ey, ez = (0.5 * sum(parts) for parts in zip(*turns, strict=True))
        return ex, ey, ez

    def raise_floor(self, rise: float) -> None:
        """Moves the lower end of its box with the table's top, by `rise` from its nominal height [m]."""
        self.low = (*self.low[:2], LOW[2] + rise)

    def collides(self) -> bool:
        """Whether it touches anything in the contacts computed last."""
        bodies = self._model.geom_bodyid[self._data.contact.geom]
        return bool((self._model.body_rootid[bodies] == self._root).any())

    def set_joints(self, angles: Array) -> None:
        """Puts the arm's joints at these angles [rad], within their limits. Shape (n,)."""
        np.clip(angles, self._range[:, 0], self._range[:, 1], out=self.joints)

    def find_home(self, point: tuple[float, float, float], iterations: int = 60) -> None:
        """Makes the posture with the grasp point at `point`, world frame [m], pointing down, the home of this arm."""
        self.set_joints(np.array(self._home))
        for _ in range(iterations):
            mujoco.mj_kinematics(self._model, self._data)
            mujoco.mj_comPos(self._model, self._data)
            self.update()
            self._solve(*((np.array(point) - self.position) / MAX_STEP).tolist())
            self.set_joints(self.joints + self._arm_step)
        self._home = self.joints.tolist()
        self._check_home(point)

    def _check_home(self, point: tuple[float, float, float]) -> None:
        mujoco.mj_kinematics(self._model, self._data)
        away = float(np.linalg.norm(self.position - point))
        tilt = 1.0 + float(self._rotation[8])
        if away > 0.01 or tilt > 0.01:
            raise RobotError(
                f"its gripper cannot point down at {point} [m]; it ends {away:.3f} m away. "
                "Give joint angles near that posture: [backend.arm] home = [...]"
            )

    def hold(self) -> None:
        """Puts the actuators' targets at the current joints, the gripper open."""
        self._targets[:] = self.joints
        self._gripper[:] = self._open
        for joint, position in self._open_joints:
            joint[:] = position


_PULL = DAMPING * POSTURE_GAIN


def _span(indices: list[int], what: str) -> slice:
    """Consecutive indices as a slice, since a view is cheaper than a gather."""
    first, last = indices[0], indices[-1] + 1
    if indices != list(range(first, last)):
        raise RobotError(f"its {what} are not numbered one after the other: {indices}")
    return slice(first, last)


def _box(mount: Mount) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The box that an arm's grasp point is kept in: an arm that stands aside works on its own side of the table."""
    aside = mount.base[1]
    if abs(aside) <= ACROSS:
        return LOW, HIGH
    low, high = (LOW[1], ACROSS) if aside < 0 else (-ACROSS, HIGH[1])
    return (LOW[0], low, LOW[2]), (HIGH[0], high, HIGH[2])


def _window(dofs: slice, count: int) -> slice:
    """The degrees of freedom that the least squares are solved over: the arm's and their neighbours.

    It begins and ends at multiples of four. MuJoCo's vectorised sums then group the arm's terms in the same way
    whatever else moves in the scene, and a scene with a hundred more degrees of freedom costs nothing more.
    """
    return slice(dofs.start - dofs.start % 4, min(count, dofs.stop + -dofs.stop % 4))


def motor_of(model: mujoco.MjModel, joint: int) -> int:
    """The actuator that moves a joint of an arm, by its number.

    Raises:
        RobotError: It has none.
    """
    actuator = actuator_of(model, joint)
    if actuator is None:
        raise RobotError(f"joint '{model.joint(joint).name}' has no actuator")
    return actuator
