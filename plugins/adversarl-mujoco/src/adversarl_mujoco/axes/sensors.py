"""Sensors: what the policy reads differs from what is; state, reward and pictures for people do not."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.actuation import steps_of_delay
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.settings import Filter, Shot
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.effects import Effect, Picture, Row
from adversarl_mujoco.timing import CONTROL_FREQUENCY

GAUSSIAN, SALT, FREEZE_HZ, FREEZE_S, DROP, LATENCY, PROPRIO, DELAY = 0.1, 0.05, 0.2, 1.0, 0.3, 3, 0.05, 3
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
            kind = perturbation.value or self.names[int(2 * u[0])]
            spread, share = (GAUSSIAN, 0.0) if kind == "gaussian" else (0.0, SALT)
            grain = Grain(perturbation.seed, spread * perturbation.intensity, share * perturbation.intensity)
            stage.filters.append(grain)


class Frozen(Effect):
    """Keeps what was read last for `FREEZE_S`, now and then.

    Args:
        rate: How often it freezes [1/s].
    """

    def __init__(self, rate: float) -> None:
        self._chance = rate / CONTROL_FREQUENCY
        self._left = 0
        self._kept: NDArray[np.generic] | None = None

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing was read yet."""
        self._rng, self._left, self._kept = rng, 0, None

    def freeze(self, reading: NDArray[np.generic]) -> None:
        """Overwrites a reading with an old one while frozen."""
        if not self._left and self._kept is not None and self._rng.random() < self._chance:
            self._left = round(FREEZE_S * CONTROL_FREQUENCY)
        if self._left and self._kept is not None:
            self._left -= 1
            np.copyto(reading, self._kept)
        else:
            self._kept = reading.copy()


class FrozenPicture(Frozen):
    """Freezes the camera."""

    def image(self, picture: Picture) -> None:
        """Shows the last picture again while frozen."""
        self.freeze(picture)


class FrozenJoints(Frozen):
    """Freezes the robot's senses."""

    def proprio(self, row: Row) -> None:
        """Gives the last readings again while frozen."""
        self.freeze(row)


class Late(Effect):
    """Passes readings on some steps late.

    Args:
        mean: Mean delay [control steps]; the next lower or higher whole number is drawn once an episode.
    """

    def __init__(self, mean: float) -> None:
        self._mean = mean

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing is under way; until something arrives, the first reading is repeated."""
        (self._delay,) = steps_of_delay(rng, self._mean, 1)
        self._queue: list[NDArray[np.generic]] = []

    def delay(self, reading: NDArray[np.generic]) -> None:
        """Exchanges the newest reading for the oldest one."""
        self._queue.append(reading.copy())
        np.copyto(reading, self._queue[0])
        if len(self._queue) > self._delay:
            self._queue.pop(0)


class LatePicture(Late):
    """Delays the camera."""

    def image(self, picture: Picture) -> None:
        """Shows an old picture."""
        self.delay(picture)


class LateJoints(Late):
    """Delays the robot's senses."""

    def proprio(self, row: Row) -> None:
        """Gives old readings."""
        self.delay(row)


class Dropped(Effect):
    """Loses pictures.

    Args:
        share: Share of the pictures that are lost.
        black: Whether a black one stands in for them; else the last one is repeated.
    """

    def __init__(self, share: float, black: bool) -> None:
        self._share, self._black = share, black

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing was seen yet."""
        self._rng = rng
        self._seen: Picture | None = None

    def image(self, picture: Picture) -> None:
        """Replaces a lost picture."""
        lost = self._rng.random() < self._share
        if lost and self._black:
            picture.fill(0)
        elif lost and self._seen is not None:
            np.copyto(picture, self._seen)
        else:
            self._seen = picture.copy()


class NoisyJoints(Effect):
    """Adds noise to what the robot feels.

    Args:
        size: Standard deviation of the scaled readings [1].
        kept: Whether it is drawn once an episode; else every step.
    """

    def __init__(self, size: float, kept: bool) -> None:
        self._size, self._once = np.float32(size), kept
        self._offset: Row | None = None

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """The first reading tells how many numbers there are."""
        self._rng, self._offset = rng, None

    def proprio(self, row: Row) -> None:
        """Adds noise."""
        if self._offset is None or not self._once:
            self._offset = self._size * self._rng.standard_normal(len(row), dtype=np.float32)
        row += self._offset


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
            kind = perturbation.value or self.names[int(2 * u[0])]
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
