"""Offscreen rendering: one context per thread, one scene per environment."""

from __future__ import annotations

import copy
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import adversarl_mujoco.gl as gl  # isort: skip
import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoGL
from adversarl_mujoco.axes.settings import RenderSettings, Shot
from adversarl_mujoco.compositing import composite
from adversarl_mujoco.scene import BACKGROUND_GROUP, TABLE_GROUP

_ALL = int(mujoco.mjtCatBit.mjCAT_ALL)
_SHADOW = int(mujoco.mjtRndFlag.mjRND_SHADOW)


class View:
    """What one environment shows: its abstract scene, options and camera; owns no GL object."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, camera: str = "front") -> None:
        self.model = model
        self.data = data
        self.scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 8)
        self.scene.flags[_SHADOW] = 0
        self._all = mujoco.MjvOption()
        self._all.sitegroup[:] = 0
        self._all.geomgroup[[BACKGROUND_GROUP, TABLE_GROUP]] = 1
        self.behind = only(BACKGROUND_GROUP)
        """Shows nothing but the background."""
        self.around = only(BACKGROUND_GROUP, TABLE_GROUP)
        """Shows nothing but the background and the table top."""
        self.empty = False
        """Whether that is all there is to see."""
        self.backdrop: NDArray[np.uint8] | None = None
        """A picture that takes the place of the background, RGB. Any Shape (h, w, 3)."""
        self.backdrop_covers_table = False
        self.camera = mujoco.MjvCamera()
        self.camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self.camera.fixedcamid = model.camera(camera).id
        self.asked = RenderSettings()
        self.step = 0
        """Control steps since the reset."""
        self.shells: dict[bool, tuple[bytes, NDArray[np.float32]]] = {}
        """The own depth of the background, without and with the table top, and the kind of picture and the pose of the
        camera that it belongs to."""

    @property
    def option(self) -> mujoco.MjvOption:
        """What is to be seen now."""
        return self.around if self.empty else self._all

    def configure(self, asked: RenderSettings) -> None:
        """Sets what perturbations change outside the model."""
        self.asked = asked
        self.shells.clear()
        self.scene.flags[_SHADOW] = int(asked.shadows)

    def pose(self) -> bytes:
        """Where the camera is and how it looks; equal for equal poses."""
        index = self.camera.fixedcamid
        return bytes(self.data.cam_xpos[index].tobytes() + self.data.cam_xmat[index].tobytes())

    def shows_background(
        self,
        depth: NDArray[np.float32],
        kind: bytes,
        alone: Callable[[mujoco.MjvOption], NDArray[np.float32]],
        *,
        table: bool,
    ) -> NDArray[np.uint8]:
        """255 where nothing stands before the background, else 0. Shape (H, W).

        The background alone is drawn once per pose of the camera; where its depth is to the bit that of the whole
        scene, nothing stands before it.

        Args:
            depth: Depth of the whole scene. Shape (H, W).
            kind: Whose depth it is; renderers round in their own ways.
            alone: Draws the depth of what an option shows. Shape (H, W).
            table: Whether the table top belongs to the background.
        """
        pose, known = kind + self.pose(), self.shells.get(table)
        if known is None or known[0] != pose or known[1].shape != depth.shape:
            known = self.shells[table] = pose, alone(self.around if table else self.behind)
        return np.asarray(cv2.compare(depth, known[1], cv2.CMP_EQ), dtype=np.uint8)


def only(*groups: int) -> mujoco.MjvOption:
    """An option that shows nothing but some groups of geoms."""
    option = mujoco.MjvOption()
    option.geomgroup[:] = option.sitegroup[:] = 0
    option.geomgroup[list(groups)] = 1
    return option


class Renderer:
    """A GL context with the scene's textures and meshes; belongs to the thread that makes it.

    Args:
        model: Any environment's model; textures and meshes must be alike in all.
        size: Edge of the picture, or (height, width) [pixel].
        second: Whether another thread draws at the same time with one that is not.

    Raises:
        NoGL: No OpenGL context can be made.
    """

    def __init__(self, model: mujoco.MjModel, size: int | tuple[int, int], *, second: bool = False) -> None:
        height, width = (size, size) if isinstance(size, int) else size
        _sweep()
        self._gl: Any = gl.make_context(width, height, second=second)
        self._gl.make_current()
        self._handle = gl.current_context()
        try:
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        except mujoco.FatalError as error:
            raise NoGL(gl.BACKEND, str(error)) from error
        self._drop = weakref.finalize(self, _dropped.append, (threading.current_thread(), self._gl, self._context))
        self._drop.atexit = False  # the display may be gone by then
        samples = model.vis.quality.offsamples
        self._kind = bytes([samples])
        if not samples:
            sample_faster(self._context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), np.uint8)
        self._depth = np.empty((height, width), np.float32)

    def make_current(self) -> None:
        """Makes this context the thread's; asked for each round, since other worlds may share the thread."""
        if _dropped:
            _sweep()
        if self._handle is None or gl.current_context() != self._handle:
            self._gl.make_current()

    def draw(self, view: View, out: NDArray[np.uint8]) -> None:
        """Renders into `out`. Shape (height, width, 3)."""
        mujoco.mjv_updateScene(view.model, view.data, view.option, None, view.camera, _ALL, view.scene)
        mujoco.mjr_render(self._rect, view.scene, self._context)
        asked = view.asked
        if not asked.filters and view.backdrop is None:
            mujoco.mjr_readPixels(self._pixels, None, self._rect, self._context)
            np.copyto(out, self._pixels[::-1])  # OpenGL's first row is the lowest
            return
        wants_depth = asked.needs_depth or asked.needs_background or view.backdrop is not None
        mujoco.mjr_readPixels(self._pixels, self._depth if wants_depth else None, self._rect, self._context)
        np.copyto(out, self._pixels[::-1])
        depth = self._depth[::-1]
        finish(view, out, lambda: metres(depth, view.model), lambda table: self._background(view, depth, table))

    def _background(self, view: View, depth: NDArray[np.float32], table: bool) -> NDArray[np.uint8]:
        """See `View.shows_background`; a smooth picture for people has another depth, and therefore its own."""

        def alone(option: mujoco.MjvOption) -> NDArray[np.float32]:
            mujoco.mjv_updateScene(view.model, view.data, option, None, view.camera, _ALL, view.scene)
            mujoco.mjr_render(self._rect, view.scene, self._context)
            depth = np.empty_like(self._depth)
            mujoco.mjr_readPixels(None, depth, self._rect, self._context)
            return depth[::-1]

        return view.shows_background(depth, self._kind, alone, table=table)

    def close(self) -> None:
        """Frees the context; to be called in the thread that made it."""
        self._drop.detach()
        _free(self._gl, self._context)


