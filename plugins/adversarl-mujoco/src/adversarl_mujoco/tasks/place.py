"""The tasks `place` and `pick-place`: set an object down on a goal and let go of it."""

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
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scene import TABLE_HEIGHT
from adversarl_mujoco.scenes.options import SceneOptions
from adversarl_mujoco.tasks.errors import TaskError, object_of
from adversarl_mujoco.tasks.failures import CARRY_KINDS, of_place
from adversarl_mujoco.tasks.layout import AREA, Circle, Stand, draw
from adversarl_mujoco.tasks.markers import DISC, add_goal, place_of
from adversarl_mujoco.tasks.options import Criteria, TaskOptions, Weights
from adversarl_mujoco.tasks.pick_state import STATE, STATE_SIZE
from adversarl_mujoco.tasks.place_teacher import GOAL, Carrying, teach
from adversarl_mujoco.tasks.scenes import beside
from adversarl_mujoco.tasks.tabletop import Tabletop

PLACE_STATE = {**STATE, "goal": (GOAL, "from the object to where it is to rest [0.1 m]")}
"""Columns of the privileged state: slice and meaning."""
HEIGHT = 0.015
"""Distance from its rest up or down within which an object counts as set down [m]; in something deep, it counts from so
far below the rim on, since it may lie on other things."""
STILL = 0.05
"""Speed below which it rests [m/s]."""
CARRY = 0.05
"""Height above its rest, and above the rim of what it is put into, at which the expert carries it [m]."""
RIM = 0.02
"""How much wider than the tolerance a goal's disc is drawn [m]."""
UNHURRIED = 0.03
"""Half height up to which an object is carried at full speed [m]."""
FLAT = ("box", "bar", "mesh", "mjcf")
"""Types with faces for the fingers."""
ROUND = 0.4
"""Share of full speed at which all others are carried, because they turn and slip between two flat fingers [1]."""
CLOSING = 50
"""Physics steps in which the gripper closes around an object that an episode begins with."""


class PlaceCriteria(Criteria):
    """Table ``success`` of `place` and `pick-place`."""

    position_tolerance: float = Field(
        0.03, gt=0, le=0.3, description="Horizontal distance of the object's middle from the goal's [m]."
    )
    hold: float = Field(0.2, ge=0, le=60, description="How long it must lie there, let go of and at rest [s].")


class PlaceWeights(Weights):
    """Table ``reward`` of `place` and `pick-place`."""

    reach: float = Field(1.0, ge=0, le=1000, description="Being near the object, until it is on the goal.")
    grasp: float = Field(1.0, ge=0, le=1000, description="Having it in the gripper, until it is on the goal.")
    transport: float = Field(2.0, ge=0, le=1000, description="The object being near the goal.")
    release: float = Field(1.0, ge=0, le=1000, description="Having let go of it on the goal.")


class PlaceOptions(TaskOptions):
    """Set down an object that is in the gripper from the start."""

    type: Literal["place"] = "place"
    onto: str | None = Field(None, description="Object to put it onto or into; a marked disc if left out.")
    success: PlaceCriteria = Field(PlaceCriteria(), description="When the object counts as placed.")
    reward: PlaceWeights = Field(PlaceWeights(), description="Weights of the reward's terms.")


