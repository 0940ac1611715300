"""Grains: small smooth balls that flow like a liquid, which tasks fill in and count and perturbations leave alone."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.scene import PARKED_Z

Array = NDArray[np.float64]
RADIUS = 0.006
"""[m]."""
MASS = 0.002
"""Of one grain [kg]."""
DRAG = 0.012
"""Resistance to their motion [N s/m], as of something thick; without friction nothing else calms them."""
SPACING = 2.2 * RADIUS
"""Distance of neighbours when they are filled in [m]."""


def add_grains(spec: mujoco.MjSpec, count: int) -> None:
    """Adds bodies ``grain_0``, ``grain_1``, ... with free joints of the same names."""
    spec.add_material(name="mat_grain", rgba=[0.25, 0.75, 0.95, 1], specular=0.3, shininess=0.5)
    for index in range(count):
        name = f"grain_{index}"
        body = spec.worldbody.add_body(name=name, pos=[SPACING * index, 0, PARKED_Z])
        joint = body.add_freejoint(name=name)
        joint.damping = [DRAG, 0, 0]
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[RADIUS, 0, 0],
            mass=MASS,
            material="mat_grain",
            contype=1,
            conaffinity=3,
            # Without friction a contact is one row of the solver's matrix and not four; its priority makes that hold
            # against walls as well.
            condim=1,
            priority=2,
            solref=[0.02, 1],
        )


class Grains:
    """The grains of one simulation."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, count: int) -> None:
        body, joint = model.body("grain_0").id, model.joint("grain_0")
        first = int(joint.qposadr[0])
        self.count = count
        self.positions: Array = data.xpos[body : body + count]
        """World frame [m]. Shape (count, 3); a view."""
        self._poses: Array = data.qpos[first : first + 7 * count].reshape(count, 7)

    def fill(self, middle: Array, rotation: Array, radius: float) -> None:
        """Stacks them in a cylinder.

        Args:
            middle: Middle of its floor, world frame [m]. Shape (3,).
            rotation: Its axes as columns, world frame. Shape (3, 3).
            radius: Its radius [m].
        """
        layer = _hexagon(max(radius - RADIUS, 0.0))  # a cup that shrank overflows
        places = [(*layer[i % len(layer)], RADIUS + SPACING * (i // len(layer))) for i in range(self.count)]
        self._poses[:, :3] = middle + np.array(places) @ rotation.T
        self._poses[:, 3:] = 1.0, 0.0, 0.0, 0.0

    def inside(self, middle: Array, rotation: Array, radii: tuple[float, float], half: float) -> NDArray[np.bool_]:
        """Which are in an upright or leaning vessel, whose wall goes straight from its bottom to its rim.

        Args:
            middle: Its middle, world frame [m]. Shape (3,).
            rotation: Its axes as columns, world frame. Shape (3, 3).
            radii: Its radius at the bottom and at the rim [m].
            half: Half of its height [m].

        Returns:
            Shape (count,).
        """
        own = (self.positions - middle) @ rotation
        foot, rim = radii
        share = np.clip((own[:, 2] + half) / (2 * half), 0, 1)
        flags: NDArray[np.bool_] = (np.abs(own[:, 2]) < half + RADIUS) & (
            np.hypot(own[:, 0], own[:, 1]) < foot + (rim - foot) * share
        )
        return flags


def room(radius: float, depth: float) -> int:
    """How many grains can be filled into a cylinder of this radius and depth [m]."""
    return len(_hexagon(radius - RADIUS)) * int(depth / SPACING)


def _hexagon(radius: float) -> list[tuple[float, float]]:
    """Points of a hexagonal lattice within a circle around the origin, from its middle outwards [m]."""
    reach = range(-4, 5)
    points = [(SPACING * (i + 0.5 * j), SPACING * math.sqrt(0.75) * j) for i in reach for j in reach]
    return sorted((p for p in points if math.hypot(*p) <= radius), key=lambda p: (round(math.hypot(*p), 6), p))
