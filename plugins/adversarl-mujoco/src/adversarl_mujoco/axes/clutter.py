"""Things that stand in the way or beside it; all of them are only seen, never touched."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.scene import DISTRACTORS

HIDDEN = 0.6
"""Share of the object's width that the occluder hides when it stands right before it."""
OCCLUDER_M = 0.27
"""The occluder stands so far from the middle of the table towards the camera [m]..."""
OCCLUDER_NEAR = 0.55
"""... but at most at this share of the camera's own distance, both on the table's plane."""
OCCLUDER_HALF_HEIGHT_M = 0.19
OCCLUDER_REACH_M = 0.08
"""It stands before a point at most so far from the middle of the workspace [m]."""
_PLACES_M = ((-0.28, 0.1), (-0.27, 0.25), (-0.09, 0.23), (0.08, 0.215))
SLOTS_M = tuple((x, side * y) for x, y in _PLACES_M for side in (-1, 1))
"""Where distractors may stand: around the area where the object starts, within the picture, world frame [m]."""
JITTER_M = 0.02
_DRAWS_EACH = 6
_COLORS = tuple(
    (start + 3, start + 4, start + 5)
    for start in range(len(SLOTS_M), len(SLOTS_M) + DISTRACTORS * _DRAWS_EACH, _DRAWS_EACH)
)
"""Draws of the distractors' colours."""
LOOK_ALIKES = 3
_SPHERE, _CAPSULE = int(mujoco.mjtGeom.mjGEOM_SPHERE), int(mujoco.mjtGeom.mjGEOM_CAPSULE)
_CYLINDER = int(mujoco.mjtGeom.mjGEOM_CYLINDER)


class Occluder(WorldAxis):
    """A post between camera and workspace. Value: ``left``, ``right``, ``center``, or its colour."""

    spec = Axis(
        name="occluder",
        group="visual",
        summary="A tall post stands between the camera and the workspace.",
        unit="share of the object's width that it can hide",
        nominal="0 %",
        bound=f"{HIDDEN:.0%}",
        source="ours: a part of the target stays visible; compare the occlusions of LIBERO-plus (arXiv:2510.13626)",
        phrase="put a post in front of the object",
    )
    names = ("left", "right", "center")
    numbers = 3
    rgb = True
    things = ((0,), (1, 2, 3))

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Sizes the post by the intensity and puts it on a line from the camera to the workspace."""
        if not perturbation.intensity:
            return
        value, far = perturbation.value, math.hypot(*stage.nominal_camera[:2])
        x, y = (edge / far for edge in stage.nominal_camera[:2]) if far > 0 else (1.0, 0.0)
        out = min(OCCLUDER_M, OCCLUDER_NEAR * far)
        # Similar triangles: what is nearer to the camera needs less width to hide as much.
        share = (far - out) / far if far > 0 else 1.0
        geom = stage.geoms["occluder"]
        width = perturbation.intensity * HIDDEN * share * stage.objects[stage.target].about.half[1]
        stage.geom_size[geom] = (width, width, OCCLUDER_HALF_HEIGHT_M)
        side = {"left": -1.0, "right": 1.0, "center": 0.0}.get(str(value), 2 * u[0] - 1)
        height = stage.table_height + OCCLUDER_HALF_HEIGHT_M
        aside = share * side * OCCLUDER_REACH_M
        stage.body_pos[stage.occluder] = (out * x - aside * y, out * y + aside * x, height)
        half_yaw = math.atan2(y, x) / 2
        stage.body_quat[stage.occluder] = (math.cos(half_yaw), 0.0, 0.0, math.sin(half_yaw))
        stage.geom_rgba[geom] = (*(value if isinstance(value, tuple) else u[1:4]), 1.0)


class Distractors(WorldAxis):
    """Objects of other shapes around the workspace. Value: one colour for all; else every one has its own."""

    spec = Axis(
        name="distractors",
        group="visual",
        summary="Objects that have nothing to do with the task stand on the table.",
        unit="objects",
        nominal="0",
        bound="6",
        source="ours, after THE COLOSSEUM (arXiv:2402.08191), whose distractors lower success most",
        phrase="add distractors",
    )
    numbers = 3
    rgb = True
    things = _COLORS

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Puts ceil(6 intensity) objects into drawn slots, in drawn places and colours."""
        count = math.ceil(len(stage.distractors) * perturbation.intensity - 1e-9)
        _spread(stage, count, u, perturbation.value)


