"""The lights of an abstract scene as Filament's, in photometric units."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import mujoco
import numpy as np
from mujoco import mjrf
from numpy.typing import NDArray

from adversarl_mujoco.pbr.assets import upload_texture
from adversarl_mujoco.pbr.exposure import ILLUMINANCE, LUMINANCE, WHITE, linear

_SPOT, _DIRECTIONAL = int(mujoco.mjtLightType.mjLIGHT_SPOT), int(mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
_TYPES = {
    _SPOT: mjrf.LightType.LIGHT_SPOT,
    _DIRECTIONAL: mjrf.LightType.LIGHT_DIRECTIONAL,
    int(mujoco.mjtLightType.mjLIGHT_POINT): mjrf.LightType.LIGHT_POINT,
}
_SKY = (0.7, 1.0, 1.25)
"""Radiance of the surroundings below, at and above the horizon, relative to their mean."""
_KEPT_SKIES = 256
_SOFTNESS = 0.5
"""Share of a spot's cone over which its light fades."""
_RANGE = 50.0
"""Where a light stops to reach [m]."""


class Lights:
    """Spots, points and the headlight keep MuJoCo's directions and obey the inverse square law.

    MuJoCo's numbers have no unit and add up on the display: where all lights fall together, a white surface shows
    their sum. Light adds up before the display. So the sum, decoded like a colour of the display, decides how bright
    that surface is, and each light gives the share of it that its own decoded number has; shade is as dark and tints
    are as strong as in the classic renderer. A light has this strength at its nominal distance from the scene's
    centre. The camera is exposed for the nominal lights once and for all.
    """

    def __init__(self, context: Any, scene: Any, model: mujoco.MjModel) -> None:
        self._context, self._scene = context, scene
        self._lights: dict[tuple[int, float], list[Any]] = defaultdict(list)
        self._skies: dict[bytes, tuple[Any, Any]] = {}
        self._sky: Any = None
        offset = model.light_pos0 - model.stat.center if model.nlight else np.zeros((0, 3))
        self._square_distance = np.maximum((offset**2).sum(axis=1), 1e-4)
        self._exposure = _exposure(model)
        self._shadow_size = int(min(max(model.vis.quality.shadowsize, 256), 2048))

    def show(self, abstract: mujoco.MjvScene, request: Any) -> float:
        """Makes Filament's scene be lit like this one.

        Args:
            abstract: Updated by `mujoco.mjv_updateScene`.
            request: The rendering request, which carries the headlight.

        Returns:
            By how much everything was brightened so that a dark scene uses all 8 bits.
        """
        lights = list(abstract.lights[: abstract.nlight])
        level, gain = _level(lights, self._exposure)
        scale = level * gain / WHITE
        for pool in self._lights.values():
            for light in pool:
                light.set_active(False)
        used: dict[tuple[int, float], int] = defaultdict(int)
        request.headlight = False
        for light in lights:
            if light.headlight:
                self._show_headlight(light, request, scale)
            elif light.type in _TYPES:
                key = (light.type, float(light.cutoff))
                self._show_light(light, self._take(key, used[key]), scale)
                used[key] += 1
        self._show_sky(sum((light.ambient for light in lights), np.zeros(3, np.float32)), scale)
        return gain

    def leave(self) -> None:
        """Takes all lights out of Filament's scene."""
        for pool in self._lights.values():
            for light in pool:
                self._scene.remove_light(light)
        self._lights.clear()
        if self._sky is not None:
            self._scene.remove_light(self._sky)
            self._sky = None

    def _take(self, key: tuple[int, float], number: int) -> Any:
        pool = self._lights[key]
        if number == len(pool):
            kind, cutoff = key
            shape = {"cutoff": cutoff, "softness": _SOFTNESS} if kind == _SPOT else {}
            params = mjrf.LightParams(type=_TYPES[kind], range=_RANGE, shadow_map_size=self._shadow_size, **shape)
            pool.append(self._context.create_light(params))
            self._scene.add_light(pool[-1])
        return pool[number]

    def _show_light(self, light: mujoco.MjvLight, made: Any, scale: float) -> None:
        strength, tint = _split(light.diffuse)
        made.set_active(strength > 0)
        made.set_color(tint)
        square = 1.0 if light.type == _DIRECTIONAL else float(self._square_distance[light.id])
        made.set_intensity(strength * scale * ILLUMINANCE * square)
        made.set_pose(light.pos, light.dir)
        made.set_cast_shadow(bool(light.castshadow))

    def _show_headlight(self, light: mujoco.MjvLight, request: Any, scale: float) -> None:
        strength, tint = _split(light.diffuse)
        request.headlight = strength > 0
        request.headlight_color = tint
        request.headlight_intensity = strength * scale * ILLUMINANCE

    def _show_sky(self, ambient: NDArray[np.float32], scale: float) -> None:
        """Ambient light comes from surroundings that are a little brighter above than below."""
        strength, tint = _split(ambient)
        levels = np.rint(255 * tint / _SKY[2]).astype(np.uint8)
        made = self._skies.get(levels.tobytes())
        if made is None:
            made = self._skies[levels.tobytes()] = self._make_sky(tint)
            while len(self._skies) > _KEPT_SKIES:
                self._skies.pop(next(iter(self._skies)))
        sky = made[0]
        if sky is not self._sky:
            if self._sky is not None:
                self._scene.remove_light(self._sky)
            self._scene.add_light(sky)
            self._sky = sky
        sky.set_intensity(strength * scale * LUMINANCE * _SKY[2])

    def _make_sky(self, tint: NDArray[np.float32]) -> tuple[Any, Any]:
        """A light and its texture, which must live as long."""
        faces = sky_faces() / _SKY[2]
        pixels = np.rint(255 * faces[..., None] * tint).astype(np.uint8)
        texture = upload_texture(self._context, pixels.reshape(-1, pixels.shape[2], 3), mjrf.SamplerType.TEXTURE_CUBE)
        return self._context.create_light(mjrf.LightParams(type=mjrf.LightType.LIGHT_IMAGE, texture=texture)), texture


