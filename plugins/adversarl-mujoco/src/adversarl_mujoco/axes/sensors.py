"""Sensors: what the policy reads differs from what is; state and reward do not.

Of these axes pictures for people show the camera's noise alone, which is a filter like those of visual axes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.readings import (
    FREEZE_S,
    Dropped,
    FrozenJoints,
    FrozenPicture,
    LateJoints,
    LatePicture,
    NoisyJoints,
)
from adversarl_mujoco.axes.settings import Filter, Shot
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.effects import Effect

GAUSSIAN, SALT, FREEZE_HZ, DROP, LATENCY, PROPRIO, DELAY = 0.1, 0.05, 0.2, 0.3, 3, 0.05, 3
_TABLE = 2**18
_PRACTICE = "sim-to-real practice"
_DACTYL = "Dactyl (arXiv:1808.00177)"


class Grain(Filter):
    """Noise on the picture, the same for the same seed and step.

    Args:
        seed: Seed.
        spread: Standard deviation of Gaussian noise [of 1].
        share: Share of the pixels that are black or white.
    """

    def __init__(self, seed: int, spread: float, share: float) -> None:
        self._seed, self._spread, self._share = seed & 0xFFFFFFFFFFFFFFFF, 255 * spread, share

    def apply(self, image: NDArray[np.uint8], shot: Shot) -> NDArray[np.uint8]:
        """Adds the noise of this step. Shape (H, W, 3)."""
        rng = np.random.default_rng((self._seed, shot.step))
        if self._spread:
            table = _normal(self._spread)[int(rng.integers(_TABLE // 2)) :]
            noise = table[: image.size] if image.size <= len(table) else np.resize(table, image.size)
            image = np.asarray(cv2.add(image, noise.reshape(image.shape), dtype=cv2.CV_8U), dtype=np.uint8)
        if self._share:
            height, width = image.shape[:2]
            places = rng.integers(height * width, size=round(self._share * height * width))
            rows, columns = np.divmod(places, width)
            half = len(places) // 2
            image[rows[:half], columns[:half]] = 0
            image[rows[half:], columns[half:]] = 255
        return image


@lru_cache(maxsize=64)
def _normal(spread: float) -> NDArray[np.int16]:
    """Normal numbers of this standard deviation, rounded; every picture reads them from another place on."""
    numbers = np.random.default_rng(0).standard_normal(_TABLE, dtype=np.float32)
    return np.asarray(np.rint(np.float32(spread) * numbers), dtype=np.int16)


class ImageNoise(WorldAxis):
    """Noise of the camera. Value: ``gaussian`` or ``salt`` (and pepper); else one of them."""

    spec = Axis(
        name="image-noise",
        group="sensor",
        summary="The camera's picture is noisy.",
        unit="standard deviation of a channel in [0, 1], or share of the pixels",
        nominal="0",
        bound=f"gaussian {GAUSSIAN:g}, or salt and pepper on {SALT:.0%}",
        source=f"{_PRACTICE}: 0.02, at a fifth of the intensity; compare ImageNet-C (arXiv:1903.12261): 0.08 and 3 %",
        phrase="add noise to the camera image",
    )
    names = ("gaussian", "salt")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Noise in proportion to the intensity."""
        if perturbation.intensity:
            kind = self.kind(perturbation, u[0])
            spread, share = (GAUSSIAN, 0.0) if kind == "gaussian" else (0.0, SALT)
            grain = Grain(perturbation.seed, spread * perturbation.intensity, share * perturbation.intensity)
            stage.filters.append(grain)


