"""The camera: where it stands, where it looks, how wide."""

from __future__ import annotations

import mujoco
import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis, on_sphere, sign
from adversarl_mujoco.axes.stage import Array, Stage

DISPLACEMENT_M = 0.1
ROTATION_RAD = 0.09
FOVY_DEG = 5.0
# Camera frame: x to the right of the picture, y up, z backwards.
MOVES = {
    "left": (-1.0, 0.0, 0.0),
    "right": (1.0, 0.0, 0.0),
    "up": (0.0, 1.0, 0.0),
    "down": (0.0, -1.0, 0.0),
    "closer": (0.0, 0.0, -1.0),
    "farther": (0.0, 0.0, 1.0),
}
TURNS = {
    "left": (0.0, 1.0, 0.0),
    "right": (0.0, -1.0, 0.0),
    "up": (1.0, 0.0, 0.0),
    "down": (-1.0, 0.0, 0.0),
    "roll": (0.0, 0.0, 1.0),
}


def _direction(perturbation: Perturbation, names: dict[str, tuple[float, float, float]], u: Draws) -> Array:
    """A unit vector in the camera frame: named, given or drawn. Shape (3,)."""
    value = perturbation.value
    if value is None:
        return np.array(on_sphere(u[0], u[1]))
    vector = np.sum([names[name] for name in value.split()], axis=0) if isinstance(value, str) else np.array(value)
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


class CameraPosition(WorldAxis):
    """Moves the camera without turning it. Value: names out of `MOVES`, or a vector in the camera frame."""

    spec = Axis(
        name="camera-position",
        group="visual",
        summary="The camera stands elsewhere.",
        unit="m",
        nominal="0 m",
        bound=f"{DISPLACEMENT_M} m in any direction",
        source="THE COLOSSEUM (arXiv:2402.08191): 0.1 m",
        phrase="move the camera",
    )
    names = tuple(MOVES)
    directions = True
    numbers = 3
    things = ((0, 1),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Displaces the camera by intensity times `DISPLACEMENT_M`."""
        if perturbation.intensity:
            offset = np.zeros(3)
            mujoco.mju_rotVecQuat(offset, _direction(perturbation, MOVES, u), stage.cam_quat[stage.camera])
            stage.cam_pos[stage.camera] += perturbation.intensity * DISPLACEMENT_M * offset


class CameraOrientation(WorldAxis):
    """Turns the camera on the spot. Value: names out of `TURNS`, or a rotation axis in the camera frame."""

    spec = Axis(
        name="camera-orientation",
        group="visual",
        summary="The camera looks elsewhere.",
        unit="rad",
        nominal="0 rad",
        bound=f"{ROTATION_RAD} rad about any axis",
        source="robosuite DomainRandomizationWrapper: 0.087 rad; THE COLOSSEUM: 0.05 rad",
        phrase="tilt the camera",
    )
    names = tuple(TURNS)
    directions = True
    numbers = 3
    things = ((0, 1),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Rotates the camera by intensity times `ROTATION_RAD`."""
        if perturbation.intensity:
            turn, turned = np.zeros(4), np.zeros(4)
            angle = perturbation.intensity * ROTATION_RAD
            mujoco.mju_axisAngle2Quat(turn, _direction(perturbation, TURNS, u), angle)
            mujoco.mju_mulQuat(turned, stage.cam_quat[stage.camera], turn)
            stage.cam_quat[stage.camera] = turned


class CameraFov(WorldAxis):
    """Zooms. Value: ``wide`` or ``narrow``."""

    spec = Axis(
        name="camera-fov",
        group="visual",
        summary="The camera sees more or less around the same centre.",
        unit="deg",
        nominal="0 deg",
        bound=f"+ or - {FOVY_DEG:g} deg, vertical",
        source="robosuite DomainRandomizationWrapper: 5 deg",
        phrase="change the field of view",
    )
    names = ("wide", "narrow")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Adds intensity times `FOVY_DEG`, with either sign."""
        stage.cam_fovy[stage.camera] += (
            perturbation.intensity * FOVY_DEG * sign(perturbation.value, "wide", "narrow", u[0])
        )


CAMERA_AXES: tuple[WorldAxis, ...] = (CameraPosition(), CameraOrientation(), CameraFov())
