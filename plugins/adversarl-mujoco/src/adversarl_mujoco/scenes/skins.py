"""Transparent twins of a robot's geoms, whose opacity lays a texture over it."""

from __future__ import annotations

import mujoco

_SOLID = (
    mujoco.mjtGeom.mjGEOM_SPHERE,
    mujoco.mjtGeom.mjGEOM_CAPSULE,
    mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    mujoco.mjtGeom.mjGEOM_CYLINDER,
    mujoco.mjtGeom.mjGEOM_BOX,
    mujoco.mjtGeom.mjGEOM_MESH,
)
_DRAWN_GROUPS = (0, 1, 2)


def skin_robot(spec: mujoco.MjSpec, prefix: str) -> None:
    """Gives every visible geom whose name starts with a prefix a twin in the same place.

    The twin is exactly as large: MuJoCo draws what comes later over what is equally far, so that robots whose geoms
    are meshes need no second, grown mesh.
    """
    for geom in list(spec.geoms):
        if geom.name.startswith(prefix) and geom.type in _SOLID and geom.group in _DRAWN_GROUPS and geom.rgba[3] > 0:
            twin = geom.parent.add_geom(
                name=f"{geom.name}_skin",
                type=geom.type,
                size=geom.size,
                pos=geom.pos,
                quat=geom.quat,
                fromto=geom.fromto,
                meshname=geom.meshname,
                material="tex_000",
                rgba=[1, 1, 1, 0],
                group=geom.group,
                mass=0,
                density=0,
                contype=0,
                conaffinity=0,
            )
            _turn_alike(twin, geom)


def _turn_alike(twin: mujoco.MjsGeom, geom: mujoco.MjsGeom) -> None:
    """Copies an orientation that is not given as a quaternion."""
    for name in ("type", "axisangle", "xyaxes", "zaxis", "euler"):
        setattr(twin.alt, name, getattr(geom.alt, name))
