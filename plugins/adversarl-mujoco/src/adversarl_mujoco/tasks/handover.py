"""The task `handover`: one arm fetches a bar, the other takes it over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Mount, Scene
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.scenes.options import CameraOptions, ObjectOptions, RandomizeOptions, RobotOptions, SceneOptions
from adversarl_mujoco.tasks.errors import object_of
from adversarl_mujoco.tasks.failures import HANDOVER_KINDS, of_handover
from adversarl_mujoco.tasks.handover_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.handover_teacher import teach
from adversarl_mujoco.tasks.layout import Stand, bystanders
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.shaped import ShapedTask
from adversarl_mujoco.tasks.tabletop import GRASP_DISTANCE, START_NOISE

GIVER, TAKER = (-0.03, -0.15, TABLE_HEIGHT + 0.20), (-0.03, 0.17, TABLE_HEIGHT + 0.24)
"""Grasp points at home, world frame [m]; at yaw 0 the first robot stands at y < 0, and so does the bar."""
MEETING = (0.0, 0.0, TABLE_HEIGHT + 0.17)
"""Where the expert's bar changes hands, world frame [m]; higher if the lift that is asked for is."""
ABOVE = 0.05
"""Height above that lift at which it does so at least [m]."""
MARGIN = 0.04
"""From the end of the bar to where it is to be held [m]."""
LYING = 0.2
"""Height below which a bar that nobody holds lies down, as a share of lift_height [1]."""
SCENE = SceneOptions(
    objects=(
        ObjectOptions(
            name="bar", type="bar", position=(0.0, -0.12), yaw=90, randomize=RandomizeOptions(position=(0.09, 0.04))
        ),
    ),
    robots=(RobotOptions(), RobotOptions()),
    cameras=(CameraOptions(position=(0.68, 0.0, 1.0), target=(-0.03, 0.0, 0.50)),),
)
"""A bar that lies across, on the first robot's side of the table, seen from a little farther away."""


class HandoverCriteria(Criteria):
    """Table ``success`` of `handover`."""

    lift_height: float = Field(0.10, gt=0, le=0.25, description="Height of the bar's middle above its rest [m].")
    hold: float = Field(0.5, ge=0, le=60, description="How long the second arm must hold it alone [s].")
    time_limit: float = Field(8.0, gt=0, le=600, description="Time limit of an episode [s].")


class HandoverWeights(Weights):
    """Table ``reward`` of `handover`."""

    reach: float = Field(1.0, ge=0, le=1000, description="The first arm being near its end of the bar.")
    grasp: float = Field(1.0, ge=0, le=1000, description="Either arm having it in the gripper.")
    lift: float = Field(1.0, ge=0, le=1000, description="Height in a gripper, as a share of lift_height.")
    approach: float = Field(1.0, ge=0, le=1000, description="The second arm being near its end of a held bar.")
    transfer: float = Field(1.0, ge=0, le=1000, description="The second arm having it in the gripper.")
    release: float = Field(1.0, ge=0, le=1000, description="The first arm not touching it, the second holding it.")


class HandoverOptions(TaskOptions):
    """Pass a bar from the first arm to the second."""

    type: Literal["handover"] = "handover"
    success: HandoverCriteria = Field(HandoverCriteria(), description="When the bar counts as handed over.")
    reward: HandoverWeights = Field(HandoverWeights(), description="Weights of the reward's terms.")


