"""What stands behind the scene: photographs, videos, a grid of colours, in place of floor, wall and sky."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis
from adversarl_mujoco.axes.filters import CELLS, ColorGrid
from adversarl_mujoco.axes.settings import Filter, Shot
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.backgrounds import Backgrounds, Clip
from adversarl_mujoco.compositing import Image, composite


@dataclass(frozen=True, slots=True, eq=False)
class Behind(Filter):
    """An image or a video behind the foreground.

    Attributes:
        backgrounds: Where it comes from.
        clip: Which one.
        share: Its opacity in [0, 1].
    """

    backgrounds: Backgrounds
    clip: Clip
    share: float
    needs_background: ClassVar[bool] = True

    def apply(self, image: Image, shot: Shot) -> Image:
        """The picture with another background."""
        assert shot.background is not None
        frame = self.backgrounds.frame(self.clip, shot.step, *image.shape[:2])
        return composite(image, shot.background, frame, self.share)


class BackgroundClip(WorldAxis):
    """Puts an image or a video behind the scene. Value: its name."""

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Mixes it into what shows the background, by intensity."""
        if not perturbation.intensity:
            return
        clips, value = self.clips(stage), perturbation.value
        name = value if isinstance(value, str) else tuple(clips)[int(u[0] * len(clips))]
        stage.filters.append(Behind(stage.backgrounds, clips[name], perturbation.intensity))

    def known(self, stage: Stage) -> tuple[str, ...]:
        """Names of what there is."""
        return tuple(self.clips(stage))

    @abstractmethod
    def clips(self, stage: Stage) -> Mapping[str, Clip]:
        """What there is, by name."""


class BackgroundImage(BackgroundClip):
    """Puts a still picture behind the scene. Value: its name, such as ``hills_0`` or the stem of a file's name."""

    spec = Axis(
        name="background-image",
        group="visual",
        summary="A photograph takes the place of floor and wall.",
        unit="opacity of the photograph",
        nominal="0",
        bound="1, any image of `backgrounds` (by default a generated bank)",
        source="DMControl-GB (arXiv:2011.13389): other backgrounds by segmentation",
        phrase="put a photograph behind the scene",
    )

    def clips(self, stage: Stage) -> Mapping[str, Clip]:
        """Its images."""
        return stage.backgrounds.images


class BackgroundVideo(BackgroundClip):
    """Plays a video behind the scene, to and fro. Value: its name, such as ``flow_0`` or the stem of a file's name."""

    spec = Axis(
        name="background-video",
        group="visual",
        summary="A video takes the place of floor and wall; it advances with the control steps.",
        unit="opacity of the video",
        nominal="0",
        bound="1, any video of `backgrounds` (by default a generated bank)",
        source="Distracting Control Suite (arXiv:2101.02722): videos behind the scene, played to and fro",
        phrase="play a video behind the scene",
    )

    def clips(self, stage: Stage) -> Mapping[str, Clip]:
        """Its videos."""
        return stage.backgrounds.videos


class GridOverlay(WorldAxis):
    """A grid of random colours over the background."""

    spec = Axis(
        name="color-grid",
        group="visual",
        summary="A grid of random colours covers floor and wall.",
        unit="opacity of the grid",
        nominal="0",
        bound=f"1, {CELLS} x {CELLS} cells of any RGB",
        source="the colour grids of the PSP benchmark; after DMControl-GB (arXiv:2011.13389)",
        phrase="overlay a color grid",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Mixes it into what shows the background, by intensity."""
        if perturbation.intensity:
            stage.filters.append(ColorGrid(int(u[0] * 2**48), perturbation.intensity))


BACKGROUND_AXES: tuple[WorldAxis, ...] = (BackgroundImage(), BackgroundVideo(), GridOverlay())
