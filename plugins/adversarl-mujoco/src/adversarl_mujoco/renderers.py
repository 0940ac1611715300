"""Which renderer draws: ``classic`` (OpenGL, fast) or ``pbr`` (Filament on Vulkan, physically based)."""

from __future__ import annotations

import sys
from typing import Literal, Protocol

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoVulkan
from adversarl_mujoco.render import Renderer, View

Kind = Literal["classic", "pbr"]


class Draws(Protocol):
    """A renderer; belongs to the thread that makes it, and draws any environment's view."""

    def make_current(self) -> None:
        """Must be called before drawing where other renderers may have drawn in this thread."""

    def draw(self, view: View, out: NDArray[np.uint8]) -> None:
        """Renders into `out`. Shape (size, size, 3)."""

    def close(self) -> None:
        """Frees what it holds; to be called in the thread that made it."""


def make_renderer(kind: Kind, model: mujoco.MjModel, size: int, *, second: bool = False) -> Draws:
    """A renderer of the calling thread.

    Args:
        kind: Which one.
        model: Any environment's model; textures and meshes must be alike in all.
        size: Edge of the picture [pixel].
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


def parallel(kind: Kind) -> int:
    """How many threads may draw at once; asked after the first renderer is made.

    Every Filament engine has a Vulkan device of its own, so nothing is shared between threads.
    """
    return gl.parallel_contexts() if kind == "classic" else sys.maxsize
