"""Lights: where they are, how bright, in which colour, and whether they cast shadows.

World frame: +x towards the camera, +y to the right of the picture, z up.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np

from adversarl.types import Axis, Perturbation, Value
from adversarl_mujoco.axes.base import Draws, WorldAxis, on_sphere, sign
from adversarl_mujoco.axes.colors import GAMMA, blackbody, saturated_color
from adversarl_mujoco.axes.lamps import LightCount, LightSpecular, Shadow
from adversarl_mujoco.axes.stage import LIGHTS, Array, Stage

DISPLACEMENT_M = 1.0
AIM_RAD = 0.7
BRIGHT, DIM = 3.0, 0.07
"""Bounds of the amount of light; pixels then scale by 1.65 and 0.30. Beyond them the picture is white or black."""
DAYLIGHT_K, WARM_K, COOL_K = 6500.0, 3000.0, 8000.0
AMBIENT_OFFSET = 0.5
DIRECTIONS = {
    "left": (0.0, -1.0, 0.0),
    "right": (0.0, 1.0, 0.0),
    "up": (0.0, 0.0, 1.0),
    "down": (0.0, 0.0, -1.0),
    "closer": (1.0, 0.0, 0.0),
    "farther": (-1.0, 0.0, 0.0),
}


def _unit(vector: Array) -> Array:
    return vector / max(math.sqrt(float(vector @ vector)), 1e-12)


def _chosen(stage: Stage, target: str | None) -> list[int]:
    return [stage.lights[name] for name in (LIGHTS if target in (None, "all") else (target,)) if name]


def _scale(stage: Stage, target: str | None, factor: Array | float) -> None:
    """Multiplies the light of a target; the headlight and the ambient term belong to all of them together."""
    for light in _chosen(stage, target):
        stage.light_diffuse[light] *= factor
        stage.light_specular[light] *= factor
    if target in (None, "all"):
        stage.ambient *= factor
        stage.headlight *= factor
        rest = [*stage.lamps, *stage.others]
        stage.light_diffuse[rest] *= factor
        stage.light_specular[rest] *= factor


class LightPosition(WorldAxis):
    """Carries a lamp away and aims it again at the middle of the table.

    Value: names out of `DIRECTIONS`, ``overhead`` (towards the point above the middle), or a vector in the world frame.
    """

    spec = Axis(
        name="light-position",
        group="visual",
        summary="A lamp stands elsewhere, aimed at the table as before.",
        unit="m",
        nominal="0 m",
        bound=f"{DISPLACEMENT_M} m in any direction",
        source="ours: a lamp carried across the bench; robosuite DomainRandomizationWrapper has 0.1 m",
        phrase="move the light",
        targets=LIGHTS,
    )
    names = (*DIRECTIONS, "overhead")
    directions = True
    numbers = 3
    things = ((0, 1),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Moves the lamp by intensity metres times `DISPLACEMENT_M`."""
        if not perturbation.intensity:
            return
        light = stage.lights[perturbation.target or LIGHTS[0]]
        position = stage.light_pos[light]
        aim = np.array([0.0, 0.0, stage.table_height])
        position += perturbation.intensity * DISPLACEMENT_M * self._direction(perturbation.value, position, u)
        stage.light_dir[light] = _unit(aim - position)

    @staticmethod
    def _direction(value: Value, position: Array, u: Draws) -> Array:
        if value is None:
            return np.array(on_sphere(u[0], u[1]))
        if not isinstance(value, str):
            return _unit(np.array(value))
        overhead = (-position[0], -position[1], 0.3)
        return _unit(np.sum([DIRECTIONS.get(name, overhead) for name in value.split()], axis=0))


