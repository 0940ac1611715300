"""The task `pour`: tip what is in a cup into a bowl."""

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
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scenes.options import ObjectOptions, SceneOptions
from adversarl_mujoco.tasks.errors import TaskError, vessel_of
from adversarl_mujoco.tasks.failures import POUR_KINDS, of_pour
from adversarl_mujoco.tasks.grains import Grains, add_grains, room
from adversarl_mujoco.tasks.layout import Circle, Stand
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.pick_state import STATE_SIZE as PICK_STATE_SIZE
from adversarl_mujoco.tasks.pour_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.pour_teacher import teach
from adversarl_mujoco.tasks.tabletop import Tabletop

SCENE = SceneOptions(objects=(ObjectOptions(name="cup", type="beaker"), ObjectOptions(name="bowl", type="bowl")))
"""A square cup and a bowl somewhere on the table."""


class PourCriteria(Criteria):
    """Table ``success`` of `pour`."""

    share: float = Field(0.75, gt=0, le=1, description="Least share of the grains in the vessel [1].")
    spill: float = Field(0.25, ge=0, le=1, description="Largest share of the grains spilled [1].")
    hold: float = Field(0.2, ge=0, le=60, description="How long they must be there [s].")
    time_limit: float = Field(10.0, gt=0, le=600, description="Time limit of an episode [s].")


class PourWeights(Weights):
    """Table ``reward`` of `pour`."""

    reach: float = Field(1.0, ge=0, le=1000, description="Being near the cup.")
    grasp: float = Field(1.0, ge=0, le=1000, description="Having it in the gripper.")
    align: float = Field(1.0, ge=0, le=1000, description="Having its lip near the vessel, in the gripper.")
    pour: float = Field(4.0, ge=0, le=1000, description="Share of the grains in the vessel.")
    spill: float = Field(4.0, ge=0, le=1000, description="Taken off for the share of the grains spilled.")


class PourOptions(TaskOptions):
    """Pour what is in a cup into a bowl."""

    type: Literal["pour"] = "pour"
    into: str | None = Field(None, description="Vessel to pour into; the scene's first hollow one if left out.")
    grains: int = Field(14, ge=1, le=60, description="Number of balls of 12 mm in the cup; they cost time.")
    success: PourCriteria = Field(PourCriteria(), description="When the cup counts as poured.")
    reward: PourWeights = Field(PourWeights(), description="Weights of the reward's terms.")


