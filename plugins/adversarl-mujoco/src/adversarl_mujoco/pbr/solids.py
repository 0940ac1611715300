"""The visible geoms of an abstract scene as Filament's renderables."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import mujoco
import numpy as np
from mujoco import mjrf
from numpy.typing import NDArray

from adversarl.errors import AdversarlError
from adversarl_mujoco.pbr.assets import Assets

_GEOM = mujoco.mjtGeom
_MESHES = {int(_GEOM.mjGEOM_MESH), int(_GEOM.mjGEOM_SDF)}
_UNDRAWN = {int(_GEOM.mjGEOM_NONE), int(_GEOM.mjGEOM_LABEL)}
_UNKNOWN = {int(_GEOM.mjGEOM_HFIELD), int(_GEOM.mjGEOM_FLEX), int(_GEOM.mjGEOM_SKIN)}
_PLANE = int(_GEOM.mjGEOM_PLANE)
_RGB = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
SPECULAR = 0.08
"""Reflectance at normal incidence of MuJoCo's specular = 1; its default of 1/2 is then the 4 % of plastic and wood."""
HORIZON = 20.0
"""Half extent of a plane that MuJoCo calls infinite [m]."""


class CannotDraw(AdversarlError):
    """A scene holds what this renderer cannot show."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"renderer 'pbr' cannot draw a {kind}. Set backend.renderer = 'classic'")


class _Solid:
    """A renderable and what it shows now."""

    def __init__(self, renderable: Any) -> None:
        self.renderable = renderable
        self.look: tuple[Any, ...] = ()


class Solids:
    """Renderables that stay from frame to frame; only what differs from the last frame is sent to Filament.

    Perturbations change sizes, materials and even shapes within an episode, and one renderer draws many
    environments in turn, so a renderable belongs to a shape, not to a geom.
    """

    def __init__(self, context: Any, scene: Any, assets: Assets, model: mujoco.MjModel) -> None:
        self._context, self._scene, self._assets, self._model = context, scene, assets, model
        self._solids: dict[tuple[int, int], list[_Solid]] = defaultdict(list)
        self._shown: list[_Solid] = []

    def show(self, abstract: mujoco.MjvScene, gain: float) -> None:
        """Makes Filament's scene hold these geoms and no others.

        Args:
            abstract: Updated by `mujoco.mjv_updateScene`.
            gain: Factor of the light that surfaces emit.

        Raises:
            CannotDraw: It holds a height field, a flex or a skin.
        """
        used: dict[tuple[int, int], int] = defaultdict(int)
        shown: list[_Solid] = []
        for geom in abstract.geoms[: abstract.ngeom]:
            kind = geom.type
            if kind in _UNDRAWN or geom.rgba[3] == 0:
                continue
            key = (kind, geom.dataid // 2 if kind in _MESHES else -1)
            solid = self._take(key, used[key])
            used[key] += 1
            self._update(solid, geom, gain)
            shown.append(solid)
        self._exchange(shown)

    def leave(self) -> None:
        """Takes all renderables out of Filament's scene."""
        self._exchange([])

    def _exchange(self, shown: list[_Solid]) -> None:
        before, after = set(self._shown), set(shown)
        for solid in self._shown:
            if solid not in after:
                self._scene.remove_renderable(solid.renderable)
        for solid in shown:
            if solid not in before:
                self._scene.add_renderable(solid.renderable)
        self._shown = shown

    def _take(self, key: tuple[int, int], number: int) -> _Solid:
        solids = self._solids[key]
        if number == len(solids):
            solids.append(_Solid(self._make(*key)))
        return solids[number]

    def _make(self, kind: int, mesh: int) -> Any:
        if kind in _UNKNOWN:
            raise CannotDraw(_GEOM(kind).name.removeprefix("mjGEOM_").lower())
        renderable = self._context.create_renderable(mjrf.RenderableParams(cast_shadow=True, receive_shadow=True))
        if kind in _MESHES:
            renderable.set_mesh(self._assets.mesh(mesh), 0, 0)
        else:
            quality = self._model.vis.quality
            renderable.set_geom_mesh(_GEOM(kind), quality.numstacks, quality.numslices, quality.numquads)
        return renderable

    def _update(self, solid: _Solid, geom: mujoco.MjvGeom, gain: float) -> None:
        renderable = solid.renderable
        renderable.set_pose(geom.pos, geom.mat.ravel())
        emission = geom.emission * gain
        gloss = (geom.specular, geom.shininess, emission, geom.matid, geom.texid)
        look = (geom.rgba.tobytes(), geom.size.tobytes(), *gloss)
        if look == solid.look:
            return
        if geom.type not in _MESHES:
            renderable.set_size(_size(geom))
        renderable.set_material(self._material(geom, emission))
        solid.look = look

    def _material(self, geom: mujoco.MjvGeom, emission: float) -> Any:
        color = np.array(geom.rgba)
        color[3] = 1 - (1 - color[3]) ** 2  # MuJoCo's classic renderer draws what is transparent twice
        material = mjrf.Material(
            color=color,
            specular=SPECULAR * geom.specular,
            glossiness=glossiness(geom.shininess),
            emissive=emission,
        )
        texture = geom.texid
        if texture < 0 <= geom.matid:
            texture = int(self._model.mat_texid[geom.matid, _RGB])
        if texture >= 0:
            material.color_texture = self._assets.texture(texture)
            material.uv_scale = self._texture_scale(geom, texture)
        return material

    def _texture_scale(self, geom: mujoco.MjvGeom, texture: int) -> NDArray[np.float32]:
        """How often a texture repeats over a geom; as mjr does it. Shape (3,)."""
        scale, uniform = np.ones(3, np.float32), False
        if geom.matid >= 0:
            scale[:2] = self._model.mat_texrepeat[geom.matid]
            uniform = bool(self._model.mat_texuniform[geom.matid])
        if self._assets.is_cube(texture):
            return np.asarray(1 / np.maximum(geom.size, 1e-6), np.float32) if uniform else np.ones(3, np.float32)
        if uniform:
            scale[:2] *= np.where(geom.size[:2] > 0, geom.size[:2], 1)
        return scale


def _size(geom: mujoco.MjvGeom) -> NDArray[np.float32]:
    size = np.asarray(geom.size, np.float32)
    if geom.type == _PLANE:
        return np.array([*np.where(size[:2] > 0, size[:2], HORIZON), 1.0], np.float32)
    return size


def glossiness(shininess: float) -> float:
    """One minus the roughness of a surface whose Blinn-Phong exponent is 128 * `shininess`, as in OpenGL.

    GGX's alpha is sqrt(2 / (exponent + 2)), the roughness its root (Walter 2007; Burley 2012).
    """
    return 1.0 - float((2.0 / (128.0 * shininess + 2.0)) ** 0.25)