class LightDirection(WorldAxis):
    """Aims a lamp elsewhere without moving it. Value: ``left``, ``right``, ``closer``, ``farther``, or a vector."""

    spec = Axis(
        name="light-direction",
        group="visual",
        summary="A lamp is aimed elsewhere.",
        unit="rad",
        nominal="0 rad",
        bound=f"{AIM_RAD} rad to any side",
        source="ours; robosuite DomainRandomizationWrapper has 0.35 rad, hardly visible here",
        phrase="tilt the light",
        targets=LIGHTS,
    )
    names = ("left", "right", "closer", "farther")
    directions = True
    numbers = 3
    things = ((0, 1),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Turns the beam by intensity times `AIM_RAD` towards a side."""
        if not perturbation.intensity:
            return
        light, value = stage.lights[perturbation.target or LIGHTS[0]], perturbation.value
        if value is None:
            side = np.array(on_sphere(u[0], u[1]))
        elif isinstance(value, str):
            side = np.sum([DIRECTIONS[name] for name in value.split()], axis=0)
        else:
            side = np.array(value)
        beam = stage.light_dir[light]
        across = _unit(side - (side @ beam) * beam)
        angle = perturbation.intensity * AIM_RAD
        stage.light_dir[light] = math.cos(angle) * beam + math.sin(angle) * across


class LightIntensity(WorldAxis):
    """Dims or brightens, linear in the logarithm as the eye is. Value: ``dim`` or ``bright``."""

    spec = Axis(
        name="light-intensity",
        group="visual",
        summary="Lights are dimmer or brighter.",
        unit="factor",
        nominal="x 1",
        bound=f"x {DIM} or x {BRIGHT:g} of light",
        source="sim-to-real practice: x 3; ours to the dark side, where pixels are x 0.3",
        phrase="change the light intensity",
        targets=("all", *LIGHTS),
    )
    names = ("dim", "bright")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Multiplies the light by bound ** intensity; all lights together include the ambient."""
        bound = BRIGHT if sign(perturbation.value, "bright", "dim", u[0]) > 0 else DIM
        if perturbation.intensity:
            _scale(stage, perturbation.target, bound ** (perturbation.intensity / GAMMA))


class LightTemperature(WorldAxis):
    """Warmer or cooler light of the same luminance. Value: ``warm`` or ``cool``."""

    spec = Axis(
        name="light-temperature",
        group="visual",
        summary="Light of another colour temperature.",
        unit="K",
        nominal=f"{DAYLIGHT_K:g} K",
        bound=f"{WARM_K:g} K or {COOL_K:g} K",
        source="sim-to-real practice: 3000 to 8000 K; linear in reciprocal temperature (mired)",
        phrase="change the color temperature",
        targets=("all", *LIGHTS),
    )
    names = ("warm", "cool")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Multiplies the light by the colour of a black body relative to 6500 K."""
        if perturbation.intensity:
            bound = WARM_K if sign(perturbation.value, "warm", "cool", u[0]) > 0 else COOL_K
            i = perturbation.intensity
            _scale(stage, perturbation.target, blackbody(1 / ((1 - i) / DAYLIGHT_K + i / bound)))


class LightColor(WorldAxis):
    """A colour filter before the lights. Value: the filter's RGB."""

    spec = Axis(
        name="light-color",
        group="visual",
        summary="Coloured light.",
        unit="RGB",
        nominal="white",
        bound="any hue at 60 % saturation, or the RGB given",
        source="ours, after THE COLOSSEUM (arXiv:2402.08191), which varies the lights' RGB",
        phrase="tint the light",
        targets=("all", *LIGHTS),
    )
    numbers = 3
    rgb = True
    things = ((0,),)

    def color_draws(self, rgb: Sequence[float]) -> Sequence[float]:
        """The hue [turns]."""
        red, green, blue = rgb
        return (colorsys.rgb_to_hsv(red, green, blue)[0],)

    def accepts(self, value: tuple[float, ...]) -> bool:
        """RGB in [0, 1], not black."""
        return super().accepts(value) and max(value) > 0

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Multiplies the light by a mix of white and the colour, its largest component 1."""
        if perturbation.intensity:
            value = perturbation.value
            color = np.array(saturated_color(u[0], 0.6) if value is None else value, dtype=float)
            _scale(stage, perturbation.target, 1 - perturbation.intensity * (1 - color / color.max()))


class AmbientLight(WorldAxis):
    """Light from everywhere. Value: ``bright`` (white), ``dim`` (none left) or an RGB colour of added light."""

    spec = Axis(
        name="ambient-light",
        group="visual",
        summary="More, less or coloured light from everywhere.",
        unit="RGB",
        nominal="+ 0",
        bound="+ U[0, 0.5] per channel, or none left",
        source="THE COLOSSEUM (arXiv:2402.08191): RGB offsets U[0, 0.5]",
        phrase="change the ambient light",
    )
    names = ("bright", "dim")
    numbers = 3
    rgb = True
    things = ((0, 1, 2),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Adds to the ambient term, or takes it away."""
        i, value = perturbation.intensity, perturbation.value
        if value == "dim":
            stage.ambient *= 1 - i
        elif i:
            color = np.array(u[:3]) if value is None else np.ones(3) if value == "bright" else np.array(value)
            stage.ambient += i * AMBIENT_OFFSET * color


# Lamps come first, so that what changes all light changes theirs too; the shadow last, because it splits the key light.
LIGHT_AXES: tuple[WorldAxis, ...] = (
    LightCount(),
    LightPosition(),
    LightDirection(),
    LightIntensity(),
    LightTemperature(),
    LightColor(),
    AmbientLight(),
    LightSpecular(),
    Shadow(),
)
