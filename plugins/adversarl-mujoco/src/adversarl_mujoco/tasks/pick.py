"""The task `pick`: lift the cube."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.tasks.base import Task
from adversarl_mujoco.tasks.pick_state import STATE_SIZE
from adversarl_mujoco.tasks.pick_teacher import teach

LIFT = 0.10
"""Height above its rest that solves the task [m]."""
START = (-0.03, 0.0, TABLE_HEIGHT + 0.20)
"""Grasp point at home, world frame [m]."""
START_NOISE = 0.04
"""Half range of the joints' offset from home at the start [rad]; about 3 cm at the gripper."""
AREA = (0.11, 0.14)
"""Half ranges of the object's first position along x and y, about the middle of the table [m]."""
YAW = 0.4
"""Half range of the object's first yaw [rad]."""
GRASP_DISTANCE = 0.035
"""Object's centre to grasp point within which both fingers' touch counts as a grasp [m]."""

REACH, GRASP, RAISE, SUCCESS, TIME = 1.0, 1.0, 2.0, 2.0, 0.01
"""Weights of the reward's terms; see `Pick.reward`."""


class Pick(Task):
    """First state, reward and success.

    Reward per control step, with Phi the potential of a state (Ng et al., "Policy invariance under reward
    transformations", 1999: its difference changes no optimal policy)::

        Phi    = REACH (1 - tanh(5 d)) + GRASP grasped + RAISE clip(h / LIFT, 0, 1) grasped
        reward = Phi' - Phi + SUCCESS solved - TIME

    with d the distance from grasp point to object [m], h the object's height above its rest [m]. A whole
    successful episode sums to about 6 minus `TIME` a step.
    """

    state_size = STATE_SIZE
    start = (START,)

    def __init__(self, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]) -> None:
        super().__init__(scene, model, data, arms)
        self._arm = arms[0]
        self._thing = next(iter(scene.objects.values()))
        name, mount = self._thing.name, scene.mounts[0]
        body = model.body(name).id
        joint = model.joint(f"{name}_free")
        self._qpos = data.qpos[joint.qposadr[0] : joint.qposadr[0] + 7]
        self._object = self._qpos[:3]
        self._qvel = data.qvel[joint.dofadr[0] : joint.dofadr[0] + 6]
        self._rotation = data.xmat[body]
        first = int(model.sensor(f"{mount.prefix}touch_{mount.robot.finger_bodies[0]}").adr[0])
        self._touch = data.sensordata[first : first + len(mount.robot.finger_bodies)]
        self.grasped = self.solved = False
        self._potential = 0.0
        self._rest = self._thing.position[2]

    @property
    def text(self) -> str:
        """The task in English."""
        return f"pick up the {self._thing.name}"

    @property
    def target(self) -> str:
        """The object to be lifted."""
        return self._thing.name

    @property
    def proprio_size(self) -> int:
        """Seven numbers of the gripper and one a joint."""
        return 7 + len(self._arm.home)

    def place(self, rng: np.random.Generator, layout: Layout) -> None:
        """Draws the arm's first joints and the object's first pose."""
        arm, noise = self._arm, START_NOISE + layout.joints
        arm.set_joints(np.array(arm.home) + rng.uniform(-noise, noise, len(arm.home)))
        x, y = rng.uniform(-1, 1, 2) * AREA
        yaw = rng.uniform(-YAW, YAW)
        self._rest = self._thing.position[2] + layout.table
        self._qpos[:] = (*layout.spot(x, y), self._rest, *layout.attitude(yaw))

    def begin(self) -> None:
        """Starts the bookkeeping of an episode at the current state."""
        self._potential = self._measure()

    def reward(self) -> float:
        """Reward of the step that led here; updates `grasped` and `solved`."""
        before = self._potential
        self._potential = self._measure()
        return self._potential - before + SUCCESS * self.solved - TIME

    def _measure(self) -> float:
        x, y, z = self._arm.point
        ox, oy, oz = self._object.tolist()
        distance: float = ((x - ox) ** 2 + (y - oy) ** 2 + (z - oz) ** 2) ** 0.5
        self.grasped = distance < GRASP_DISTANCE and min(self._touch.tolist()) > 0.0
        raised: float = min(max((oz - self._rest) / LIFT, 0.0), 1.0)
        self.solved = self.grasped and raised >= 1.0
        return REACH * (1.0 - math.tanh(5.0 * distance)) + self.grasped * (GRASP + RAISE * raised)

    def proprio(self, out: NDArray[np.float32]) -> None:
        """Writes what the robot feels. Shape (7 + n,), n joints; scaled to about [-1, 1].

        Grasp point relative to `START` [0.2 m], its velocity [1 m/s], opening [1], joints relative to home [rad].
        """
        arm = self._arm
        x, y, z = arm.point
        grasp_point = 5.0 * (x - START[0]), 5.0 * (y - START[1]), 5.0 * (z - START[2])
        out[:] = (*grasp_point, *arm.velocity(), arm.opening(), *arm.bend)

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (29,); see `pick_state.STATE` for the columns and their units."""
        arm = self._arm
        x, y, z = arm.point
        ox, oy, oz = self._object.tolist()
        vx, vy, vz, wx, wy, wz = self._qvel.tolist()
        r00, r01, _, r10, r11, _, r20, r21, _ = self._rotation.tolist()
        out[:] = (
            *(5.0 * (x - START[0]), 5.0 * (y - START[1]), 5.0 * (z - START[2])),
            *(*arm.velocity(), arm.opening()),
            *(10.0 * (ox - x), 10.0 * (oy - y), 10.0 * (oz - z)),
            *(10.0 * ox, 10.0 * oy, 10.0 * (oz - self._rest)),
            *(vx, vy, vz, 0.2 * wx, 0.2 * wy, 0.2 * wz),
            *(r00, r10, r20, r01, r11, r21),
            *[min(0.1 * force, 1.0) for force in self._touch.tolist()],
            *(self.grasped, self.solved),
        )

    def memory(self) -> tuple[bool, bool, float]:
        """What `reward` remembers between steps."""
        return self.grasped, self.solved, self._potential

    def remember(self, memory: tuple[bool, bool, float]) -> None:
        """Brings `memory` back."""
        self.grasped, self.solved, self._potential = memory

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.pick_teacher`."""
        return teach(states, LIFT)
