"""The handle through which axes change a scene: arrays of one model, and the numbers of the names they mean."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.errors import PerturbationError
from adversarl.types import Perturbation
from adversarl_mujoco.axes.physics import Physics
from adversarl_mujoco.axes.settings import Filter, Layout
from adversarl_mujoco.axes.shapes import NAMES
from adversarl_mujoco.effects import Effect
from adversarl_mujoco.parts import Scene, SceneObject
from adversarl_mujoco.scene import DISTRACTORS, LAMPS, OBSTACLES

Array = NDArray[np.float64]
LIGHTS = ("key", "fill")


@dataclass(frozen=True, slots=True)
class Handle:
    """Where one object is in a model's arrays.

    Attributes:
        about: The object.
        body: Its body.
        bodies: Its body and, where it comes from an MJCF file, those below it.
        geoms: What is seen and touched of it.
        skins: Transparent twins of its geoms.
        materials: Its materials.
        bare: Its geoms that have no material.
        movable: Whether it can be moved.
        primitive: Whether it is one body without meshes.
        solid: Whether it can be touched.
    """

    about: SceneObject
    body: int
    bodies: tuple[int, ...]
    geoms: tuple[int, ...]
    skins: tuple[int, ...]
    materials: tuple[int, ...]
    bare: tuple[int, ...]
    movable: bool
    primitive: bool
    solid: bool


class Stage:
    """Views into one `mujoco.MjModel`, looked up once, so that a change costs a few writes.

    Everything a visual axis may write to is listed in `fields`; other axes may also write to those of `Physics`. A
    write elsewhere could not be undone.
    """

    def __init__(self, model: mujoco.MjModel, scene: Scene, target: str, home: Sequence[float] = ()) -> None:
        self.model, self.target, self.backgrounds = model, target, scene.backgrounds
        self._look_up(model, scene)
        names = [target, *(name for name in scene.objects if name != target)]
        self.objects = {name: _handle(model, scene.objects[name], self.below) for name in names}
        """Objects by name, the task's target first."""
        self.targets: dict[str, tuple[str, ...]] = {}
        """What object axes can act on, by the axis' name; they fill it when first asked."""
        self._view(model)
        self.nominal_rgba = model.mat_rgba[:, :3].tolist()
        """Nominal colours of all materials, RGB in [0, 1]. Shape (nmat, 3)."""
        self.nominal_camera: list[float] = model.cam_pos[self.camera].tolist()
        """Nominal position of the camera, world frame [m]. Shape (3,)."""
        self.physics = Physics(model, scene.mounts)
        self.home: Array = np.array(home or [angle for mount in scene.mounts for angle in mount.robot.home])
        """Angles of the arms' joints at home [rad]."""
        self._table_height = self._height_of_table(model)
        self.clear()

    def clear(self) -> None:
        """Forgets what was asked of renderer, task and simulation."""
        self.layout = Layout()
        self.filters: list[Filter] = []
        self.effects: dict[Perturbation, Effect] = {}
        self.shadows = False

    def _look_up(self, model: mujoco.MjModel, scene: Scene) -> None:
        self.lights = {name: _id(model, mujoco.mjtObj.mjOBJ_LIGHT, name) for name in (*LIGHTS, "sun")}
        self.lamps = [_id(model, mujoco.mjtObj.mjOBJ_LIGHT, f"lamp_{index}") for index in range(LAMPS)]
        ours = {*self.lights.values(), *self.lamps}
        self.others = [light for light in range(model.nlight) if light not in ours]
        """Lights that a scene has beside those that prompts can name."""
        self.camera = _id(model, mujoco.mjtObj.mjOBJ_CAMERA, scene.camera)
        geom = mujoco.mjtObj.mjOBJ_GEOM
        self.geoms = {name: _id(model, geom, name) for name in ("table", "occluder")}
        self.skins = {name: _id(model, geom, f"{name}_skin") for name in ("table", "backdrop")}
        names = {name: index for index, name in enumerate(_names(model, geom, model.ngeom)) if name}
        self.below = {index: names[name[:-5]] for name, index in names.items() if _covers(name, names)}
        """What each skin covers."""
        material = mujoco.mjtObj.mjOBJ_MATERIAL
        self.materials = {name: _id(model, material, f"mat_{name}") for name in ("table", "backdrop", "floor")}
        bodies = [f"distractor_{index}" for index in range(DISTRACTORS)]
        self.distractors = [_id(model, mujoco.mjtObj.mjOBJ_BODY, name) for name in bodies]
        blocks = [f"obstacle_{index}" for index in range(OBSTACLES)]
        self.obstacles = [_id(model, mujoco.mjtObj.mjOBJ_BODY, name) for name in blocks]
        self.table = _id(model, mujoco.mjtObj.mjOBJ_BODY, "table")
        self.occluder = _id(model, mujoco.mjtObj.mjOBJ_BODY, "occluder")
        self.textures = {name: i for i, name in enumerate(_names(model, material, model.nmat)) if "tex_" in name[:4]}
        self._look_up_robot(model, tuple(mount.prefix for mount in scene.mounts))

    def _look_up_robot(self, model: mujoco.MjModel, prefixes: tuple[str, ...]) -> None:
        """The robot may be anybody's: its materials, and its geoms that have none."""
        bodies = _names(model, mujoco.mjtObj.mjOBJ_BODY, model.nbody)
        parts = [g for g in range(model.ngeom) if bodies[model.geom_bodyid[g]].startswith(prefixes)]
        self.robot_skins = tuple(g for g in parts if g in self.below)
        geoms = [g for g in parts if g not in self.robot_skins]
        materials = {int(model.geom_matid[g]) for g in geoms}
        self.robot_materials = np.array(sorted(materials - {-1}), dtype=np.intp)
        self.robot_geoms = np.array([g for g in geoms if model.geom_matid[g] < 0], dtype=np.intp)

    def _view(self, model: mujoco.MjModel) -> None:
        self.light_pos, self.light_dir = model.light_pos, model.light_dir
        self.light_diffuse, self.light_specular = model.light_diffuse, model.light_specular
        self.light_active, self.light_castshadow = model.light_active, model.light_castshadow
        self.ambient, self.headlight = model.vis.headlight.ambient, model.vis.headlight.diffuse
        self.mat_rgba, self.geom_rgba = model.mat_rgba, model.geom_rgba
        self.mat_specular, self.mat_shininess = model.mat_specular, model.mat_shininess
        self.geom_matid, self.geom_size, self.geom_type = model.geom_matid, model.geom_size, model.geom_type
        self.body_pos, self.body_quat = model.body_pos, model.body_quat
        self.cam_pos, self.cam_quat, self.cam_fovy = model.cam_pos, model.cam_quat, model.cam_fovy

    @property
    def fields(self) -> tuple[NDArray[np.generic], ...]:
        """Every array that an axis may write to, beside those of `physics`."""
        lights = (self.light_pos, self.light_dir, self.light_diffuse, self.light_specular)
        switches = (self.light_active, self.light_castshadow, self.ambient, self.headlight)
        looks = (self.mat_rgba, self.mat_specular, self.mat_shininess, self.geom_rgba, self.geom_matid)
        shapes = (self.geom_size, self.geom_type)
        places = (self.body_pos, self.body_quat, self.cam_pos, self.cam_quat, self.cam_fovy)
        return (*lights, *switches, *looks, *shapes, *places)

    @property
    def table_height(self) -> float:
        """Height of the table's top, world frame [m]."""
        return self._table_height + self.layout.table

    def _height_of_table(self, model: mujoco.MjModel) -> float:
        geom = self.geoms["table"]
        body = model.body_pos[model.geom_bodyid[geom], 2]
        return float(body + model.geom_pos[geom, 2] + model.geom_size[geom, 2])


