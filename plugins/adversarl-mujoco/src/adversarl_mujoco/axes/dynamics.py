"""Dynamics: masses, frictions, motors, gravity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, ObjectAxis, WorldAxis, on_sphere, sign
from adversarl_mujoco.axes.stage import Array, Handle, Stage

MASS, ROUGH, SLIPPERY, LINK, DAMPING, GAIN = 3.0, 3.0, 10.0, 0.5, 3.0, (0.75, 1.5)
STRONG_GRIP, WEAK_GRIP, GRAVITY = 3.0, 20.0, 4.0
LIMITS, PLAY_RAD = (0.55, 0.75), 0.1
_DACTYL = "Dactyl (arXiv:1808.00177), table 1"
_PULLS = {"strong": (0, 0, -1), "weak": (0, 0, 1), "left": (0, -1, 0), "right": (0, 1, 0)}
_OBJECT_PRIORITY, _TABLE_PRIORITY = 2, 1


def _scale(intensity: float, way: float, up: float, down: float) -> float:
    """A factor on a log scale: `up` at intensity 1 and way +1, 1 / `down` at way -1."""
    return float(up ** (way * intensity) if way > 0 else down ** (way * intensity))


def _each(value: object, names: tuple[str, str], u: Draws, count: int) -> Array:
    """How far each of several things goes up (1) or down (-1): all alike if named, else drawn. Shape (count,)."""
    if value is None:
        return 2 * np.array(u[:count]) - 1
    return np.full(count, sign(value, *names, 0.0))


def _factors(intensity: float, ways: Array, low: float, high: float) -> Array:
    """Factors on a log scale between `low` and `high` at intensity 1. Shape of `ways`."""
    return np.asarray(np.where(ways > 0, high, 1 / low) ** (intensity * ways), dtype=np.float64)


class ObjectMass(ObjectAxis):
    """Weight and inertia of the object. Value: ``heavy`` or ``light``."""

    spec = Axis(
        name="object-mass",
        group="dynamics",
        summary="The object is heavier or lighter.",
        unit="factor of mass and inertia, log scale",
        nominal="x 1",
        bound=f"x {MASS:g} or x 1/{MASS:g}",
        source=f"{_DACTYL}: 0.5 to 1.5; the bound is ours, so that twice as heavy fits",
        phrase="change the weight of the object",
    )
    names = ("heavy", "light")

    def able(self, handle: Handle) -> bool:
        """What can move."""
        return handle.movable

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales mass and inertia of the object's bodies."""
        factor = _scale(perturbation.intensity, sign(perturbation.value, "heavy", "light", u[0]), MASS, MASS)
        if factor != 1:
            bodies, physics = list(self.handle(stage, perturbation.target).bodies), stage.physics
            physics.body_mass[bodies] *= factor
            physics.body_inertia[bodies] *= factor
            physics.derived = True


def _rub(stage: Stage, geoms: Sequence[int], perturbation: Perturbation, u: Draws, priority: int) -> None:
    """Scales sliding friction, and lets these geoms decide the friction of their contacts.

    Otherwise the larger friction of two surfaces counts, and a smooth thing between rough ones would not slip.
    """
    way = sign(perturbation.value, "rough", "slippery", u[0])
    if perturbation.intensity:
        stage.physics.geom_friction[list(geoms), 0] *= _scale(perturbation.intensity, way, ROUGH, SLIPPERY)
        stage.physics.geom_priority[list(geoms)] = priority


class ObjectFriction(ObjectAxis):
    """Friction of the object with all that it touches. Value: ``rough`` or ``slippery``."""

    spec = Axis(
        name="object-friction",
        group="dynamics",
        summary="The object is rougher or more slippery, and its own friction counts in all its contacts.",
        unit="factor of the sliding friction, log scale",
        nominal="x 1",
        bound=f"x {ROUGH:g} or x 1/{SLIPPERY:g}",
        source=f"{_DACTYL}: 0.7 to 1.3; the extremes are ours",
        phrase="change the friction of the object",
    )
    names = ("rough", "slippery")

    def able(self, handle: Handle) -> bool:
        """What can be touched."""
        return handle.solid

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales the friction of the object's geoms."""
        _rub(stage, self.handle(stage, perturbation.target).geoms, perturbation, u, _OBJECT_PRIORITY)