class Pour(Tabletop):
    """Grasp a cup full of grains, carry it to a bowl, and tip it.

    Action, 5 numbers: displacement along x, y, z, the gripper, and its tilt in units of `control.MAX_TURN`; the fingers
    close along the world's x, and a positive tilt pours towards its y. Reward per control step as in `ShapedTask`, with
    the potential ::

        Phi = reach (1 - tanh(5 d)) + grasp grasped + align (1 - tanh(5 l)) grasped + pour p - spill s

    d the distance from grasp point to cup, l from the cup's lip to the middle of the vessel's rim [m], p and s the
    shares of the grains in the vessel and spilled, that is in neither and lower than the vessel's rim. The condition is
    that p >= share and s <= spill. By default a whole successful episode sums to about 8 minus `step_cost` a step.
    """

    Options: ClassVar[type[TaskOptions]] = PourOptions
    options: PourOptions
    action_size = 5
    state_size = STATE_SIZE
    failure_kinds = POUR_KINDS

    def __init__(
        self, options: PourOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        self._vessel, self._foot = vessel_of(scene, options.into, "into", options.target)
        super().__init__(options, scene, model, data, arms)
        if self._thing.hollow is None:
            raise TaskError("target", f"nothing can be in '{self._thing.name}'. Name a hollow object, such as a cup")
        self._arm.heading = math.pi / 2
        self._hollow: tuple[float, float] = self._thing.hollow
        most = room(*self._hollow)
        if options.grains > most:
            problem = f"'{self._thing.name}' has room for {most} grains, not for {options.grains}"
            raise TaskError("grains", f"{problem}. Ask for fewer, or make it larger")
        self._vessel_stand = Stand(model, data, self._vessel)
        body = model.body(self._vessel.name).id
        self._middle, self._vessel_rotation = data.xpos[body], data.xmat[body].reshape(3, 3)
        first = int(model.joint(f"{self._thing.name}_free").qposadr[0])
        self._quaternion = data.qpos[first + 3 : first + 7]
        self._cup, self._cup_rotation = self._object, self._rotation.reshape(3, 3)
        self._grains = Grains(model, data, options.grains)
        self._shares = (1.0, 0.0, 0.0)

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """A cup and a bowl."""
        del options
        return SCENE

    @classmethod
    def furnish(cls, options: TaskOptions, spec: mujoco.MjSpec) -> tuple[SceneObject, ...]:
        """The grains; they are no objects of the scene, since no prompt means one of them."""
        assert isinstance(options, PourOptions)
        add_grains(spec, options.grains)
        return ()

    def _named(self) -> tuple[str, ...]:
        return (self._thing.name, self._vessel.name)

    @property
    def text(self) -> str:
        """The task in English."""
        return f"pour the {self._thing.name} into the {self._vessel.name}"

    @property
    def proprio_size(self) -> int:
        """Seven numbers of the gripper, its tilt, and one a joint."""
        return 8 + len(self._arm.home)

    def arrange(self, layout: Layout) -> None:
        """Learns how large cup and vessel are now."""
        super().arrange(layout)
        self._half, self._vessel_half = layout.half(self._thing), layout.half(self._vessel)

    def _place_things(self, rng: np.random.Generator, layout: Layout, taken: list[Circle]) -> None:
        bowl = self._vessel_stand.put(rng, layout, taken)
        self._stand.put(rng, layout, [*taken, bowl])
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, self._quaternion)
        own = rotation.reshape(3, 3)
        scale = self._half[2] / self._thing.half[2]
        radius, depth = self._hollow
        floor = self._object + (self._half[2] - scale * depth) * own[:, 2]
        self._grains.fill(floor, own, scale * radius)

    def act(self, action: Sequence[float]) -> None:
        """Sets the actuators' targets. Shape (5,), in [-1, 1]."""
        self._arm.act(*action)

    def _offset(self) -> tuple[float, float, float]:
        """From the grasp point to where the cup is to be held, world frame [m]; it turns with the cup."""
        dx, dy, dz = (self._cup + self._cup_rotation @ self._grip - self._arm.position).tolist()
        return dx, dy, dz

    def _lip(self) -> tuple[float, float, float]:
        """From the lowest point of the cup's rim in the direction of pouring to the vessel's rim, world frame [m]."""
        axis, heading = self._cup_rotation[:, 2], self._arm.heading
        forward = np.array((math.cos(heading), math.sin(heading), 0.0))
        out = forward - (forward @ axis) * axis
        # A cup that lies along the direction of pouring pours over the lower edge of its rim.
        down = np.array((0.0, 0.0, -1.0)) + axis[2] * axis
        out = out if axis[2] > 0.2 else down
        lip = self._cup + self._half[2] * axis + self._half[0] * out / max(float(np.linalg.norm(out)), 1e-6)
        rim = self._middle + self._vessel_half[2] * self._vessel_rotation[:, 2]
        dx, dy, dz = (rim - lip).tolist()
        return dx, dy, dz

    def _survey(self) -> None:
        grains, half, cup = self._grains, self._vessel_half, self._half
        # What is still in the cup is not poured, also where the cup itself stands in the vessel.
        kept = grains.inside(self._cup, self._cup_rotation, (cup[0], cup[0]), cup[2])
        foot = self._foot * half[0] / self._vessel.half[0]
        inside = grains.inside(self._middle, self._vessel_rotation, (foot, half[0]), half[2]) & ~kept
        low = grains.positions[:, 2] < self._middle[2] + half[2]
        spilled = low & ~inside & ~kept
        kept_share, share, spilled_share = (float(np.count_nonzero(f)) / grains.count for f in (kept, inside, spilled))
        self._shares = kept_share, share, spilled_share

    def measure(self) -> float:
        """The potential; updates `grasped` and `met`."""
        weights, wanted = self.options.reward, self.options.success
        distance = self.grasp()
        self._survey()
        _, share, spilled = self._shares
        self.met = share >= wanted.share and spilled <= wanted.spill
        near = weights.reach * (1.0 - math.tanh(5.0 * distance))
        over = 1.0 - math.tanh(5.0 * math.hypot(*self._lip()))
        held = self.grasped * (weights.grasp + weights.align * over)
        return near + held + weights.pour * share - weights.spill * spilled

    def proprio(self, out: NDArray[np.float32]) -> None:
        """Writes what the robot feels. Shape (8 + n,), n joints; scaled to about [-1, 1].

        As in the other tasks: grasp point, its velocity, opening; tilt [rad]; joints relative to home [rad].
        """
        out[:] = (*self._senses(), self._arm.tilt(), *self._arm.bend)

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (36,); see `pour_state.STATE` for the columns and their units."""
        super().state(out)
        out[PICK_STATE_SIZE:] = (*[10.0 * part for part in self._lip()], self._arm.tilt(), *self._shares)

    def memory(self) -> tuple[Any, ...]:
        """What `reward` remembers between steps."""
        return self._shares, *super().memory()

    def remember(self, memory: tuple[Any, ...]) -> None:
        """Brings `memory` back."""
        self._shares, *rest = memory
        super().remember(tuple(rest))

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.pour_teacher`. Shape (n, 5)."""
        return teach(states, self._top)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.POUR_KINDS`."""
        lip, tilt = 0.1 * states[:, STATE["lip"][0]], states[:, STATE["tilt"][0]][:, 0]
        spilled = float(states[-1, STATE["shares"][0]][2])
        return of_pour(self.course(states), lip, tilt, spilled, self.options.success.spill)
