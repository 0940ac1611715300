"""The tabletop: floor, backdrop, table, lights, camera, and what hides below the floor until it is needed.

`adversarl_mujoco.scenes` puts objects and robots onto it. Names below are a contract with `adversarl_mujoco.axes`.
World frame: z up, origin on the floor under the middle of the table; the robot's base stands on the table's plane
behind it and looks along +x; the camera looks along -x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from adversarl_mujoco.parts import Scene
from adversarl_mujoco.robot import Robot
from adversarl_mujoco.textures import POOL, texture

Vector = tuple[float, float, float]
TABLE_HEIGHT = 0.40
"""Height of the table's top above the floor [m]."""
BASE = (-0.5, 0.0, TABLE_HEIGHT)
"""The robot's base, world frame [m]."""
TABLE_MIDDLE = (0.03, 0.0, -0.025)
"""Middle of the table's box, relative to the middle of its top as seen from the world's origin [m]."""
CAMERA_POSITION = (0.52, 0.0, 0.93)
"""World frame [m]."""
CAMERA_TARGET = (-0.03, 0.0, 0.47)
"""Point at the centre of the picture, world frame [m]."""
CAMERA_FOVY = 42.0
"""Vertical field of view [deg]."""
PARKED_Z = -10.0
"""Height at which the occluder and the distractors wait, unseen [m]."""
BACKGROUND_GROUP = 4
"""Geom group of floor and backdrop, which pictures and videos replace."""
TABLE_GROUP = 5
"""Geom group of the table top, which streamed pictures may replace too."""
DISTRACTORS = 6
OBSTACLES = 6
LAMPS = 4
"""Lights that are off until more are asked for."""
SKIN = 0.0004
"""How far a skin stands out from the box below it [m]."""
SUBSTEP = 0.005
"""Physics timestep [s]."""

_BOX = mujoco.mjtGeom.mjGEOM_BOX
_SHAPES: tuple[tuple[mujoco.mjtGeom, tuple[float, float, float], tuple[float, float, float]], ...] = (
    (_BOX, (0.02, 0.02, 0.02), (0.15, 0.45, 0.85)),
    (mujoco.mjtGeom.mjGEOM_SPHERE, (0.025, 0, 0), (0.95, 0.75, 0.15)),
    (mujoco.mjtGeom.mjGEOM_CYLINDER, (0.022, 0.03, 0), (0.2, 0.65, 0.35)),
    (mujoco.mjtGeom.mjGEOM_CAPSULE, (0.018, 0.025, 0), (0.65, 0.3, 0.75)),
    (_BOX, (0.03, 0.015, 0.025), (0.9, 0.5, 0.2)),
    (mujoco.mjtGeom.mjGEOM_CYLINDER, (0.03, 0.015, 0), (0.55, 0.6, 0.62)),
)


def build_scene(robot: Robot, *, image_size: int = 84, shadow_size: int = 512, textures: int = POOL) -> Scene:
    """Compiles the default scene, a cube on a table, with a robot in it; see `adversarl_mujoco.scenes.compose`."""
    # Imported here, because the composer builds on this module.
    from adversarl_mujoco.scenes.compose import compose
    from adversarl_mujoco.scenes.options import SceneOptions

    scene = SceneOptions()
    return compose(scene, robots=(robot,), image_size=image_size, shadow_size=shadow_size, textures=textures)


def set_options(spec: mujoco.MjSpec, image_size: int, shadow_size: int) -> None:
    """Sets physics, the quality of pictures, and the light that comes from everywhere."""
    spec.modelname = "adversarl tabletop"
    spec.option.timestep = SUBSTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Half as dear as elliptic cones while something is held; the object does not slip noticeably within an episode.
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    quality = spec.visual.quality
    quality.offsamples, quality.shadowsize = 0, shadow_size
    quality.numslices, quality.numstacks, quality.numquads = 12, 6, 2  # vertices are what a CPU renders slowly
    spec.visual.global_.offwidth = spec.visual.global_.offheight = image_size
    spec.visual.headlight.ambient = [0.38, 0.38, 0.38]
    spec.visual.headlight.diffuse = [0.12, 0.12, 0.12]
    spec.visual.headlight.specular = [0, 0, 0]
    spec.visual.map.znear, spec.visual.map.zfar = 0.05, 10
    # Fixed, so that nothing parked below the floor stretches the clipping planes.
    spec.stat.extent, spec.stat.center = 1.0, [0, 0, TABLE_HEIGHT]


def add_materials(
    spec: mujoco.MjSpec, colors: Mapping[str, tuple[float, float, float]], textures: int, pool: int
) -> None:
    """Adds the materials of the surroundings, one ``mat_NAME`` for each of `colors`, and the pool of textures."""
    plain = {
        "table": (0.72, 0.60, 0.46),
        **colors,
        "backdrop": (0.56, 0.66, 0.74),
        "floor": (0.42, 0.44, 0.47),
        "robot": (0.93, 0.93, 0.95),
        "pedestal": (0.3, 0.31, 0.34),
    }
    for name, rgb in plain.items():
        spec.add_material(name=f"mat_{name}", rgba=[*rgb, 1], specular=0.15, shininess=0.25)
    for index in range(textures):
        _add_texture(spec, f"tex_{index:03d}", texture(index, seed=pool))


