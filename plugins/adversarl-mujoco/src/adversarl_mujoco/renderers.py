"""Which renderer draws: ``classic`` (OpenGL, fast) or ``pbr`` (Filament on Vulkan, physically based)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal, Protocol

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoVulkan
from adversarl_mujoco.render import Renderer, View, large

Kind = Literal["classic", "pbr"]


class Draws(Protocol):
    """A renderer; belongs to the thread that makes it, and draws any environment's view."""

    def make_current(self) -> None:
        """Must be called before drawing where other renderers may have drawn in this thread."""

    def draw(self, view: View, out: NDArray[np.uint8]) -> None:
        """Renders into `out`. Shape (height, width, 3)."""

    def close(self) -> None:
        """Frees what it holds; to be called in the thread that made it."""


def make_renderer(kind: Kind, model: mujoco.MjModel, size: int | tuple[int, int], *, second: bool = False) -> Draws:
    """A renderer of the calling thread.

    Args:
        kind: Which one.
        model: Any environment's model; textures and meshes must be alike in all.
        size: Edge of the picture, or (height, width) [pixel].
        second: Whether another thread draws at the same time with one that is not.

    Raises:
        NoGL: ``classic`` finds no OpenGL.
        NoVulkan: ``pbr`` finds no Vulkan.
    """
    if kind == "classic":
        return Renderer(model, size, second=second)
    try:
        from adversarl_mujoco.pbr.renderer import FilamentRenderer
    except ImportError as error:  # MuJoCo 3 has no Filament
        raise NoVulkan(f"{error}. Filament comes with mujoco 4") from error
    return FilamentRenderer(model, size)


class Viewer:
    """Draws pictures for people and videos, with a renderer of its own; belongs to the thread that makes it.

    Args:
        kind: Which renderer draws.
        model: Any environment's model.
    """

    def __init__(self, kind: Kind, model: mujoco.MjModel) -> None:
        self._kind, self._model = kind, model
        self._drawn: tuple[int, int, bool] | None = None
        self._renderer: Draws | None = None

    def draw(
        self, views: Sequence[View], size: int | tuple[int, int], *, smooth: bool, empty: bool
    ) -> NDArray[np.uint8]:
        """Pictures of some views. Shape (len(views), height, width, 3).

        Args:
            views: What to draw.
            size: Edge of square pictures, or (height, width) [pixel].
            smooth: Whether edges are smoothed.
            empty: Whether nothing but the background and the table top is seen.
        """
        height, width = (size, size) if isinstance(size, int) else size
        if self._renderer is None or self._drawn != (height, width, smooth):
            self.close()
            model = large(self._model, height, width, smooth=smooth)
            self._renderer = make_renderer(self._kind, model, (height, width))
            self._drawn = height, width, smooth
        self._renderer.make_current()
        pictures = np.empty((len(views), height, width, 3), np.uint8)
        for view, picture in zip(views, pictures, strict=True):
            view.empty = empty
            try:
                self._renderer.draw(view, picture)
            finally:
                view.empty = False
        return pictures

    def close(self) -> None:
        """Frees the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def parallel(kind: Kind) -> int:
    """How many threads may draw at once; asked after the first renderer is made.

    Every Filament engine has a Vulkan device of its own, so nothing is shared between threads.
    """
    return gl.parallel_contexts() if kind == "classic" else sys.maxsize
