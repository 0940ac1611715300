"""What the tasks with one arm and one object at a time have in common: their senses, and what a grasp is."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.tasks.errors import object_of
from adversarl_mujoco.tasks.failures import Course
from adversarl_mujoco.tasks.layout import Circle, Stand, bystanders
from adversarl_mujoco.tasks.options import TaskOptions
from adversarl_mujoco.tasks.pick_state import STATE_SIZE
from adversarl_mujoco.tasks.scenes import around
from adversarl_mujoco.tasks.shaped import ShapedTask

START = (-0.03, 0.0, TABLE_HEIGHT + 0.20)
"""Grasp point at home, world frame [m]."""
START_NOISE = 0.04
"""Half range of the joints' offset from home at the start [rad]; about 3 cm at the gripper."""
GRASP_DISTANCE = 0.035
"""Grasp point to the object's core within which both fingers' touch counts as a grasp [m]."""
PALM = 0.038
"""How far an object may stand up between the fingers above the grasp point [m]; then the palm is there."""
CORELESS = 0.0225
"""Half height up to which an object's core is a point [m]."""


class OneArm(ShapedTask):
    """One arm that starts above the table, and what it feels."""

    start = (START,)

    def __init__(
        self, options: TaskOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        super().__init__(options, scene, model, data, arms)
        self._arm = arms[0]

    @property
    def proprio_size(self) -> int:
        """Seven numbers of the gripper and one a joint."""
        return 7 + len(self._arm.home)

    def _place_arm(self, rng: np.random.Generator, layout: Layout) -> None:
        arm, noise = self._arm, START_NOISE + layout.joints
        arm.set_joints(np.array(arm.home) + rng.uniform(-noise, noise, len(arm.home)))

    def _senses(self) -> tuple[float, ...]:
        arm = self._arm
        x, y, z = arm.point
        return (5.0 * (x - START[0]), 5.0 * (y - START[1]), 5.0 * (z - START[2]), *arm.velocity(), arm.opening())

    def proprio(self, out: NDArray[np.float32]) -> None:
        """Writes what the robot feels. Shape (7 + n,), n joints; scaled to about [-1, 1].

        Grasp point relative to `START` [0.2 m], its velocity [1 m/s], opening [1], joints relative to home [rad].
        """
        out[:] = (*self._senses(), *self._arm.bend)


class Tabletop(OneArm):
    """One arm and one object that it handles; what else can move stands where the scene says.

    An object is held at its core: the point that its scene names for a gripper that points down, stretched up and down
    as far as the object is higher than a cube of 4.5 cm, so that a bottle may be held anywhere along its length.
    """

    state_size = STATE_SIZE

    def __init__(
        self, options: TaskOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        super().__init__(options, scene, model, data, arms)
        self._thing = thing = object_of(scene, options.target, "target", free=True)
        self._stand = Stand(model, data, thing)
        self._others = bystanders(scene, model, data, self._named())
        joint = model.joint(f"{thing.name}_free")
        self._object = data.qpos[joint.qposadr[0] : joint.qposadr[0] + 3]
        self._qvel = data.qvel[joint.dofadr[0] : joint.dofadr[0] + 6]
        self._rotation = data.xmat[model.body(thing.name).id]
        mount = scene.mounts[0]
        first = int(model.sensor(f"{mount.prefix}touch_{mount.robot.finger_bodies[0]}").adr[0])
        self._touch = data.sensordata[first : first + len(mount.robot.finger_bodies)]
        self.arrange(Layout())

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """The target alone, if it is one of the composer's objects."""
        return around(options.target)

    def _named(self) -> tuple[str, ...]:
        """Names of the objects that the task puts in their places itself."""
        return (self._thing.name,)

    @property
    def target(self) -> str:
        """The object to be handled."""
        return self._thing.name

    def arrange(self, layout: Layout) -> None:
        """Learns how high the object rests and where it is to be held, as large as it is now."""
        super().arrange(layout)
        half = layout.half(self._thing)
        x, y, z = (grasp * half[2] / self._thing.half[2] for grasp in self._thing.grasp)
        self._rest = layout.rest(self._thing)
        self._grip = (x, y, max(z, half[2] - PALM))
        self._top = half[2] - self._grip[2]
        self._core = max(0.0, half[2] - CORELESS)

    def place(self, rng: np.random.Generator, layout: Layout) -> None:
        """Draws the arm's first joints and the first poses of all that can move."""
        self._place_arm(rng, layout)
        self._place_things(rng, layout, [other.put(rng, layout, area=False) for other in self._others])

    def _place_things(self, rng: np.random.Generator, layout: Layout, taken: list[Circle]) -> None:
        """Draws where the things are that the task is about, clear of what is taken."""
        self._stand.put(rng, layout, taken)

    def _offset(self) -> tuple[float, float, float]:
        """From the grasp point to where the object is to be held, world frame [m]."""
        x, y, z = self._arm.point
        ox, oy, oz = self._object.tolist()
        gx, gy, gz = self._grip
        return ox + gx - x, oy + gy - y, oz + gz - z

    def grasp(self) -> float:
        """Updates `grasped`; returns the distance from the grasp point to the object's core [m]."""
        dx, dy, dz = self._offset()
        dz -= min(max(dz, -self._core), self._core)
        distance: float = (dx**2 + dy**2 + dz**2) ** 0.5
        self.grasped = distance < GRASP_DISTANCE and min(self._touch.tolist()) > 0.0
        return distance

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (29,); see `pick_state.STATE` for the columns and their units."""
        ox, oy, oz = self._object.tolist()
        vx, vy, vz, wx, wy, wz = self._qvel.tolist()
        r00, r01, _, r10, r11, _, r20, r21, _ = self._rotation.tolist()
        out[:STATE_SIZE] = (
            *self._senses(),
            *[10.0 * way for way in self._offset()],
            *(10.0 * ox, 10.0 * oy, 10.0 * (oz - self._rest)),
            *(vx, vy, vz, 0.2 * wx, 0.2 * wy, 0.2 * wz),
            *(r00, r10, r20, r01, r11, r21),
            *[min(0.1 * force, 1.0) for force in self._touch.tolist()],
            *(self.grasped, self.solved),
        )

    def course(self, states: NDArray[np.float32]) -> Course:
        """What the states of an episode say; the object's size is taken for nominal."""
        return Course(states, max(0.0, self._thing.half[2] - CORELESS))
