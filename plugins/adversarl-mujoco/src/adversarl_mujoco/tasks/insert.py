"""The task `insert`: put a peg into a hole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl_mujoco.axes.settings import Layout
from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.scenes.options import ObjectOptions, SceneOptions
from adversarl_mujoco.tasks.errors import TaskError, vessel_of
from adversarl_mujoco.tasks.failures import INSERT_KINDS, of_insert
from adversarl_mujoco.tasks.insert_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.insert_teacher import teach
from adversarl_mujoco.tasks.layout import Circle, Stand
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.pick_state import STATE_SIZE as PICK_STATE_SIZE
from adversarl_mujoco.tasks.tabletop import Tabletop

SCENE = SceneOptions(
    objects=(
        ObjectOptions(name="peg", type="peg"),
        # So heavy that a peg that misses the hole does not push it away; only what can move can be put elsewhere.
        ObjectOptions(name="socket", type="socket", mass=3.0, fixed=False),
    )
)
"""A round peg of 3 cm and a hole that is 4 mm wider, both somewhere on the table."""


class InsertCriteria(Criteria):
    """Table ``success`` of `insert`."""

    depth: float = Field(0.02, gt=0, le=0.2, description="Depth of the peg's tip below the hole's mouth [m].")
    alignment: float = Field(0.1, gt=0, le=1.5, description="Largest angle between the axes of peg and hole [rad].")
    time_limit: float = Field(8.0, gt=0, le=600, description="Time limit of an episode [s].")


class InsertWeights(Weights):
    """Table ``reward`` of `insert`."""

    reach: float = Field(1.0, ge=0, le=1000, description="Being near the peg.")
    grasp: float = Field(1.0, ge=0, le=1000, description="Having it in the gripper.")
    align: float = Field(2.0, ge=0, le=1000, description="Having its tip near the hole, in the gripper.")
    depth: float = Field(2.0, ge=0, le=1000, description="Depth in the hole, as a share of the depth asked for.")


class InsertOptions(TaskOptions):
    """Put a peg into a hole."""

    type: Literal["insert"] = "insert"
    into: str | None = Field(None, description="Object with the hole; the scene's first hollow one if left out.")
    success: InsertCriteria = Field(InsertCriteria(), description="When the peg counts as inserted.")
    reward: InsertWeights = Field(InsertWeights(), description="Weights of the reward's terms.")


class Insert(Tabletop):
    """Grasp a standing peg and lower it into a hole.

    Reward per control step as in `ShapedTask`, with the potential ::

        Phi = reach (1 - tanh(5 d)) + grasp grasped
              + align (1 - tanh(5 m)) grasped + depth clip(t / depth, 0, 1)

    d the distance from grasp point to peg, m from the peg's tip to the hole's mouth, t the tip's depth in the hole
    [m]. The condition is t >= depth at an angle of at most ``alignment`` between the axes, in the gripper or released.
    By default a whole successful episode sums to about 7 minus `step_cost` a step.
    """

    Options: ClassVar[type[TaskOptions]] = InsertOptions
    options: InsertOptions
    state_size = STATE_SIZE
    failure_kinds = INSERT_KINDS

    def __init__(
        self, options: InsertOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        self._socket, self._radius = vessel_of(scene, options.into, "into", options.target)
        super().__init__(options, scene, model, data, arms)
        assert self._socket.hollow is not None
        hole = self._socket.hollow[1]
        if options.success.depth > hole:
            problem = f"the hole of '{self._socket.name}' is {hole:.3f} m deep, not {options.success.depth:g}"
            raise TaskError("success.depth", f"{problem}. Ask for less")
        self._socket_stand = Stand(model, data, self._socket)
        socket = model.body(self._socket.name).id
        self._mouth, self._socket_rotation = data.xpos[socket], data.xmat[socket]

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """A peg and a socket."""
        del options
        return SCENE

    def _named(self) -> tuple[str, ...]:
        return (self._thing.name, self._socket.name)

    @property
    def text(self) -> str:
        """The task in English."""
        return f"put the {self._thing.name} into the {self._socket.name}"

    def arrange(self, layout: Layout) -> None:
        """Learns how long peg and socket are now."""
        super().arrange(layout)
        self._length, (width, _, self._height) = layout.half(self._thing)[2], layout.half(self._socket)
        self._width = self._radius * width / self._socket.half[0]

    def _place_things(self, rng: np.random.Generator, layout: Layout, taken: list[Circle]) -> None:
        hole = self._socket_stand.put(rng, layout, taken)
        self._stand.put(rng, layout, [*taken, hole])

    def _fit(self) -> tuple[tuple[float, float, float], float, float]:
        """From the tip to the hole's mouth, world frame [m]; depth in the hole [m]; angle between the axes [rad]."""
        _, _, px, _, _, py, _, _, pz = self._rotation.tolist()
        _, _, sx, _, _, sy, _, _, sz = self._socket_rotation.tolist()
        (x, y, z), (mx, my, mz) = self._object.tolist(), self._mouth.tolist()
        length, height = self._length, self._height
        dx = mx + height * sx - (x - length * px)
        dy = my + height * sy - (y - length * py)
        dz = mz + height * sz - (z - length * pz)
        depth = dx * sx + dy * sy + dz * sz
        aside = math.sqrt(max(dx * dx + dy * dy + dz * dz - depth * depth, 0.0))
        angle = math.acos(min(max(px * sx + py * sy + pz * sz, -1.0), 1.0))
        return (dx, dy, dz), max(depth, 0.0) * (aside < self._width), angle

    def measure(self) -> float:
        """The potential; updates `grasped` and `met`."""
        weights, wanted = self.options.reward, self.options.success
        distance = self.grasp()
        way, depth, angle = self._fit()
        self.met = depth >= wanted.depth and angle <= wanted.alignment
        nearness = weights.reach * (1.0 - math.tanh(5.0 * distance))
        over = 1.0 if depth > 0 else 1.0 - math.tanh(5.0 * math.hypot(*way))
        inside = weights.depth * min(depth / wanted.depth, 1.0)
        return nearness + self.grasped * (weights.grasp + weights.align * over) + inside

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (34,); see `insert_state.STATE` for the columns and their units."""
        super().state(out)
        way, depth, angle = self._fit()
        out[PICK_STATE_SIZE:] = (*[10.0 * part for part in way], 10.0 * depth, angle)

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.insert_teacher`."""
        return teach(states, self.options.success.depth, self._top)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.INSERT_KINDS`."""
        way, depth = 0.1 * states[:, STATE["hole"][0]], 0.1 * states[:, STATE["depth"][0]]
        return of_insert(self.course(states), way, float(depth[-1, 0]))
