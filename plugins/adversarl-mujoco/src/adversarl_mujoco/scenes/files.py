"""Objects from files: meshes (OBJ, STL) and MJCF."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.scene import SKIN
from adversarl_mujoco.scenes.bodies import Body
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.options import ObjectOptions


def measure(options: ObjectOptions, source: str) -> Body:
    """The bounding box of an object whose file says what it is; its parts are not known.

    Raises:
        SceneError: The file is no usable mesh or MJCF.
    """
    low, high = _bounds(options, source)
    half = ((high - low) / 2).tolist()
    return Body((), (half[0], half[1], half[2]), (0.0, 0.0, 0.0), 2 * half[1])


def add_file(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, options: ObjectOptions, about: Body, touch: Mapping[str, Any]
) -> None:
    """Puts a mesh or an MJCF file into a body, the middle of its bounding box at the body's origin."""
    low, high = _bounds(options)
    middle = (low + high) / 2
    if options.type == "mjcf":
        frame = body.add_frame(pos=(-middle).tolist())
        child = mujoco.MjSpec.from_file(options.file)
        spec.attach(child, prefix=f"{options.name}_", frame=frame)
        return
    scale = options.extents[0]
    name = options.name
    spec.add_mesh(name=name, file=_absolute(options), scale=[scale] * 3)
    place = {"type": mujoco.mjtGeom.mjGEOM_MESH, "pos": (-middle).tolist()}
    body.add_geom(
        name=name, meshname=name, mass=options.mass or options.kind.mass, material=f"mat_{name}", **place, **touch
    )
    grown = scale * (1 + SKIN / max(float((high - low).max()) / 2, SKIN))
    spec.add_mesh(name=f"{name}_skin", file=_absolute(options), scale=[grown] * 3)
    place["pos"] = (-middle * grown / scale).tolist()
    body.add_geom(
        name=f"{name}_skin",
        meshname=f"{name}_skin",
        material="tex_000",
        rgba=[1, 1, 1, 0],
        mass=0,
        contype=0,
        conaffinity=0,
        **place,
    )


def _absolute(options: ObjectOptions) -> str:
    return str(Path(options.file or "").resolve())


def _bounds(options: ObjectOptions, source: str = "scene") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of the bounding box in the file's frame [m]. Shapes (3,)."""
    try:
        model = _scratch(options).compile()
    except ValueError as error:
        raise SceneError(source, f"[objects.{options.name}] file", f"{options.file} cannot be used: {error}") from error
    if not model.ngeom or (model.jnt_type == mujoco.mjtJoint.mjJNT_FREE).any():
        problem = "has a free joint, which the scene gives it. Take it out" if model.ngeom else "has no geom. Add one"
        raise SceneError(source, f"[objects.{options.name}] file", f"{options.file} {problem}")
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for geom in range(model.ngeom):
        points = _outline(model, geom) @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]
        low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    return low, high


def _outline(model: mujoco.MjModel, geom: int) -> NDArray[np.float64]:
    """Points with the geom's bounding box: vertices of a mesh, else corners of its box. Geom frame, Shape (n, 3)."""
    mesh = int(model.geom_dataid[geom])
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
        first = int(model.mesh_vertadr[mesh])
        return np.asarray(model.mesh_vert[first : first + int(model.mesh_vertnum[mesh])], dtype=np.float64)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    return np.asarray(model.geom_aabb[geom, :3] + signs * model.geom_aabb[geom, 3:], dtype=np.float64)


def _scratch(options: ObjectOptions) -> mujoco.MjSpec:
    """The file alone, as a model."""
    if options.type == "mjcf":
        return mujoco.MjSpec.from_file(options.file)
    spec = mujoco.MjSpec()
    spec.add_mesh(name="mesh", file=_absolute(options), scale=[options.extents[0]] * 3)
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="mesh")
    return spec
