"""Rigid bodies made of primitive shapes, as data: what an object is before it enters a model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco

Size = tuple[float, ...]
Vector = tuple[float, float, float]
Rgb = tuple[float, float, float]

BOX = mujoco.mjtGeom.mjGEOM_BOX
SPHERE = mujoco.mjtGeom.mjGEOM_SPHERE
CYLINDER = mujoco.mjtGeom.mjGEOM_CYLINDER
CAPSULE = mujoco.mjtGeom.mjGEOM_CAPSULE
ELLIPSOID = mujoco.mjtGeom.mjGEOM_ELLIPSOID


@dataclass(frozen=True, slots=True)
class Part:
    """One primitive of a body.

    Attributes:
        shape: MuJoCo's geom type.
        size: MuJoCo's geom size: half extents, or radius and half length [m].
        position: Centre, body frame [m].
        quaternion: Orientation, body frame (w, x, y, z).
        moving: Whether it moves along the body's x, as a belt does.
        tone: Brightness of its colour relative to the object's [1].
    """

    shape: mujoco.mjtGeom
    size: Vector
    position: Vector = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    moving: bool = False
    tone: float = 1.0

    @property
    def sound(self) -> bool:
        """Whether every length that its shape has is positive."""
        used = {SPHERE: 1, CYLINDER: 2, CAPSULE: 2}.get(self.shape, 3)
        return min(self.size[:used]) > 0

    @property
    def volume(self) -> float:
        """Volume [m^3]."""
        a, b, c = self.size
        match self.shape:
            case mujoco.mjtGeom.mjGEOM_SPHERE:
                return 4 / 3 * math.pi * a**3
            case mujoco.mjtGeom.mjGEOM_CYLINDER:
                return 2 * math.pi * a**2 * b
            case mujoco.mjtGeom.mjGEOM_CAPSULE:
                return 2 * math.pi * a**2 * b + 4 / 3 * math.pi * a**3
            case mujoco.mjtGeom.mjGEOM_ELLIPSOID:
                return 4 / 3 * math.pi * a * b * c
        return 8 * a * b * c


@dataclass(frozen=True, slots=True)
class Body:
    """A rigid body; its frame's origin is the centre of its bounding box.

    Attributes:
        parts: Its primitives.
        half: Half extents of its bounding box [m].
        grasp: Where a gripper that points down and closes along y takes it, own frame [m].
        width: What that gripper closes around, along y [m].
        hollow: Radius and depth below the top of what it can hold [m]; None holds nothing.
    """

    parts: tuple[Part, ...]
    half: Vector
    grasp: Vector
    width: float
    hollow: tuple[float, float] | None = None


def about_z(angle: float) -> tuple[float, float, float, float]:
    """Rotation about z by an angle [rad] as a quaternion (w, x, y, z)."""
    return (math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2))


def ring(sides: int, inside: float, thickness: float, low: float, high: float, lean: float = 0.0) -> tuple[Part, ...]:
    """A tube of boxes around the z axis.

    Args:
        sides: Number of boxes.
        inside: Radius of the circle that fits inside at half height [m].
        thickness: Of the wall [m].
        low: Height of its lower edge, own frame [m].
        high: Height of its upper edge [m].
        lean: How far the wall leans outwards [rad].
    """
    middle = inside + thickness / 2
    # Neighbours meet at the outer edge, so that the outside is closed and nothing leaks between them.
    reach = (inside + thickness) + 0.5 * (high - low) * math.tan(lean)
    half = (reach * math.tan(math.pi / sides), thickness / 2, (high - low) / 2 / math.cos(lean))
    parts = []
    for index in range(sides):
        angle = 2 * math.pi * (index + 0.5) / sides
        # Its y axis points inwards; leaning is a turn about its x axis before the turn about z.
        turn = angle + math.pi / 2
        position = (middle * math.cos(angle), middle * math.sin(angle), (low + high) / 2)
        parts.append(Part(BOX, half, position, _times(about_z(turn), _about_x(lean))))
    return tuple(parts)


def _about_x(angle: float) -> tuple[float, float, float, float]:
    return (math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0)


def _times(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )
