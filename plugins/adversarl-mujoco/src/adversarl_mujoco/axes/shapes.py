"""Volumes, inertias and bounding boxes of the shapes that an object may take."""

from __future__ import annotations

import math

import mujoco

Vector = tuple[float, float, float]
_GEOM = mujoco.mjtGeom
TYPES = {
    "box": _GEOM.mjGEOM_BOX,
    "sphere": _GEOM.mjGEOM_SPHERE,
    "cylinder": _GEOM.mjGEOM_CYLINDER,
    "capsule": _GEOM.mjGEOM_CAPSULE,
    "ellipsoid": _GEOM.mjGEOM_ELLIPSOID,
}
NAMES = {int(kind): name for name, kind in TYPES.items()}
_ELLIPSOID = (1.8, 1.15)
"""Semi-axes along x and y of the ellipsoid in units of half the cube's edge; the third is the shortest, to rest on."""
_LYING = (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def volume(name: str, size: Vector) -> float:
    """Volume of a shape with MuJoCo's sizes [m^3]."""
    a, b, c = size
    return {
        "box": 8 * a * b * c,
        "sphere": 4 / 3 * math.pi * a**3,
        "cylinder": 2 * math.pi * a * a * b,
        "capsule": math.pi * a * a * (2 * b + 4 / 3 * a),
        "ellipsoid": 4 / 3 * math.pi * a * b * c,
    }[name]


def equal(name: str, amount: float) -> Vector:
    """MuJoCo's sizes of a shape of this volume [m^3], about as long as wide.

    Cylinders stand; a capsule, which could not, lies along x.
    """
    h = 0.5 * amount ** (1 / 3)
    if name == "box":
        return h, h, h
    if name == "sphere":
        return h * (6 / math.pi) ** (1 / 3), 0.0, 0.0
    if name == "cylinder":
        return h * (4 / math.pi) ** 0.5, h, 0.0
    if name == "capsule":
        return h, h * (4 / math.pi - 2 / 3), 0.0
    along, across = _ELLIPSOID
    return along * h, across * h, 6 / (math.pi * along * across) * h


def orientation(name: str) -> tuple[float, float, float, float]:
    """How the shape of `equal` lies in its body (w, x, y, z)."""
    return _LYING if name == "capsule" else UPRIGHT


def half(name: str, size: Vector) -> Vector:
    """Half extents of a shape of `equal` in its body's frame [m]."""
    a, b, c = size
    return {
        "box": (a, b, c),
        "sphere": (a, a, a),
        "cylinder": (a, a, b),
        "capsule": (a + b, a, a),
        "ellipsoid": (a, b, c),
    }[name]


def bounds(name: str, size: Vector) -> tuple[float, Vector]:
    """Bounding radius and half extents of a shape in its own frame [m]."""
    a, b, c = size
    own = (a, a, a + b) if name == "capsule" else half(name, size)
    radius = {"box": math.hypot(a, b, c), "cylinder": math.hypot(a, b), "capsule": a + b}.get(name, max(size))
    return radius, own


def inertia(name: str, size: Vector, mass: float) -> Vector:
    """Moments of inertia of a shape of `equal` about the axes of its body [kg m^2]."""
    a, b, c = size
    if name == "box":
        return _third(mass / 3, (a, b, c))
    if name in ("sphere", "ellipsoid"):
        return _third(mass / 5, (a, a, a) if name == "sphere" else (a, b, c))
    if name == "cylinder":
        across = mass * (a * a / 4 + b * b / 3)
        return across, across, mass * a * a / 2
    return _capsule(a, b, mass)


def _third(factor: float, axes: Vector) -> Vector:
    x, y, z = (axis * axis for axis in axes)
    return factor * (y + z), factor * (x + z), factor * (x + y)


def _capsule(radius: float, length: float, mass: float) -> Vector:
    """Of a capsule along x: a cylinder of half length `length` between two half balls [kg m^2]."""
    ball = mass * 4 / 3 * radius / (2 * length + 4 / 3 * radius)
    rod = mass - ball
    along = rod * radius**2 / 2 + ball * 2 / 5 * radius**2
    ends = ball * (2 / 5 * radius**2 + length**2 + 3 / 4 * length * radius)
    across = rod * (radius**2 / 4 + length**2 / 3) + ends
    return along, across, across