def _covers(name: str, names: Container[str]) -> bool:
    """Whether a geom is the skin of another one; a file may have geoms that are only called so."""
    return name.endswith("_skin") and name[:-5] in names


def _handle(model: mujoco.MjModel, about: SceneObject, below: Container[int]) -> Handle:
    body = _id(model, mujoco.mjtObj.mjOBJ_BODY, about.name)
    bodies = _family(model, body) if about.kind == "mjcf" else (body,)
    geoms = np.flatnonzero(np.isin(model.geom_bodyid, bodies)).tolist()
    skins = tuple(geom for geom in geoms if geom in below)
    seen = tuple(geom for geom in geoms if geom not in skins)
    materials = tuple(sorted({int(model.geom_matid[geom]) for geom in seen} - {-1}))
    bare = tuple(geom for geom in seen if model.geom_matid[geom] < 0)
    primitive = len(bodies) == 1 and all(int(model.geom_type[geom]) in NAMES for geom in geoms)
    solid = any(model.geom_contype[geom] | model.geom_conaffinity[geom] for geom in seen)
    return Handle(about, body, bodies, seen, skins, materials, bare, about.free, primitive, solid)


def _family(model: mujoco.MjModel, body: int) -> tuple[int, ...]:
    """A body and all below it; MuJoCo numbers parents before their children."""
    family = [body]
    for other in range(body + 1, model.nbody):
        if int(model.body_parentid[other]) in family:
            family.append(other)
    return tuple(family)


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [mujoco.mj_id2name(model, kind, index) or "" for index in range(count)]


def _id(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    index = mujoco.mj_name2id(model, kind, name)
    if index < 0:
        what = kind.name.removeprefix("mjOBJ_").lower()
        raise PerturbationError(what, name, _known(model, kind))
    return int(index)


def _known(model: mujoco.MjModel, kind: mujoco.mjtObj) -> Iterable[str]:
    counts = {
        mujoco.mjtObj.mjOBJ_LIGHT: model.nlight,
        mujoco.mjtObj.mjOBJ_CAMERA: model.ncam,
        mujoco.mjtObj.mjOBJ_GEOM: model.ngeom,
        mujoco.mjtObj.mjOBJ_MATERIAL: model.nmat,
        mujoco.mjtObj.mjOBJ_BODY: model.nbody,
    }
    return filter(None, _names(model, kind, counts[kind]))
