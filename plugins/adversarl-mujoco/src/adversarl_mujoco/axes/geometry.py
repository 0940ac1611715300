"""Geometry: how large, of what shape and where things are when an episode begins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes import shapes
from adversarl_mujoco.axes.base import Draws, ObjectAxis, WorldAxis, sign
from adversarl_mujoco.axes.obstacles import Obstacles
from adversarl_mujoco.axes.stage import Handle, Stage
from adversarl_mujoco.scene import SKIN

SIZE, SPREAD, SHIFT_M, YAW_RAD, TABLE_M, START_RAD, CLUTTER = 0.5, 0.5, 0.08, math.pi, 0.02, 0.2, 6
_COLOSSEUM = "THE COLOSSEUM (arXiv:2402.08191)"
_SHIFTS = {"left": (0.0, -1.0), "right": (0.0, 1.0), "closer": (-1.0, 0.0), "farther": (1.0, 0.0)}


class ObjectShape(ObjectAxis):
    """Gives the object another shape of the same volume and mass. Value: the shape; else one that it does not have."""

    spec = Axis(
        name="object-shape",
        group="geometry",
        summary="The object has another shape of the same volume and mass, at any intensity above 0.",
        unit="shape",
        nominal="its own",
        bound="box, sphere, cylinder, capsule or ellipsoid",
        source="ours; volume and mass stay, so that size and weight have axes of their own",
        phrase="change the shape of the object",
        mid_episode=False,
    )
    names = tuple(shapes.TYPES)

    def able(self, handle: Handle) -> bool:
        """Movable objects of one primitive in their body's frame."""
        return handle.movable and len(handle.geoms) == 1 and handle.primitive

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Changes type, size and inertia of the object's geom, and of its skin."""
        handle, physics = self.handle(stage, perturbation.target), stage.physics
        geom = handle.geoms[0]
        own = shapes.NAMES[int(physics.geom_type[geom])]
        name = perturbation.value or [shape for shape in shapes.TYPES if shape != own][int(4 * u[0])]
        if not perturbation.intensity or name == own:
            return
        name = str(name)
        size = shapes.equal(name, shapes.volume(own, tuple(physics.geom_size[geom].tolist())))
        _reshape(stage, handle, name, size)
        half = shapes.half(name, size)
        stage.layout = replace(stage.layout, halves={**stage.layout.halves, handle.about.name: half})


def _reshape(stage: Stage, handle: Handle, name: str, size: shapes.Vector) -> None:
    physics = stage.physics
    for geom, extra in [(handle.geoms[0], 0.0), *((skin, SKIN) for skin in handle.skins)]:
        physics.geom_type[geom] = shapes.TYPES[name]
        physics.geom_size[geom] = [edge + extra if edge else 0.0 for edge in size]
        physics.geom_quat[geom], physics.geom_pos[geom] = shapes.orientation(name), 0.0
        physics.geom_sameframe[geom] = int(shapes.orientation(name) == shapes.UPRIGHT)
        physics.geom_rbound[geom], extents = shapes.bounds(name, tuple(physics.geom_size[geom].tolist()))
        physics.geom_aabb[geom] = (0.0, 0.0, 0.0, *extents)
    body = handle.body
    physics.body_inertia[body] = shapes.inertia(name, size, float(physics.body_mass[body]))
    physics.body_iquat[body], physics.body_ipos[body] = shapes.UPRIGHT, 0.0
    physics.boxes[physics.boxes_of(body)] = (0.0, 0.0, 0.0, *shapes.half(name, size))
    physics.derived = True


class ObjectSize(ObjectAxis):
    """Scales the object; its density stays. Value: ``large`` or ``small``."""

    spec = Axis(
        name="object-size",
        group="geometry",
        summary="The object is larger or smaller, of the same material.",
        unit="factor of its edges",
        nominal="x 1",
        bound=f"x {1 - SIZE:g} or x {1 + SIZE:g}",
        source=f"{_COLOSSEUM}: 0.75 to 1.25, at half the intensity; the extremes are ours",
        phrase="resize the object",
        mid_episode=False,
    )
    names = ("large", "small")

    def able(self, handle: Handle) -> bool:
        """Movable objects of primitives; a mesh's vertices are shared by all environments."""
        return handle.movable and handle.primitive

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales lengths by f = 1 +- `SIZE` intensity, mass by f^3, inertia by f^5."""
        factor = 1 + SIZE * perturbation.intensity * sign(perturbation.value, "large", "small", u[0])
        if factor == 1:
            return
        handle, physics = self.handle(stage, perturbation.target), stage.physics
        geoms, body = [*handle.geoms, *handle.skins], handle.body
        for field in (physics.geom_size, physics.geom_pos, physics.geom_rbound, physics.geom_aabb):
            field[geoms] *= factor
        physics.boxes[physics.boxes_of(body)] *= factor
        physics.body_ipos[body] *= factor
        physics.body_mass[body] *= factor**3
        physics.body_inertia[body] *= factor**5
        physics.derived = True
        x, y, z = stage.layout.half(handle.about)
        halves = {**stage.layout.halves, handle.about.name: (factor * x, factor * y, factor * z)}
        stage.layout = replace(stage.layout, halves=halves)


class ObjectPosition(WorldAxis):
    """Where objects may start. Value: a side that the range is shifted to; else it grows about its middle."""

    spec = Axis(
        name="object-position",
        group="geometry",
        summary="The objects start in a wider range, or in one that is shifted aside.",
        unit="factor of the range, or m",
        nominal="x 1, 0 m",
        bound=f"x {1 + SPREAD:g}, or {SHIFT_M} m to one side; closer is towards the robot",
        source="ours: as far as the arm reaches; after the initial positions of LIBERO-plus (arXiv:2510.13626)",
        phrase="spread the starting positions",
        mid_episode=False,
    )
    names = ("left", "right", "closer", "farther")
    directions = True

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Spreads or shifts the range by the intensity."""
        layout, value = stage.layout, perturbation.value
        if not isinstance(value, str):
            stage.layout = replace(layout, spread=layout.spread * (1 + SPREAD * perturbation.intensity))
            return
        x, y = np.sum([_SHIFTS[name] for name in value.split()], axis=0).tolist()
        way = SHIFT_M * perturbation.intensity / math.hypot(x, y)
        stage.layout = replace(layout, shift=(layout.shift[0] + way * x, layout.shift[1] + way * y))


