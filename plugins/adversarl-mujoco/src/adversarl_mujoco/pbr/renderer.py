"""Pictures by Filament: the same views and the same interface as `adversarl_mujoco.render.Renderer`."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import mujoco
import numpy as np
from mujoco import mjrf
from numpy.typing import NDArray

from adversarl_mujoco.pbr.assets import Assets
from adversarl_mujoco.pbr.engine import engine
from adversarl_mujoco.pbr.exposure import SUPERSAMPLING, expose
from adversarl_mujoco.pbr.lights import Lights
from adversarl_mujoco.pbr.solids import Solids
from adversarl_mujoco.render import View, finish

_ALL = int(mujoco.mjtCatBit.mjCAT_ALL)
_SHADOW = int(mujoco.mjtRndFlag.mjRND_SHADOW)


class FilamentRenderer:
    """Draws any environment's view with the engine of the thread that makes it.

    Args:
        model: Any environment's model; textures and meshes must be alike in all.
        size: Edge of the picture, or (height, width) [pixel].

    Raises:
        NoVulkan: Vulkan does not work here.
    """

    def __init__(self, model: mujoco.MjModel, size: int | tuple[int, int]) -> None:
        self._size = (size, size) if isinstance(size, int) else size
        self._engine = engine()
        self._context, scene = self._engine.context, self._engine.scene
        self._lights = Lights(self._context, scene, model)
        self._solids = Solids(self._context, scene, Assets(self._context, model), model)
        fine = tuple(SUPERSAMPLING * edge for edge in self._size)
        self._linear = _Target(self._context, (*fine, 3), np.uint8, mjrf.PixelFormat.PIXEL_FORMAT_RGB8)
        self._depth: _Target | None = None

    def make_current(self) -> None:
        """Nothing to do: Filament draws on a thread of its own."""

    def draw(self, view: View, out: NDArray[np.uint8]) -> None:
        """Renders into `out`. Shape (height, width, 3)."""
        request = self._prepare(view)
        gain = self._lights.show(view.scene, request)
        self._solids.show(view.scene, gain)
        request.shadows = bool(view.scene.flags[_SHADOW])
        expose(self._linear.draw(self._context, request), gain, out)
        if view.asked.filters or view.backdrop is not None:
            depth = cache(partial(self.depth, view))
            finish(view, out, depth, lambda table: self._background(view, depth(), table))

    def _background(self, view: View, depth: NDArray[np.float32], table: bool) -> NDArray[np.uint8]:
        """See `View.shows_background`; the classic renderer may draw the same view, and rounds otherwise."""
        return view.shows_background(depth, b"pbr", partial(self.depth, view), table=table)

    def depth(self, view: View, option: mujoco.MjvOption | None = None) -> NDArray[np.float32]:
        """Distance from the camera along its axis [m]; infinite where there is nothing. Shape (height, width).

        Args:
            view: Whose scene.
            option: What of it counts; None is all that the view shows.
        """
        if self._depth is None:
            shape, kind = self._size, mjrf.PixelFormat.PIXEL_FORMAT_R32F
            self._depth = _Target(self._context, shape, np.float32, kind)
        request = self._prepare(view, option)
        self._solids.show(view.scene, 1.0)
        request.draw_mode = mjrf.DrawMode.DRAW_MODE_DEPTH
        return _meters(self._depth.draw(self._context, request), view.scene.camera[0])

    def _prepare(self, view: View, option: mujoco.MjvOption | None = None) -> Any:
        """Updates the abstract scene; a request for its camera."""
        self._engine.enter(self)
        mujoco.mjv_updateScene(view.model, view.data, option or view.option, None, view.camera, _ALL, view.scene)
        left, right = view.scene.camera[0], view.scene.camera[1]
        eye = mujoco.mjv_averageCamera(left, right)
        request = mjrf.RenderRequest(scene=self._engine.scene)
        request.camera = mjrf.Camera(
            pos=eye.pos,
            forward=eye.forward,
            up=eye.up,
            frustum_bottom=eye.frustum_bottom,
            frustum_top=eye.frustum_top,
            frustum_near=eye.frustum_near,
            frustum_far=eye.frustum_far,
        )
        request.post_processing = request.skybox = request.haze = False
        return request

    def leave(self) -> None:
        """Takes its lights and solids out of the thread's scene; another renderer of the thread draws next."""
        self._lights.leave()
        self._solids.leave()

    def close(self) -> None:
        """Leaves the engine to others; to be called in the thread that made it."""
        self.leave()


def _meters(drawn: NDArray[np.float32], eye: mujoco.MjvGLCamera) -> NDArray[np.float32]:
    """Decodes a reversed depth buffer: 1 at the near plane, 0 at the far one, affine in 1 / distance."""
    near, far = float(eye.frustum_near), float(eye.frustum_far)
    with np.errstate(divide="ignore"):
        distance = near * far / (far - near) / (drawn + near / (far - near))
    return np.where(drawn > 0, distance, np.inf).astype(np.float32)


class _Target:
    """A buffer to draw into."""

    def __init__(self, context: Any, shape: tuple[int, ...], dtype: type, pixel_format: Any) -> None:
        height, width = shape[:2]
        config = mjrf.RenderTargetConfig(width=width, height=height, color_format=pixel_format)
        self._target = context.create_render_target(config)
        self._pixels: NDArray[Any] = np.zeros(shape, dtype)
        self._read = mjrf.ReadRequest(target=self._target)
        self._read.set_buffer(self._pixels)
        self._viewport = mjrf.Rect(0, 0, width, height)

    def draw(self, context: Any, request: Any) -> NDArray[Any]:
        """Draws and waits; the array is written to again by the next call."""
        request.target, request.viewport = self._target, self._viewport
        context.wait_for_frame(context.render([request], [self._read]))
        return self._pixels