class TableFriction(WorldAxis):
    """Friction of the table with all that lies on it. Value: ``rough`` or ``slippery``."""

    spec = Axis(
        name="table-friction",
        group="dynamics",
        summary="The table is rougher or more slippery, and its friction counts for what lies on it.",
        unit="factor of the sliding friction, log scale",
        nominal="x 1",
        bound=f"x {ROUGH:g} or x 1/{SLIPPERY:g}",
        source=f"{_DACTYL}: 0.7 to 1.3; the extremes are ours",
        phrase="change the friction of the table",
    )
    names = ("rough", "slippery")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales the friction of the table's top."""
        _rub(stage, [stage.geoms["table"]], perturbation, u, _TABLE_PRIORITY)


class LinkMass(WorldAxis):
    """Masses of the robot's links, which its gravity compensation does not know. Value: ``heavy`` or ``light``."""

    spec = Axis(
        name="link-mass",
        group="dynamics",
        summary="The robot's links are heavier or lighter than its gravity compensation assumes.",
        unit="factor of mass and inertia",
        nominal="x 1",
        bound=f"x {1 - LINK:g} to x {1 + LINK:g}, each link its own unless named",
        source=f"{_DACTYL}: 0.5 to 1.5",
        phrase="change the mass of the robot links",
    )
    names = ("heavy", "light")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales every link; the force that holds it up stays what it was."""
        if not perturbation.intensity:
            return
        physics = stage.physics
        draws = tuple(u) * (1 + len(physics.links) // len(u))
        ways = _each(perturbation.value, ("heavy", "light"), draws, len(physics.links))
        factors = 1 + LINK * perturbation.intensity * ways
        physics.body_mass[physics.links] *= factors
        physics.body_inertia[physics.links] *= factors[:, None]
        physics.body_gravcomp[physics.links] /= factors
        physics.derived = True


class JointDamping(WorldAxis):
    """Damping of the arm's joints and of their servos. Value: ``stiff`` or ``loose``."""

    spec = Axis(
        name="joint-damping",
        group="dynamics",
        summary="The arm's joints and the velocity gains of their servos damp motion more or less.",
        unit="factor, log scale",
        nominal="x 1",
        bound=f"x 1/{DAMPING:g} to x {DAMPING:g}, each joint its own unless named",
        source=f"{_DACTYL}: log-uniform 0.3 to 3",
        phrase="change the joint damping",
    )
    names = ("stiff", "loose")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales passive damping and velocity gain together, since the servo's part is by far the larger one."""
        if perturbation.intensity:
            physics = stage.physics
            ways = _each(perturbation.value, ("stiff", "loose"), u, len(physics.motors))
            factors = _factors(perturbation.intensity, ways, 1 / DAMPING, DAMPING)
            physics.dof_damping[physics.dofs] *= factors
            physics.biasprm[physics.motors, 2] *= factors


