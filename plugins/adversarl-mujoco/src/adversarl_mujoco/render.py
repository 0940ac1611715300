"""Offscreen rendering: one context per thread, one scene per environment."""

from __future__ import annotations

import copy
from typing import Any

import adversarl_mujoco.gl as gl  # isort: skip
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoGL
from adversarl_mujoco.axes.settings import RenderSettings, Shot
from adversarl_mujoco.scene import HIDDEN_GROUP

_ALL = int(mujoco.mjtCatBit.mjCAT_ALL)
_SHADOW = int(mujoco.mjtRndFlag.mjRND_SHADOW)


class View:
    """What one environment shows: its abstract scene, options and camera; owns no GL object."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, camera: str = "front") -> None:
        self.model = model
        self.data = data
        self.scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 8)
        self.scene.flags[_SHADOW] = 0
        self.option = mujoco.MjvOption()
        self.option.sitegroup[:] = 0
        self.option.geomgroup[HIDDEN_GROUP] = 0
        self.camera = mujoco.MjvCamera()
        self.camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self.camera.fixedcamid = model.camera(camera).id
        self.asked = RenderSettings()
        self.step = 0
        """Control steps since the reset."""

    def configure(self, asked: RenderSettings) -> None:
        """Sets what perturbations change outside the model."""
        self.asked = asked
        self.scene.flags[_SHADOW] = int(asked.shadows)
        self.option.geomgroup[HIDDEN_GROUP] = int(asked.hidden_visible)


class Renderer:
    """A GL context with the scene's textures and meshes; belongs to the thread that makes it.

    Args:
        model: Any environment's model; textures and meshes must be alike in all.
        size: Edge of the picture [pixel].
        second: Whether another thread draws at the same time with one that is not.

    Raises:
        NoGL: No OpenGL context can be made.
    """

    def __init__(self, model: mujoco.MjModel, size: int, *, second: bool = False) -> None:
        self._gl: Any = gl.make_context(size, size, second=second)
        self._gl.make_current()
        self._handle = gl.current_context()
        try:
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        except mujoco.FatalError as error:
            raise NoGL(gl.BACKEND, str(error)) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rect = mujoco.MjrRect(0, 0, size, size)
        self._pixels = np.empty((size, size, 3), np.uint8)
        self._upright = self._pixels[::-1]  # OpenGL's first row is the lowest

    def make_current(self) -> None:
        """Makes this context the thread's; asked for each round, since other worlds may share the thread."""
        if self._handle is None or gl.current_context() != self._handle:
            self._gl.make_current()

    def draw(self, view: View, out: NDArray[np.uint8]) -> None:
        """Renders into `out`. Shape (size, size, 3)."""
        mujoco.mjv_updateScene(view.model, view.data, view.option, None, view.camera, _ALL, view.scene)
        mujoco.mjr_render(self._rect, view.scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._rect, self._context)
        asked = view.asked
        if asked.color_matrix is None:
            np.copyto(out, self._upright)
        else:
            np.copyto(out, recolor(self._upright, asked.color_matrix))
        for effect in asked.filters:
            np.copyto(out, effect.apply(out, Shot(view.step)))

    def close(self) -> None:
        """Frees the context; to be called in the thread that made it."""
        self.make_current()
        self._context.free()
        self._gl.free()


def recolor(image: NDArray[np.uint8], matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Applies an affine colour transform and clips to [0, 255].

    Args:
        image: RGB picture. Shape (H, W, 3).
        matrix: Linear part and offset in [0, 255]. Shape (3, 4).

    Returns:
        The picture in new colours. Shape (H, W, 3).
    """
    mixed = image.reshape(-1, 3).astype(np.float32) @ matrix[:, :3].T
    mixed += matrix[:, 3] + 0.5
    np.clip(mixed, 0.0, 255.0, out=mixed)
    return mixed.astype(np.uint8).reshape(image.shape)


def fine(model: mujoco.MjModel, size: int) -> mujoco.MjModel:
    """A copy whose context draws smooth pictures of `size` [pixel] for people: more slices, multisampling."""
    copied = copy.copy(model)
    quality = copied.vis.quality
    quality.offsamples, quality.numslices, quality.numstacks, quality.numquads = 4, 32, 16, 4
    quality.shadowsize = 2048
    copied.vis.global_.offwidth = copied.vis.global_.offheight = size
    return copied