class ObjectRotation(WorldAxis):
    """Turns objects about the vertical. Value: ``tipped`` lays them on their side besides."""

    spec = Axis(
        name="object-rotation",
        group="geometry",
        summary="The objects start turned about the vertical, or lying on their side.",
        unit="rad",
        nominal="0 rad",
        bound="pi rad to either side; tipped: pi / 2 rad about their x axis, from half the intensity on",
        source="ours; the whole circle, and the pose of a thing that fell over",
        phrase="turn the object",
        mid_episode=False,
    )
    names = ("tipped",)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Turns by intensity times a draw out of +-pi; what is tipped stays on its side, or it would not rest."""
        tip = math.pi / 2 if perturbation.value == "tipped" and perturbation.intensity >= 0.5 else 0.0
        turn = YAW_RAD * perturbation.intensity * (2 * u[0] - 1)
        stage.layout = replace(stage.layout, turn=stage.layout.turn + turn, tip=stage.layout.tip or tip)


class TableHeight(WorldAxis):
    """Raises or lowers the table with all that stands on it; not the robot. Value: ``high`` or ``low``."""

    spec = Axis(
        name="table-height",
        group="geometry",
        summary="The table is higher or lower than the robot takes it for.",
        unit="m",
        nominal="0 m",
        bound=f"+ or - {TABLE_M} m",
        source="Peng et al. (arXiv:1710.06537), table 1: tables of 0.73 to 0.77 m",
        phrase="change the table height",
        mid_episode=False,
    )
    names = ("high", "low")
    phase = -1

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Moves the table's body and the fixtures on it; movable objects follow when they are placed."""
        rise = TABLE_M * perturbation.intensity * sign(perturbation.value, "high", "low", u[0])
        stage.layout = replace(stage.layout, table=stage.layout.table + rise)
        fixed = [handle.body for handle in stage.objects.values() if not handle.movable]
        stage.body_pos[[stage.table, *fixed], 2] += rise


class Clutter(WorldAxis):
    """Solid blocks around the objects, which can be hit and do not give way."""

    spec = Axis(
        name="clutter",
        group="geometry",
        summary="Solid obstacles stand around the object.",
        unit="obstacles",
        nominal="0",
        bound=f"{CLUTTER}",
        source="ours; solid, unlike distractors, and never nearer than the open gripper needs",
        phrase="clutter the table with obstacles",
        mid_episode=False,
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Brings out ceil(6 intensity) blocks of drawn sizes and colours, which `Obstacles` puts onto the table."""
        count = math.ceil(CLUTTER * perturbation.intensity - 1e-9)
        if count:
            blocks = stage.obstacles[:count]
            for index, body in enumerate(blocks):
                _block(stage, body, u[6 * index : 6 * index + 6])
            keep = tuple(handle.body for handle in stage.objects.values())
            stage.effects[perturbation] = Obstacles(blocks, keep, stage.table_height)


def _block(stage: Stage, body: int, u: Draws) -> None:
    """Makes a block solid and visible: 3 to 5 cm wide, 4 to 8 cm high."""
    physics, geom = stage.physics, int(stage.model.body_geomadr[body])
    size = (0.015 + 0.01 * u[0], 0.015 + 0.01 * u[1], 0.02 + 0.02 * u[2])
    physics.geom_size[geom] = size
    physics.geom_rbound[geom], _ = shapes.bounds("box", size)
    physics.geom_aabb[geom] = (0.0, 0.0, 0.0, *size)
    physics.boxes[physics.boxes_of(body)] = (0.0, 0.0, 0.0, *size)
    physics.geom_conaffinity[geom] = physics.body_conaffinity[body] = 3
    stage.geom_rgba[geom] = (*u[3:6], 1.0)
    physics.derived = True


class RobotStart(WorldAxis):
    """Starts the arm away from its home posture; never inside of anything."""

    spec = Axis(
        name="robot-start",
        group="geometry",
        summary="The arm starts in a posture away from home.",
        unit="rad, half range of every joint beyond the task's own",
        nominal="0 rad",
        bound=f"{START_RAD} rad",
        source="ours, after the robot initial states of LIBERO-plus (arXiv:2510.13626)",
        phrase="start the robot from an odd posture",
        mid_episode=False,
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Widens the range that the task draws the first joints from."""
        stage.layout = replace(stage.layout, joints=stage.layout.joints + START_RAD * perturbation.intensity)


GEOMETRY_AXES: tuple[WorldAxis, ...] = (
    ObjectShape(),
    ObjectSize(),
    ObjectPosition(),
    ObjectRotation(),
    TableHeight(),
    Clutter(),
    RobotStart(),
)