def sky_faces(size: int = 16) -> NDArray[np.float64]:
    """Radiance of a cube map's faces +x -x +y -y +z -z with y up, relative to the mean. Shape (6, size, size)."""
    y = 1 - 2 * (np.arange(size) + 0.5) / size
    x = np.broadcast_to(y, (size, size))
    side = y[:, None] / np.sqrt(1 + x**2 + y[:, None] ** 2)
    cap = 1 / np.sqrt(1 + x**2 + x.T**2)
    height = np.stack([side, side, cap, -cap, side, side])
    return np.interp(height, (-1, 0, 1), _SKY)


def _split(color: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """Strength and tint of a light, both linear; the strongest channel of the tint is 1."""
    light = linear(color)
    strength = float(light.max())
    if strength <= 0:
        return 0.0, np.ones(3, np.float32)
    return strength, (light / strength).astype(np.float32)


def _exposure(model: mujoco.MjModel) -> float:
    """Factor that keeps nominal lights of a sum beyond 1, which OpenGL cuts off at white, from drowning the scene."""
    lights = model.light_active.astype(bool)
    colors = [*model.light_diffuse[lights], *model.light_ambient[lights]]
    if model.vis.headlight.active:
        colors += [model.vis.headlight.diffuse, model.vis.headlight.ambient]
    total = float(sum(np.max(color) for color in colors))
    return total / float(linear(total)) if total > 1 else 1.0


def _level(lights: list[mujoco.MjvLight], exposure: float) -> tuple[float, float]:
    """Factor of all strengths, and the power of two in [1, 64] that lets a dark scene use all 8 bits."""
    numbers = np.array([float(np.max(color)) for light in lights for color in (light.diffuse, light.ambient)])
    full, strengths = exposure * float(linear(numbers.sum())), float(linear(numbers).sum())
    if full <= 0:
        return 1.0, 1.0
    gain = 2.0 ** np.clip(np.floor(-np.log2(full)), 0, 6)
    return full / strengths, float(gain)
