"""One scene by every renderer: how long a frame takes, and how it looks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import get_args

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.parts import Scene
from adversarl_mujoco.render import View, large
from adversarl_mujoco.renderers import Kind, make_renderer
from adversarl_mujoco.scenes.picture import at_home

RENDERERS: tuple[Kind, ...] = get_args(Kind)
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock times of one renderer in one thread.

    Attributes:
        renderer: Which one.
        frame: One frame as policies see it [ms].
        shadowed: One frame with hard shadows [ms].
    """

    renderer: Kind
    frame: float
    shadowed: float


def time_renderer(scene: Scene, kind: Kind, *, size: int, frames: int) -> Timing:
    """Times one renderer; the fastest of `ROUNDS` rounds, because other work on the machine only adds.

    Args:
        scene: What to draw.
        kind: The renderer.
        size: Edge of the picture [pixel].
        frames: Frames in each round.

    Raises:
        NoGL: ``classic`` finds no OpenGL.
        NoVulkan: ``pbr`` finds no Vulkan.
    """
    view = View(scene.model, at_home(scene), scene.camera)
    renderer = make_renderer(kind, scene.model, size)
    renderer.make_current()
    out = np.empty((size, size, 3), np.uint8)

    def measure() -> float:
        renderer.draw(view, out)
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in range(frames):
                renderer.draw(view, out)
            rounds.append((time.perf_counter() - start) / frames * 1e3)
        return min(rounds)

    try:
        plain = measure()
        scene.model.light_castshadow[:] = True
        view.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 1
        return Timing(kind, plain, measure())
    finally:
        renderer.close()


def side_by_side(scene: Scene, *, size: int) -> NDArray[np.uint8]:
    """The scene by every renderer in the order of `RENDERERS`. Shape (size, n * size, 3)."""
    data, model = at_home(scene), large(scene.model, size, size, smooth=True)
    pictures = np.empty((len(RENDERERS), size, size, 3), np.uint8)
    for kind, picture in zip(RENDERERS, pictures, strict=True):
        renderer = make_renderer(kind, model, size)
        renderer.make_current()
        renderer.draw(View(model, data, scene.camera), picture)
        renderer.close()
    return np.concatenate(list(pictures), axis=1)
