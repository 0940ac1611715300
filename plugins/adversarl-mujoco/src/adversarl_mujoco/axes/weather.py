"""What lies between scene and picture: fog, rain, light in the lens, a lens out of focus, a camera that shakes."""

from __future__ import annotations

import math

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.filters import Defocus, Fog, Glare, MotionBlur, Rain
from adversarl_mujoco.axes.stage import Stage

FOG_PER_M = 1.2
DEFOCUS, MOTION = 0.03, 0.09
FLARE_Y = 0.14
PLACES = {"left": 0.18, "center": 0.5, "right": 0.82}
"""Where the lamp is seen that shines into the lens, in widths of the picture."""


class FogAxis(WorldAxis):
    """Fog between the camera and everything. Value: its RGB; else a drawn light grey."""

    spec = Axis(
        name="fog",
        group="visual",
        summary="Fog, thicker with distance.",
        unit="extinction [1/m]",
        nominal="0 /m",
        bound=f"{FOG_PER_M} /m: of the light of things 0.7 m away {math.exp(-0.7 * FOG_PER_M):.0%} is left",
        source="ours; exponential in distance by the Beer-Lambert law",
        phrase="add fog",
    )
    numbers = 3
    rgb = True

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Fog of a density proportional to the intensity."""
        if not perturbation.intensity:
            return
        value = perturbation.value
        gray = 0.6 + 0.35 * u[0]
        color = value if isinstance(value, tuple) else (gray, gray, min(1.0, gray + 0.05 * u[1]))
        stage.filters.append(Fog(perturbation.intensity * FOG_PER_M, (color[0], color[1], color[2])))


class RainAxis(WorldAxis):
    """Rain before the camera, moving with time; wind is drawn."""

    spec = Axis(
        name="rain",
        group="visual",
        summary="Streaks of rain fall through the picture.",
        unit="opacity of the streaks",
        nominal="0",
        bound="1, and contrast x 0.7",
        source="ours; streaks fall 0.37 picture heights per control step",
        phrase="let it rain",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Rain of a strength equal to the intensity."""
        if perturbation.intensity:
            stage.filters.append(Rain(int(u[0] * 2**32), 0.6 * (2 * u[1] - 1), perturbation.intensity))


class GlareAxis(WorldAxis):
    """A lamp that shines into the lens. Value: ``left``, ``center`` or ``right``, where it is seen."""

    spec = Axis(
        name="glare",
        group="visual",
        summary="Light shines into the lens: a veil, a bright spot, ghosts.",
        unit="share of a lamp's full light",
        nominal="0",
        bound="1",
        source="ours; additive veiling glare",
        phrase="add lens glare",
    )
    names = tuple(PLACES)
    things = ((0,),)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Adds light in proportion to the intensity."""
        if perturbation.intensity:
            value = perturbation.value
            x = PLACES[value] if isinstance(value, str) else 0.1 + 0.8 * u[0]
            stage.filters.append(Glare(x, FLARE_Y, perturbation.intensity))


class BlurAxis(WorldAxis):
    """Value: ``defocus`` or ``motion``; the direction of motion is drawn."""

    spec = Axis(
        name="blur",
        group="visual",
        summary="The picture is out of focus, or the camera shakes.",
        unit="picture heights",
        nominal="0",
        bound=f"standard deviation {DEFOCUS} of a Gaussian, or a path of {MOTION}",
        source="ours; at 84 pixels a standard deviation of 2.5 pixels or a path of 7.6",
        phrase="blur the picture",
    )
    names = ("defocus", "motion")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Blur as wide as intensity times the bound."""
        if not perturbation.intensity:
            return
        kind = self.kind(perturbation, u[0])
        if kind == "defocus":
            stage.filters.append(Defocus(perturbation.intensity * DEFOCUS))
        else:
            stage.filters.append(MotionBlur(perturbation.intensity * MOTION, math.pi * u[1]))


WEATHER_AXES: tuple[WorldAxis, ...] = (FogAxis(), RainAxis(), GlareAxis(), BlurAxis())