class DistractorSimilarity(WorldAxis):
    """Makes distractors look like the task's object; where there are none, it brings some that do."""

    spec = Axis(
        name="distractor-similarity",
        group="visual",
        summary="The distractors have the object's colour, and more and more of them its shape.",
        unit="share of the way to the object's look",
        nominal="0",
        bound=f"1: its colour and, if it has one part, its shape; {LOOK_ALIKES} come where there are no distractors",
        source="ours, after THE COLOSSEUM (arXiv:2402.08191): distractors are hardest where they resemble the target",
        phrase="make the distractors look like the object",
    )

    things = _COLORS

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Mixes the object's colour into those on the table; the share `intensity` of them gets its shape."""
        i = perturbation.intensity
        if not i:
            return
        standing = [index for index, body in enumerate(stage.distractors) if stage.body_pos[body, 2] > 0]
        if not standing:
            standing = list(range(math.ceil(LOOK_ALIKES * i - 1e-9)))
            _spread(stage, len(standing), u, None)
        handle = stage.objects[stage.target]
        color = stage.mat_rgba[handle.materials[0], :3] if handle.materials else stage.geom_rgba[handle.geoms[0], :3]
        shaped = round(i * len(standing)) if handle.primitive and len(handle.geoms) == 1 else 0
        for turn, index in enumerate(standing):
            body = stage.distractors[index]
            geom = stage.model.body_geomadr[body]
            rgb = stage.geom_rgba[geom, :3]
            rgb += np.float32(i) * (color - rgb)
            if turn < shaped:
                _copy_shape(stage, int(geom), handle.geoms[0])
                stage.body_pos[body, 2] = stage.table_height + _half_height(stage, int(geom))


def _copy_shape(stage: Stage, geom: int, original: int) -> None:
    stage.geom_type[geom] = stage.geom_type[original]
    stage.geom_size[geom] = stage.geom_size[original]


def _spread(stage: Stage, count: int, u: Sequence[float], color: object) -> None:
    """Puts the first distractors into drawn slots, in drawn places and colours."""
    slots = sorted(range(len(SLOTS_M)), key=lambda slot: u[slot])
    for index in range(count):
        _place(stage, index, SLOTS_M[slots[index]], u[len(SLOTS_M) + _DRAWS_EACH * index :], color)


def _place(stage: Stage, index: int, slot: tuple[float, float], u: Sequence[float], color: object) -> None:
    """Stands one distractor on the table, turned about the vertical."""
    body = stage.distractors[index]
    geom = stage.model.body_geomadr[body]
    x, y = (middle + JITTER_M * (2 * draw - 1) for middle, draw in zip(slot, u[:2], strict=True))
    stage.body_pos[body] = (x, y, stage.table_height + _half_height(stage, int(geom)))
    stage.body_quat[body] = (math.cos(math.pi * u[2]), 0.0, 0.0, math.sin(math.pi * u[2]))
    stage.geom_rgba[geom] = (*(color if isinstance(color, tuple) else u[3:6]), 1.0)


def _half_height(stage: Stage, geom: int) -> float:
    size, shape = stage.geom_size[geom].tolist(), int(stage.geom_type[geom])
    if shape == _SPHERE:
        return float(size[0])
    if shape == _CAPSULE:
        return float(size[0] + size[1])
    return float(size[1] if shape == _CYLINDER else size[2])


CLUTTER_AXES: tuple[WorldAxis, ...] = (Occluder(), Distractors(), DistractorSimilarity())