class ActuatorGain(WorldAxis):
    """Gains of the arm's position servos. Value: ``strong`` or ``weak``."""

    spec = Axis(
        name="actuator-gain",
        group="dynamics",
        summary="The arm's servos pull harder or more weakly towards their targets.",
        unit="factor of the position gain, log scale",
        nominal="x 1",
        bound=f"x {GAIN[0]:g} to x {GAIN[1]:g}, each actuator its own unless named",
        source=f"{_DACTYL}: log-uniform 0.75 to 1.5",
        phrase="change the actuator gain",
    )
    names = ("strong", "weak")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales the force per rad of error."""
        if perturbation.intensity:
            physics = stage.physics
            ways = _each(perturbation.value, ("strong", "weak"), u, len(physics.motors))
            factors = _factors(perturbation.intensity, ways, *GAIN)
            physics.gainprm[physics.motors, 0] *= factors
            physics.biasprm[physics.motors, 1] *= factors


class JointLimits(WorldAxis):
    """End stops of the arm's joints, which its controller does not know, come nearer to the home posture."""

    spec = Axis(
        name="joint-limits",
        group="dynamics",
        summary="The arm's end stops move towards its home posture, unknown to its controller.",
        unit="share of the way from each limit to the home posture",
        nominal="0, the published limits",
        bound=f"drawn for each limit between {LIMITS[0]} and {LIMITS[1]}, but {PLAY_RAD} rad stay free",
        source=f"ours; {_DACTYL} adds N(0, 0.15 rad), which binds in a hand but not in an arm",
        phrase="shift the joint limits",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Moves both limits of every joint."""
        if not perturbation.intensity:
            return
        physics, home = stage.physics, stage.home[:, None]
        ranges = physics.jnt_range[physics.joints]
        draws = np.array(u[: ranges.size]).reshape(ranges.shape)
        shares = perturbation.intensity * (LIMITS[0] + (LIMITS[1] - LIMITS[0]) * draws)
        free = np.sign(ranges - home) * np.minimum(PLAY_RAD, np.abs(ranges - home))
        physics.jnt_range[physics.joints] = ranges + shares * (home + free - ranges)


class GripperForce(WorldAxis):
    """How hard the gripper grips. Value: ``strong`` or ``weak``."""

    spec = Axis(
        name="gripper-force",
        group="dynamics",
        summary="The gripper grips harder or more weakly.",
        unit="factor of the force, log scale",
        nominal="x 1",
        bound=f"x {STRONG_GRIP:g} or x 1/{WEAK_GRIP:g}",
        source="ours: a twentieth of the nominal grip just lifts the cube",
        phrase="change the grip force",
    )
    names = ("strong", "weak")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales gain, bias and force limits of the gripper's actuators."""
        way = sign(perturbation.value, "strong", "weak", u[0])
        factor = _scale(perturbation.intensity, way, STRONG_GRIP, WEAK_GRIP)
        if factor != 1:
            physics = stage.physics
            for field in (physics.gainprm, physics.biasprm, physics.forcerange):
                field[physics.grippers] *= factor


class Gravity(WorldAxis):
    """Gravity, which the arm's compensation follows. Value: what grows, where it leans to, or an added direction."""

    spec = Axis(
        name="gravity",
        group="dynamics",
        summary="Gravity is stronger or weaker, or pulls aside, as if the table were tilted.",
        unit="m/s^2",
        nominal="9.81 m/s^2 down",
        bound=f"{GRAVITY:g} m/s^2 added in any direction",
        source=f"{_DACTYL}: N(0, 0.4 m/s^2) for each coordinate; the bound is ours, ten times that",
        phrase="change the gravity",
    )
    names = tuple(_PULLS)
    numbers = 3

    def accepts(self, value: tuple[float, ...]) -> bool:
        """A direction must have a length."""
        return super().accepts(value) and any(value)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Adds intensity times `GRAVITY` along the direction."""
        if perturbation.intensity:
            stage.physics.gravity += perturbation.intensity * GRAVITY * self._direction(perturbation, u)

    def _direction(self, perturbation: Perturbation, u: Draws) -> NDArray[np.float64]:
        value = perturbation.value
        if value is None:
            return np.array(on_sphere(u[0], u[1]))
        vector = np.array(_PULLS[value] if isinstance(value, str) else value, dtype=np.float64)
        return vector / float(np.linalg.norm(vector))


DYNAMICS_AXES: tuple[WorldAxis, ...] = (
    ObjectMass(),
    ObjectFriction(),
    TableFriction(),
    LinkMass(),
    JointDamping(),
    ActuatorGain(),
    JointLimits(),
    GripperForce(),
    Gravity(),
)
