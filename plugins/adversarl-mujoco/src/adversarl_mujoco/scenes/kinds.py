"""Types of objects: what their sizes mean, what they are made of, and how they are taken hold of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mujoco

from adversarl_mujoco.scenes.bodies import (
    BOX,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    SPHERE,
    Body,
    Part,
    Rgb,
    Size,
    Vector,
    ring,
)

SIDES = 12
"""Sides of round hollow things; an inscribed circle then has 98 % of the outer radius, and twelve boxes are cheap."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of objects.

    Attributes:
        summary: What it is.
        sizes: What the numbers of ``size`` are, with their defaults [m].
        mass: Default mass [kg].
        color: Default colour, RGB in [0, 1].
        build: Makes its body from the numbers of ``size``; None where a file says what it is.
        fixed: Whether it stands fast unless told otherwise.
    """

    summary: str
    sizes: Mapping[str, float]
    mass: float
    color: Rgb
    build: Callable[[Size], Body] | None
    fixed: bool = False


def _single(shape: mujoco.mjtGeom, size: Vector, half: Vector) -> Body:
    return Body((Part(shape, size),), half, (0.0, 0.0, 0.0), 2 * half[1])


def _box(size: Size) -> Body:
    half = (size[0] / 2, size[1] / 2, size[2] / 2)
    return _single(BOX, half, half)


def _sphere(size: Size) -> Body:
    radius = size[0] / 2
    return _single(SPHERE, (radius, 0, 0), (radius,) * 3)


def _cylinder(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    return _single(CYLINDER, (radius, half, 0), (radius, radius, half))


def _capsule(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    return _single(CAPSULE, (radius, half - radius, 0), (radius, radius, half))


def _ellipsoid(size: Size) -> Body:
    half = (size[0] / 2, size[1] / 2, size[2] / 2)
    return _single(ELLIPSOID, half, half)


def _cup(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    wall, bottom = 0.004, 0.006
    inside = radius * math.cos(math.pi / SIDES) - wall
    floor = Part(CYLINDER, (inside + wall, bottom / 2, 0), (0, 0, bottom / 2 - half))
    parts = (floor, *ring(SIDES, inside, wall, bottom - half, half))
    return Body(parts, (radius, radius, half), (0, 0, 0.2 * half), size[0], (inside, size[1] - bottom))


def _beaker(size: Size) -> Body:
    half, height = size[0] / 2, size[1] / 2
    wall, bottom, rib = 0.004, 0.006, 0.004
    rise, middle = height - bottom / 2, bottom / 2
    floor = Part(BOX, (half, half, bottom / 2), (0, 0, bottom / 2 - height))
    signs = (-1, 1)
    ends = [Part(BOX, (wall / 2, half, rise), (sign * (half - wall / 2), 0, middle)) for sign in signs]
    flanks = [Part(BOX, (half - wall, wall / 2, rise), (0, sign * (half - wall / 2), middle)) for sign in signs]
    # Between them sits a finger, on any side: what is tipped creeps sideways between smooth pads.
    place, out = half - 2 * rib, half + rib / 2
    size_of_rib = (rib / 2, rib / 2, rise)
    ribs = [Part(BOX, size_of_rib, (a * out, b * place, middle)) for a in signs for b in signs]
    ribs += [Part(BOX, size_of_rib, (a * place, b * out, middle)) for a in signs for b in signs]
    hollow = (half - wall, size[1] - bottom)
    # Held so high that what is poured out finds its way past the palm.
    return Body((floor, *ends, *flanks, *ribs), (half + rib, half + rib, height), (0, 0, 0.5 * height), size[0], hollow)


def _bottle(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    shoulder, neck = half - 0.27 * size[1], 0.42 * radius
    body = Part(CYLINDER, (radius, (shoulder + half) / 2, 0), (0, 0, (shoulder - half) / 2))
    dome = Part(ELLIPSOID, (radius, radius, 0.13 * size[1]), (0, 0, shoulder))
    stem = Part(CYLINDER, (neck, (half - shoulder) / 2 - 0.01, 0), (0, 0, (half + shoulder) / 2 - 0.01))
    cap = Part(CYLINDER, (1.3 * neck, 0.055 * size[1], 0), (0, 0, half - 0.055 * size[1]), tone=0.45)
    return Body((body, dome, stem, cap), (radius, radius, half), (0, 0, -0.1 * half), size[0])


def _bowl(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    wall, bottom, flat, steep = 0.005, 0.006, math.radians(48), math.radians(12)
    bend = bottom + 0.36 * (size[1] - bottom) - half  # below it the wall is flat, above it steep enough to be held
    rim = radius * math.cos(math.pi / SIDES) - wall
    knee = rim - (half - bend) * math.tan(steep)
    foot = knee - (bend - bottom + half) * math.tan(flat)
    floor = Part(CYLINDER, (foot + 0.5 * wall, bottom / 2, 0), (0, 0, bottom / 2 - half))
    sunk = 0.35 * bottom - half  # the wall's lower edge hides in the floor
    lower = ring(SIDES, knee - (bend - sunk) / 2 * math.tan(flat), wall, sunk, bend, flat)
    upper = ring(SIDES, (rim + knee) / 2, wall, bend, half, steep)
    # A gripper straddles the rim.
    grasp = (0.0, rim - 0.018 * math.tan(steep), half - 0.018)
    return Body((floor, *lower, *upper), (radius, radius, half), grasp, 2.5 * wall, (foot, size[1] - bottom))


def _plate(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    wall, bottom, lean = 0.005, 0.005, math.radians(60)
    rise = size[1] - bottom
    outer = radius * math.cos(math.pi / SIDES)
    foot = outer - wall - rise * math.tan(lean)
    sunk = 0.45 * bottom  # the wall's lower edge hides in the floor
    floor = Part(CYLINDER, (foot + 0.5 * wall, bottom / 2, 0), (0, 0, bottom / 2 - half))
    middle = outer - wall - (size[1] - sunk) / 2 * math.tan(lean)
    walls = ring(SIDES, middle, wall, sunk - half, half, lean)
    # Too flat for a gripper that points down.
    return Body((floor, *walls), (radius, radius, half), (0, 0, half), size[0], (foot, rise))


def _bin(size: Size) -> Body:
    x, y, z = (edge / 2 for edge in size)
    wall = 0.006
    floor = Part(BOX, (x, y, wall / 2), (0, 0, wall / 2 - z))
    height, middle = z - wall / 2, wall / 2
    ends = [Part(BOX, (wall / 2, y, height), (side * (x - wall / 2), 0, middle)) for side in (-1, 1)]
    flanks = [Part(BOX, (x - wall, wall / 2, height), (0, side * (y - wall / 2), middle)) for side in (-1, 1)]
    hollow = (min(x, y) - wall, size[2] - wall)
    return Body((floor, *ends, *flanks), (x, y, z), (0, y - wall / 2, z - 0.012), wall, hollow)


def _shelf(size: Size) -> Body:
    x, y, z = (edge / 2 for edge in size)
    board = 0.008
    sides = [Part(BOX, (x, board / 2, z), (0, side * (y - board / 2), 0)) for side in (-1, 1)]
    heights = (board / 2 - z, 0.0, z - board / 2)
    boards = [Part(BOX, (x, y - board, board / 2), (0, 0, height)) for height in heights]
    # The back is the side away from the camera, towards the robot's base: open towards the camera.
    back = Part(BOX, (board / 2, y - board, z - board), (board / 2 - x, 0, 0))
    return Body((*sides, *boards, back), (x, y, z), (0, 0, z), 2 * y)


def _conveyor(size: Size) -> Body:
    x, y, z = (edge / 2 for edge in size)
    rail, belt = 0.012, 0.012
    rails = [Part(BOX, (x, rail / 2, z), (0, side * (y - rail / 2), 0)) for side in (-1, 1)]
    bed = Part(BOX, (x, y - rail, z - 0.6 * belt), (0, 0, -0.6 * belt))
    # The belt is shorter than its bed, because it is a box that is put back after every control step.
    top = Part(BOX, (x - 0.01, y - rail, belt / 2), (0, 0, z - belt / 2 - 0.001), moving=True, tone=0.4)
    return Body((*rails, bed, top), (x, y, z), (0, 0, z), size[1])


def _peg(size: Size) -> Body:
    radius, half = size[0] / 2, size[1] / 2
    tip = 0.006  # a step narrower than the shaft finds the hole, and is flat, so that the peg stands
    # A round head would roll between the fingers.
    head = Part(BOX, (radius, radius, half / 2), (0, 0, half / 2))
    shaft = Part(CYLINDER, (radius, (half - tip) / 2, 0), (0, 0, -(half - tip) / 2))
    point = Part(CYLINDER, (0.8 * radius, tip / 2, 0), (0, 0, tip / 2 - half))
    return Body((head, shaft, point), (radius, radius, half), (0, 0, 0.3 * half), size[0])


def _socket(size: Size) -> Body:
    peg, height, outer, clearance = size
    inside, half = (peg + clearance) / 2, height / 2
    bottom = 0.005
    edge = outer / 2 * math.cos(math.pi / SIDES)
    floor = Part(CYLINDER, (edge, bottom / 2, 0), (0, 0, bottom / 2 - half))
    walls = ring(SIDES, inside, edge - inside, bottom - half, half)
    return Body((floor, *walls), (outer / 2, outer / 2, half), (0, 0, 0), outer, (inside, height - bottom))


_EDGES = ("x", "y", "z")


def _edges(x: float, y: float, z: float) -> dict[str, float]:
    return dict(zip(_EDGES, (x, y, z), strict=True))


def _round(diameter: float, height: float) -> dict[str, float]:
    return {"diameter": diameter, "height": height}


KINDS: Mapping[str, Kind] = {
    "box": Kind("A box.", _edges(0.045, 0.045, 0.045), 0.08, (0.86, 0.16, 0.14), _box),
    "sphere": Kind("A ball.", {"diameter": 0.05}, 0.06, (0.95, 0.75, 0.15), _sphere),
    "cylinder": Kind("An upright cylinder.", _round(0.045, 0.06), 0.08, (0.2, 0.65, 0.35), _cylinder),
    "capsule": Kind("An upright cylinder with round ends.", _round(0.04, 0.09), 0.08, (0.65, 0.3, 0.75), _capsule),
    "ellipsoid": Kind("An ellipsoid.", _edges(0.06, 0.045, 0.045), 0.08, (0.9, 0.5, 0.2), _ellipsoid),
    "bar": Kind("A long box, to be handed over.", _edges(0.24, 0.03, 0.03), 0.12, (0.9, 0.62, 0.15), _box),
    "cup": Kind("A cup: open, hollow, with a bottom.", _round(0.062, 0.08), 0.09, (0.16, 0.42, 0.72), _cup),
    "beaker": Kind(
        "A square cup with ribs, between which the fingers of a gripper that tips it find a hold.",
        {"edge": 0.052, "height": 0.08},
        0.09,
        (0.16, 0.42, 0.72),
        _beaker,
    ),
    "bottle": Kind("A closed bottle with a neck.", _round(0.055, 0.15), 0.15, (0.16, 0.5, 0.32), _bottle),
    "bowl": Kind("A bowl, to be held at its rim.", _round(0.15, 0.05), 0.1, (0.88, 0.83, 0.70), _bowl),
    "plate": Kind("A plate with a rim, too flat to be held.", _round(0.18, 0.018), 0.2, (0.92, 0.92, 0.90), _plate),
    "bin": Kind("An open box with thin walls.", _edges(0.18, 0.24, 0.07), 0.5, (0.25, 0.36, 0.55), _bin, True),
    "conveyor": Kind(
        "A belt between rails that carries what lies on it along its x.",
        _edges(0.42, 0.16, 0.05),
        2.0,
        (0.52, 0.55, 0.58),
        _conveyor,
        True,
    ),
    "shelf": Kind("Two compartments, open along its x.", _edges(0.12, 0.3, 0.24), 2.0, (0.6, 0.45, 0.3), _shelf, True),
    "peg": Kind(
        "A standing round peg with a square head and a narrower tip.", _round(0.03, 0.11), 0.08, (0.93, 0.55, 0.1), _peg
    ),
    "socket": Kind(
        "A round hole for a peg; clearance is hole minus peg.",
        {"peg": 0.03, "height": 0.05, "outer": 0.09, "clearance": 0.004},
        0.5,
        (0.35, 0.4, 0.46),
        _socket,
        True,
    ),
    "mesh": Kind("An OBJ or STL file; touched as its convex hull.", {"scale": 1.0}, 0.1, (0.7, 0.7, 0.72), None),
    "mjcf": Kind("An MJCF file, attached as it is.", {}, 0.1, (0.7, 0.7, 0.72), None),
}
"""Every type by its name."""