class SensorAxis(WorldAxis):
    """A sensor axis that leaves nothing to its value.

    Args:
        spec: Its specification.
        bound: The process's parameter at intensity 1.
        effect: Makes the process for a parameter.
    """

    def __init__(self, spec: Axis, bound: float, effect: Callable[[float], Effect]) -> None:
        self.spec, self._bound, self._effect = spec, bound, effect

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Starts the process, its parameter in proportion to the intensity."""
        if perturbation.intensity:
            stage.effects[perturbation] = self._effect(self._bound * perturbation.intensity)


class DroppedFrames(WorldAxis):
    """Pictures that get lost. Value: ``black`` or ``repeated``, what stands in for them; else one of these."""

    spec = Axis(
        name="dropped-frames",
        group="sensor",
        summary="Some of the camera's pictures are lost.",
        unit="share of the pictures",
        nominal="0 %",
        bound=f"{DROP:.0%}",
        source="ours",
        phrase="drop camera frames",
    )
    names = ("black", "repeated")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Loses a share in proportion to the intensity."""
        if perturbation.intensity:
            kind = self.kind(perturbation, u[0])
            stage.effects[perturbation] = Dropped(DROP * perturbation.intensity, kind == "black")


_FREEZES = f"{FREEZE_HZ:g} /s, for {FREEZE_S:g} s each"
_LATE = "control steps of 50 ms"
_SCALED = "standard deviation of the scaled readings (1 is 1 rad of a joint, 0.2 m of the grasp point)"

SENSOR_AXES: tuple[WorldAxis, ...] = (
    ImageNoise(),
    SensorAxis(
        Axis(
            name="frozen-frames",
            group="sensor",
            summary="The camera's picture freezes now and then.",
            unit="freezes per second",
            nominal="0 /s",
            bound=_FREEZES,
            source=f"{_DACTYL}: markers freeze with p = 0.2 per second for 1 s",
            phrase="freeze the camera image",
        ),
        FREEZE_HZ,
        FrozenPicture,
    ),
    DroppedFrames(),
    SensorAxis(
        Axis(
            name="camera-latency",
            group="sensor",
            summary="The camera's picture is old.",
            unit=_LATE,
            nominal="0",
            bound=f"{LATENCY}; in between the next lower or higher number, drawn each episode",
            source=f"{_PRACTICE}: 0 to 3 frames",
            phrase="delay the camera image",
        ),
        LATENCY,
        LatePicture,
    ),
    SensorAxis(
        Axis(
            name="proprio-noise",
            group="sensor",
            summary="The joint readings are noisy, anew each step.",
            unit=_SCALED,
            nominal="0",
            bound=f"{PROPRIO:g}",
            source=f"{_PRACTICE}: 0.01, at a fifth of the intensity",
            phrase="add noise to the joint readings",
        ),
        PROPRIO,
        lambda size: NoisyJoints(size, kept=False),
    ),
    SensorAxis(
        Axis(
            name="proprio-bias",
            group="sensor",
            summary="The joint readings are off, the same for a whole episode.",
            unit=_SCALED,
            nominal="0",
            bound=f"{PROPRIO:g}",
            source=f"ours: as large as the noise; {_DACTYL} pairs correlated with uncorrelated noise likewise",
            phrase="offset the joint readings",
        ),
        PROPRIO,
        lambda size: NoisyJoints(size, kept=True),
    ),
    SensorAxis(
        Axis(
            name="proprio-freeze",
            group="sensor",
            summary="The joint readings freeze now and then.",
            unit="freezes per second",
            nominal="0 /s",
            bound=_FREEZES,
            source=f"{_DACTYL}: markers freeze with p = 0.2 per second for 1 s",
            phrase="freeze the joint readings",
        ),
        FREEZE_HZ,
        FrozenJoints,
    ),
    SensorAxis(
        Axis(
            name="proprio-delay",
            group="sensor",
            summary="The joint readings are old.",
            unit=_LATE,
            nominal="0",
            bound=f"{DELAY}; in between the next lower or higher number, drawn each episode",
            source=f"ours, as the camera's; {_PRACTICE}: 0 to 3 frames",
            phrase="delay the joint readings",
        ),
        DELAY,
        LateJoints,
    ),
)