def _add_texture(spec: mujoco.MjSpec, name: str, image: np.ndarray) -> None:
    """Adds a texture and its material; a cube map whose one image covers every side of a box alike."""
    size = image.shape[0]
    cube = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_CUBE, nchannel=3, width=size, height=size)
    cube.data = image.tobytes()
    material = spec.add_material(name=name, rgba=[1, 1, 1, 1], specular=0.1, shininess=0.2)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def add_surroundings(spec: mujoco.MjSpec, bases: Sequence[Vector], size: tuple[float, float], friction: float) -> None:
    """Adds floor, backdrop, a pedestal below every robot's base, and the table.

    Args:
        spec: The scene.
        bases: Bases of the robots, world frame [m].
        size: Edges of the table along x and y [m].
        friction: Sliding friction of the table [1].
    """
    world = spec.worldbody
    world.add_geom(
        name="floor",
        type=_BOX,
        pos=[0, 0, -0.05],
        size=[2.5, 2.5, 0.05],
        material="mat_floor",
        contype=0,
        conaffinity=1,
        group=BACKGROUND_GROUP,
    )
    visual = {"type": _BOX, "contype": 0, "conaffinity": 0}
    world.add_geom(
        name="backdrop",
        pos=[-1.3, 0, 1.2],
        size=[0.02, 2.5, 1.3],
        material="mat_backdrop",
        group=BACKGROUND_GROUP,
        **visual,
    )
    for index, (x, y, z) in enumerate(bases):
        name = "pedestal" if index == 0 else f"pedestal{index + 1}"
        world.add_geom(name=name, pos=[x - 0.02, y, z / 2], size=[0.11, 0.11, z / 2], material="mat_pedestal", **visual)
    half = (size[0] / 2, size[1] / 2, 0.025)
    table = world.add_body(name="table", pos=[0, 0, TABLE_HEIGHT])
    table.add_geom(
        name="table",
        type=_BOX,
        pos=list(TABLE_MIDDLE),
        size=list(half),
        material="mat_table",
        contype=0,
        conaffinity=3,
        friction=[friction, 0.005, 0.0001],
        group=TABLE_GROUP,
    )
    add_skin(world, "backdrop", _BOX, (0.02, 2.5, 1.3), (-1.3, 0, 1.2), group=BACKGROUND_GROUP)
    add_skin(table, "table", _BOX, half, TABLE_MIDDLE, group=TABLE_GROUP)


def add_light(
    world: mujoco.MjsBody,
    name: str,
    position: Vector,
    diffuse: float,
    specular: float,
    *,
    active: bool = True,
) -> None:
    """Adds a spot light that points at the middle of the table; the one called ``sun`` casts shadows."""
    direction = np.array([0, 0, TABLE_HEIGHT]) - position
    world.add_light(
        name=name,
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=list(position),
        dir=(direction / np.linalg.norm(direction)).tolist(),
        diffuse=[diffuse] * 3,
        specular=[specular] * 3,
        ambient=[0, 0, 0],
        cutoff=60,
        exponent=1,
        castshadow=name == "sun",
        active=active,
    )


def add_skin(
    body: mujoco.MjsBody,
    name: str,
    shape: mujoco.mjtGeom,
    size: tuple[float, ...],
    position: Vector,
    quaternion: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0),
    *,
    group: int = 0,
) -> None:
    """Adds a transparent twin of a geom, a hair larger, whose opacity lays a texture over it.

    What is wholly transparent is not drawn and costs nothing.
    """
    body.add_geom(
        name=f"{name}_skin",
        type=shape,
        pos=list(position),
        quat=list(quaternion),
        size=[edge + SKIN for edge in size],
        material="tex_000",
        rgba=[1, 1, 1, 0],
        mass=0,
        contype=0,
        conaffinity=0,
        group=group,
    )


def look_at(position: tuple[float, ...], target: tuple[float, ...]) -> list[float]:
    """Orientation of a camera at `position` that looks at `target` with the world's z up; (w, x, y, z). Shape (4,)."""
    backward = np.subtract(position, target)
    backward = backward / np.linalg.norm(backward)
    right = np.cross([0.0, 0.0, 1.0], backward)
    right = right / np.linalg.norm(right)
    matrix = np.column_stack([right, np.cross(backward, right), backward])
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, matrix.ravel())
    return [float(x) for x in quaternion]


def add_hidden(spec: mujoco.MjSpec) -> None:
    """Adds what perturbations bring out: the occluder, the distractors, and obstacles that become solid then."""
    visual = {"contype": 0, "conaffinity": 0}
    occluder = spec.worldbody.add_body(name="occluder", pos=[0, 0, PARKED_Z])
    occluder.add_geom(name="occluder", type=_BOX, size=[0.005, 0.06, 0.06], rgba=[0.25, 0.25, 0.28, 0], **visual)
    for index, (shape, size, rgb) in enumerate(_SHAPES[:DISTRACTORS]):
        body = spec.worldbody.add_body(name=f"distractor_{index}", pos=[0.2 * index, 0, PARKED_Z])
        body.add_geom(name=f"distractor_{index}", type=shape, size=list(size), rgba=[*rgb, 0], **visual)
    for index in range(OBSTACLES):
        body = spec.worldbody.add_body(name=f"obstacle_{index}", pos=[0.2 * index, 0.5, PARKED_Z])
        body.add_geom(name=f"obstacle_{index}", type=_BOX, size=[0.02, 0.02, 0.03], rgba=[0.5, 0.5, 0.5, 0], **visual)
