"""The picture itself: affine maps of its colours, as a camera's processing would make them."""

from __future__ import annotations

import math

import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis, sign
from adversarl_mujoco.axes.filters import Recolor
from adversarl_mujoco.axes.stage import Array, Stage

_LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, as torchvision's adjust_saturation
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)
HUE_TURNS, SATURATION, CONTRAST, BRIGHTNESS = 0.1, 1.0, 0.5, 0.3


def _map(stage: Stage, linear: Array, offset: float = 0.0) -> None:
    """Puts an affine map of colours in [0, 1] behind the filters already there; two maps in a row become one."""
    step = np.eye(4)
    step[:3, :3], step[:3, 3] = linear, 255 * offset
    last = stage.filters[-1] if stage.filters else None
    if isinstance(last, Recolor):
        stage.filters[-1] = Recolor(step @ last.matrix)
    else:
        stage.filters.append(Recolor(step))


class Hue(WorldAxis):
    """Turns all hues the same way; the way is drawn."""

    spec = Axis(
        name="hue",
        group="visual",
        summary="All hues of the picture turn.",
        unit="turns of the colour wheel",
        nominal="0",
        bound=f"+ or - {HUE_TURNS}",
        source="sim-to-real practice: hue +- 0.1",
        phrase="rotate the hue",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Rotates the chrominance plane (YIQ) by intensity times `HUE_TURNS`."""
        if perturbation.intensity:
            angle = 2 * math.pi * HUE_TURNS * perturbation.intensity * (1 if u[0] < 0.5 else -1)
            c, s = math.cos(angle), math.sin(angle)
            _map(stage, _FROM_YIQ @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ _TO_YIQ)


class Saturation(WorldAxis):
    """Fades colours to grey, or makes them garish. Value: ``gray`` or ``vivid``."""

    spec = Axis(
        name="saturation",
        group="visual",
        summary="Colours of the picture are paler or stronger.",
        unit="factor",
        nominal="x 1",
        bound="x 0 (grey) or x 2",
        source="torchvision ColorJitter, whose range at 1 is [0, 2]",
        phrase="change the saturation",
    )
    names = ("gray", "vivid")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales the distance of every colour from its grey."""
        if perturbation.intensity:
            factor = 1 + SATURATION * perturbation.intensity * sign(perturbation.value, "vivid", "gray", u[0])
            _map(stage, factor * np.eye(3) + (1 - factor) * _LUMA[None, :])


class Contrast(WorldAxis):
    """Value: ``low`` or ``high``."""

    spec = Axis(
        name="contrast",
        group="visual",
        summary="The picture is flatter or starker.",
        unit="factor",
        nominal="x 1",
        bound="x 0.5 or x 1.5",
        source="sim-to-real practice: 0.5 to 1.5",
        phrase="change the contrast",
    )
    names = ("low", "high")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales the distance of every channel from middle grey."""
        if perturbation.intensity:
            factor = 1 + CONTRAST * perturbation.intensity * sign(perturbation.value, "high", "low", u[0])
            _map(stage, factor * np.eye(3), 0.5 * (1 - factor))


class Brightness(WorldAxis):
    """Value: ``dark`` or ``bright``."""

    spec = Axis(
        name="brightness",
        group="visual",
        summary="The picture is darker or brighter.",
        unit="factor",
        nominal="x 1",
        bound="x 0.7 or x 1.3",
        source="sim-to-real practice: 0.7 to 1.3",
        phrase="change the image brightness",
    )
    names = ("dark", "bright")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Scales every channel."""
        if perturbation.intensity:
            factor = 1 + BRIGHTNESS * perturbation.intensity * sign(perturbation.value, "bright", "dark", u[0])
            _map(stage, factor * np.eye(3))


IMAGE_AXES: tuple[WorldAxis, ...] = (Hue(), Saturation(), Contrast(), Brightness())