class Place(Tabletop):
    """Set an object down on a goal, let go of it, and leave it at rest.

    Reward per control step as in `ShapedTask`, with the potential ::

        Phi = reach max(1 - tanh(5 d), there) + grasp max(grasped, there)
              + transport (1 - tanh(5 g)) + release (there and not touched)

    d the distance from grasp point to object, g from the object to where it is to rest [m]; `there` is 1 within
    position_tolerance of the goal along the table and 1.5 cm of its rest in height, or 1.5 cm below the rim of what it
    is put into. The condition is that it is there, touched by no finger, and slower than 5 cm/s.
    """

    Options: ClassVar[type[TaskOptions]] = PlaceOptions
    options: PlaceOptions
    state_size = STATE_SIZE + 3
    failure_kinds: ClassVar[tuple[str, ...]] = CARRY_KINDS
    in_hand: ClassVar[bool] = True

    def __init__(
        self, options: PlaceOptions, scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, arms: Sequence[Arm]
    ) -> None:
        name = object_of(scene, options.target, "target", free=True).name
        self._onto = _support(scene, name, options.onto)
        super().__init__(options, scene, model, data, arms)
        self._model, self._data = model, data
        self._disc = place_of(model, data) if self._onto is None else None
        self._base = None if self._onto is None else Stand(model, data, self._onto)
        self._there = False
        self._attitude = Layout().attitude(0.0)

    def arrange(self, layout: Layout) -> None:
        """Learns where the object is to rest, as large as it and what it is put onto are now."""
        super().arrange(layout)
        thing, onto = self._thing, self._onto
        half = layout.half(thing)[2]
        # What begins on top of something is to rest on the table all the same.
        self._ground = self._rest - (thing.position[2] - thing.half[2] - TABLE_HEIGHT)
        depth = self._above = 0.0
        if onto is not None:
            base = layout.half(onto)[2]
            depth = 0.0 if onto.hollow is None else onto.hollow[1] * base / onto.half[2]
            self._above = base - depth + half
        self._slack = max(HEIGHT, depth - HEIGHT)  # what lies on the rim is not inside
        tolerance = self.options.success.position_tolerance
        pace = min(1.0 if thing.kind in FLAT else ROUND, UNHURRIED / half)
        self._about = Carrying(self._top, depth + CARRY, tolerance, self._slack, pace)

    @classmethod
    def scene_options(cls, options: TaskOptions) -> SceneOptions:
        """The target, and what it is to be put onto."""
        assert isinstance(options, PlaceOptions)
        return beside(options.target, options.onto)

    @classmethod
    def furnish(cls, options: TaskOptions, spec: mujoco.MjSpec) -> tuple[SceneObject, ...]:
        """The disc, unless there is something to put the object onto."""
        assert isinstance(options, PlaceOptions)
        if options.onto is not None:
            return ()
        radius = options.success.position_tolerance + RIM
        return (add_goal(spec, mujoco.mjtGeom.mjGEOM_CYLINDER, (radius, DISC), (0.15, 0.55, 0.95)),)

    def _named(self) -> tuple[str, ...]:
        names = (self._thing.name, self.options.onto)
        return tuple(name for name in names if name is not None)

    @property
    def text(self) -> str:
        """The task in English."""
        return f"put the {self._thing.name} {self._where}"

    @property
    def _where(self) -> str:
        if self._onto is None:
            return "on the goal"
        return f"{'into' if self._onto.kind in ('bin', 'bowl', 'cup') else 'onto'} the {self._onto.name}"

    def _place_things(self, rng: np.random.Generator, layout: Layout, taken: list[Circle]) -> None:
        self._attitude = layout.attitude(0.0)
        if not self.in_hand:
            taken = [*taken, self._stand.put(rng, layout, taken)]
        if self._base is not None:
            self._base.put(rng, layout, taken)
        elif self._disc is not None:
            (x, y), _ = draw(rng, layout, (0.0, 0.0), AREA, self.options.success.position_tolerance, taken)
            self._disc[:] = x, y, TABLE_HEIGHT + layout.table + DISC

    def prepare(self) -> bool:
        """Closes the gripper around the object, if it is to be there from the start."""
        if not self.in_hand:
            return False
        (x, y, z), (gx, gy, gz) = self._arm.point, self._grip
        self._arm.act(0.0, 0.0, 0.0, 1.0)
        for _ in range(CLOSING):
            self._stand.hold_at(x - gx, y - gy, z - gz, self._attitude)
            self._qvel[:] = 0.0
            mujoco.mj_step(self._model, self._data)
        self._data.time = 0.0
        return True

    def _way(self) -> tuple[float, float, float]:
        """From the object to where it is to rest, world frame [m]."""
        ox, oy, oz = self._object.tolist()
        if self._base is not None:
            gx, gy, gz = self._base.position.tolist()
            return gx - ox, gy - oy, gz + self._above - oz
        assert self._disc is not None
        gx, gy, _ = self._disc.tolist()
        return gx - ox, gy - oy, self._ground - oz

    def measure(self) -> float:
        """The potential; updates `grasped` and `met`."""
        weights = self.options.reward
        distance, way = self.grasp(), self._way()
        tolerance = self.options.success.position_tolerance
        self._there = there = math.hypot(way[0], way[1]) <= tolerance and abs(way[2]) <= self._slack
        free = there and max(self._touch.tolist()) == 0.0
        self.met = free and math.hypot(*self._qvel[:3].tolist()) < STILL
        potential = weights.reach * (1.0 if there else 1.0 - math.tanh(5.0 * distance))
        potential += weights.grasp * (self.grasped or there) + weights.release * free
        return potential + weights.transport * (1.0 - math.tanh(5.0 * math.hypot(*way)))

    def secure(self) -> bool:
        """Whether the object is in the gripper or on the goal."""
        return self.grasped or self._there

    def state(self, out: NDArray[np.float32]) -> None:
        """Writes the simulation's truth. Shape (32,); see `PLACE_STATE` for the columns and their units."""
        super().state(out)
        out[GOAL] = [10.0 * way for way in self._way()]

    def teach(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """The expert of `adversarl_mujoco.tasks.place_teacher`."""
        return teach(states, self._about)

    def failure_kind(self, states: NDArray[np.float32]) -> str:
        """One of `failures.CARRY_KINDS`, or of `failures.PLACE_KINDS` if the object begins on the table."""
        deep = 0.0 if self._onto is None or self._onto.hollow is None else self._onto.hollow[1]
        tolerance, slack = self.options.success.position_tolerance, max(HEIGHT, deep - HEIGHT)
        return of_place(self.course(states), 0.1 * states[:, GOAL], tolerance, slack, in_hand=self.in_hand)


def _support(scene: Scene, target: str, name: str | None) -> SceneObject | None:
    """What the target is put onto, if the table names it."""
    if name == target:
        raise TaskError("onto", f"'{name}' cannot be put onto itself. Name another object")
    return None if name is None else object_of(scene, name, "onto", free=False)