_dropped: deque[tuple[threading.Thread, Any, mujoco.MjrContext]] = deque()
"""Contexts of renderers that nobody closed; freed between pictures, since a collector may run in the middle of one."""
_unfreed: list[mujoco.MjrContext] = []
"""Kept, because their own destructors would free what the current context calls by the same numbers."""


def _sweep() -> None:
    """Frees what this thread or one that has ended dropped; leaves no context current if there was anything."""
    for item in tuple(_dropped):
        thread, context, drawn = item
        if thread is threading.current_thread() or not thread.is_alive():
            with suppress(ValueError):  # another thread was faster
                _dropped.remove(item)
                _free(context, drawn)


def _free(context: Any, drawn: mujoco.MjrContext) -> None:
    """Frees a renderer's memory in its own context; in that of another one, whose pictures would go black, it must not.

    A context that is current in another thread stays.
    """
    try:
        context.make_current()
    except Exception:
        _unfreed.append(drawn)
        return
    drawn.free()
    context.free()


def sample_faster(context: mujoco.MjrContext) -> None:
    """Has textures of the current context sampled without mipmaps.

    In pictures of a hundred pixels the large surfaces magnify their textures, so nothing changes but the time: choosing
    a mipmap costs a processor that draws a third of a frame full of texture. Small things sparkle a little.
    """
    from OpenGL import GL

    for name, kind in zip(context.texture[: context.ntexture], context.textureType, strict=False):
        cube = kind != int(mujoco.mjtTexture.mjTEXTURE_2D)
        target = GL.GL_TEXTURE_CUBE_MAP if cube else GL.GL_TEXTURE_2D
        GL.glBindTexture(target, int(name))
        GL.glTexParameteri(target, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR)
        GL.glBindTexture(target, 0)


def finish(
    view: View,
    image: NDArray[np.uint8],
    depth: Callable[[], NDArray[np.float32]],
    background: Callable[[bool], NDArray[np.uint8]],
) -> None:
    """Puts the backdrop behind a picture and does to it, in place, what perturbations ask for.

    Args:
        view: What was drawn.
        image: The picture. Shape (H, W, 3).
        depth: Distances along the viewing direction [m]. Shape (H, W).
        background: 255 where the background is seen, else 0, without or with the table top. Shape (H, W).
    """
    asked = view.asked
    shot = Shot(
        view.step,
        depth() if asked.needs_depth else None,
        background(False) if asked.needs_background else None,
    )
    if view.backdrop is not None:
        composite(image, background(view.backdrop_covers_table), view.backdrop)
    develop(image, asked, shot)


def develop(image: NDArray[np.uint8], asked: RenderSettings, shot: Shot) -> None:
    """Does to a picture, in place, what perturbations ask for. Shape (H, W, 3)."""
    changed = image
    for effect in asked.filters:
        changed = effect.apply(changed, shot)
    if changed is not image:
        np.copyto(image, changed)


def metres(depth: NDArray[np.float32], model: mujoco.MjModel) -> NDArray[np.float32]:
    """Distances along the viewing direction from a depth buffer in [0, 1], [m]. Shape (H, W)."""
    near = np.float32(model.vis.map.znear * model.stat.extent)
    ratio = np.float32(model.vis.map.znear / model.vis.map.zfar)
    return near / (1 - depth * (1 - ratio))


def large(model: mujoco.MjModel, height: int, width: int, *, smooth: bool) -> mujoco.MjModel:
    """A copy whose context draws pictures of a size [pixel]; smooth ones have more slices and several samples."""
    copied = copy.copy(model)
    if smooth:
        quality = copied.vis.quality
        quality.offsamples, quality.numslices, quality.numstacks, quality.numquads = 4, 32, 16, 4
        quality.shadowsize = 2048
    copied.vis.global_.offheight, copied.vis.global_.offwidth = height, width
    return copied