class Hand:
    """One arm's gripper and its end of the bar."""

    def __init__(self, arm: Arm, mount: Mount, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.arm = arm
        # Fingers that close along x take a bar that lies along y.
        arm.heading = math.pi / 2
        first = int(model.sensor(f"{mount.prefix}touch_{mount.robot.finger_bodies[0]}").adr[0])
        self._touch = data.sensordata[first : first + len(mount.robot.finger_bodies)]
        self.reach = 0.0
        """Where its end of the bar is, along the bar from its middle [m]."""
        self.offset = (0.0, 0.0, 0.0)
        self.distance, self.holds, self.touches = 0.0, False, False

    def measure(self, x: float, y: float, z: float, axis: tuple[float, float, float]) -> None:
        """Updates the offset from the grasp point to its end of a bar at (x, y, z) along `axis`, and what it holds."""
        px, py, pz = self.arm.point
        ax, ay, az = axis
        self.offset = x + self.reach * ax - px, y + self.reach * ay - py, z + self.reach * az - pz
        forces = self._touch.tolist()
        self.distance = math.hypot(*self.offset)
        self.touches = max(forces) > 0.0
        self.holds = self.distance < GRASP_DISTANCE and min(forces) > 0.0

    def senses(self, start: tuple[float, float, float]) -> tuple[float, ...]:
        """Grasp point relative to its start [0.2 m], its velocity [1 m/s], opening [1]."""
        (x, y, z), (sx, sy, sz), arm = self.arm.point, start, self.arm
        return (5.0 * (x - sx), 5.0 * (y - sy), 5.0 * (z - sz), *arm.velocity(), arm.opening())

    def state(self, start: tuple[float, float, float]) -> tuple[float, ...]:
        """Its columns of the privileged state."""
        touch = [min(0.1 * force, 1.0) for force in self._touch.tolist()]
        return (*self.senses(start), *touch, *[10.0 * part for part in self.offset])


class Handover(ShapedTask):
    """The first arm picks up a bar by one end, the second takes the other end, the first lets go.

    Action, 8 numbers: displacement along x, y, z and the gripper, of the first arm, then of the second. Reward per
    control step as in `ShapedTask`, with the potential ::

        Phi = reach max(1 - tanh(5 d1), taken) + grasp held + lift clip(h / lift_height, 0, 1) held
              + approach (1 - tanh(5 d2)) held + transfer taken + release (taken and not touched1)

    d1 and d2 the distances from the arms' grasp points to their ends of the bar, h the height of its middle above its
    rest [m]; `held` that it is in any gripper, `taken` that it is in the second and was given: the first held it alone
    since it last lay down. The condition is that it is taken, untouched by the first, at h >= lift_height: a second arm
    that fetches the bar itself solves nothing. By default a whole successful episode sums to about 8 minus `step_cost`
    a step.
    """

    Options: ClassVar[type[TaskOptions]] = HandoverOptions
    options: HandoverOptions
    action_size = 8
    state_size = STATE_SIZE
    failure_kinds = HANDOVER_KINDS
    start = (GIVER, TAKER)

    def __init__(
        self, options: HandoverOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        super().__init__(options, scene, model, data, arms)
        self._thing = thing = object_of(scene, options.target, "target", free=True)
        self._stand = Stand(model, data, thing)
        self._others = bystanders(scene, model, data, (thing.name,))
        joint = model.joint(f"{thing.name}_free")
        self._object = data.qpos[joint.qposadr[0] : joint.qposadr[0] + 3]
        self._qvel = data.qvel[joint.dofadr[0] : joint.dofadr[0] + 6]
        self._rotation = data.xmat[model.body(thing.name).id]
        self._giver, self._taker = (
            Hand(arm, mount, model, data) for arm, mount in zip(arms, scene.mounts, strict=True)
        )
        self._given = False
        self.arrange(Layout())

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """A bar and two arms."""
        del options
        return SCENE

    @property
    def text(self) -> str:
        """The task in English."""
        return f"hand the {self._thing.name} from one arm to the other"

    @property
    def target(self) -> str:
        """The object to be handed over."""
        return self._thing.name

    @property
    def proprio_size(self) -> int:
        """Seven numbers of each gripper and one a joint."""
        return 14 + sum(len(arm.home) for arm in self.arms)

    def arrange(self, layout: Layout) -> None:
        """Learns how high the bar rests and where it is to be held, as large as it is now."""
        super().arrange(layout)
        reach = max(layout.half(self._thing)[0] - MARGIN, 0.0)
        self._giver.reach, self._taker.reach = -reach, reach
        self._rest = layout.rest(self._thing)
        self._height = max(MEETING[2] + layout.table, self._rest + self.options.success.lift_height + ABOVE)

    def place(self, rng: np.random.Generator, layout: Layout) -> None:
        """Draws the arms' first joints and the first poses of all that can move."""
        for arm in self.arms:
            noise = START_NOISE + layout.joints
            arm.set_joints(np.array(arm.home) + rng.uniform(-noise, noise, len(arm.home)))
        self._stand.put(rng, layout, [other.put(rng, layout, area=False) for other in self._others])

    def begin(self) -> None:
        """Starts the bookkeeping of an episode at the current state."""
        self._given = False
        super().begin()

    def act(self, action: Sequence[float]) -> None:
        """Sets the actuators' targets. Shape (8,), in [-1, 1]."""
        self.arms[0].act(*action[:4])
        self.arms[1].act(*action[4:])

    def measure(self) -> float:
        """The potential; updates `grasped` and `met`."""
        weights, giver, taker = self.options.reward, self._giver, self._taker
        x, y, z = self._object.tolist()
        r00, _, _, r10, _, _, r20, _, _ = self._rotation.tolist()
        for hand in (giver, taker):
            hand.measure(x, y, z, (r00, r10, r20))
        self.grasped = giver.holds or taker.holds
        raised = min(max((z - self._rest) / self.options.success.lift_height, 0.0), 1.0)
        lying = not self.grasped and raised < LYING
        self._given = not lying and (self._given or (giver.holds and not taker.holds))
        taken = taker.holds and self._given
        free = taken and not giver.touches
        self.met = free and raised >= 1.0
        held = weights.grasp + weights.lift * raised + weights.approach * (1.0 - math.tanh(5.0 * taker.distance))
        near = max(1.0 - math.tanh(5.0 * giver.distance), float(taken))
        phi: float = weights.reach * near + self.grasped * held + weights.transfer * taken + weights.release * free
        return phi

    def proprio(self, out: NDArray[np.float32]) -> None:
        """Writes what the robots feel. Shape (14 + n,), n joints of both; scaled to about [-1, 1].

        Of each arm: grasp point relative to its start [0.2 m], its velocity [1 m/s], opening [1]; then of each arm:
        joints relative to home [rad].
        """
        senses = *self._giver.senses(GIVER), *self._taker.senses(TAKER)
        out[:] = (*senses, *self.arms[0].bend, *self.arms[1].bend)

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (42,); see `handover_state.STATE` for the columns and their units."""
        x, y, z = self._object.tolist()
        vx, vy, vz, wx, wy, wz = self._qvel.tolist()
        r00, r01, _, r10, r11, _, r20, r21, _ = self._rotation.tolist()
        out[:] = (
            *self._giver.state(GIVER),
            *self._taker.state(TAKER),
            *(10.0 * (x - MEETING[0]), 10.0 * (y - MEETING[1]), 10.0 * (z - self._height)),
            *(vx, vy, vz, 0.2 * wx, 0.2 * wy, 0.2 * wz),
            *(r00, r10, r20, r01, r11, r21),
            *(self._giver.holds, self._taker.holds, self.solved),
        )

    def memory(self) -> tuple[Any, ...]:
        """What `reward` remembers between steps."""
        hands = tuple((hand.offset, hand.distance, hand.holds, hand.touches) for hand in (self._giver, self._taker))
        return hands, self._given, super().memory()

    def remember(self, memory: tuple[Any, ...]) -> None:
        """Brings `memory` back."""
        hands, self._given, rest = memory
        for hand, values in zip((self._giver, self._taker), hands, strict=True):
            hand.offset, hand.distance, hand.holds, hand.touches = values
        super().remember(rest)

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.handover_teacher`. Shape (n, 8)."""
        return teach(states)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.HANDOVER_KINDS`."""
        return of_handover(states, STATE)
