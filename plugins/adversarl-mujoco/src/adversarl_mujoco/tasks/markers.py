"""Goals that can be seen and not touched, and that a task may put anywhere when an episode begins."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.parts import SceneObject
from adversarl_mujoco.scene import TABLE_HEIGHT, add_skin

GOAL = "goal"
"""Name of a task's marker, as prompts may call it."""
DISC = 0.001
"""Half of a disc's thickness [m]."""


def add_goal(
    spec: mujoco.MjSpec, shape: mujoco.mjtGeom, size: tuple[float, ...], rgb: tuple[float, float, float]
) -> SceneObject:
    """Adds the marker `GOAL`: a mocap body, so that where it stands belongs to the state and not to the model."""
    start = (0.0, 0.0, TABLE_HEIGHT + DISC)
    spec.add_material(name=f"mat_{GOAL}", rgba=[*rgb, 1], specular=0.1, shininess=0.2)
    body = spec.worldbody.add_body(name=GOAL, pos=list(start), mocap=True)
    body.add_geom(
        name=GOAL,
        type=shape,
        size=[*size, 0, 0][:3],
        material=f"mat_{GOAL}",
        contype=0,
        conaffinity=0,
    )
    add_skin(body, GOAL, shape, size, (0.0, 0.0, 0.0))
    half = (size[0], size[0], size[1] if shape == mujoco.mjtGeom.mjGEOM_CYLINDER else size[0])
    return SceneObject(GOAL, "marker", half, start, free=False)


def place_of(model: mujoco.MjModel, data: mujoco.MjData) -> NDArray[np.float64]:
    """Where the marker stands, world frame [m]. Shape (3,); a view to write to."""
    view: NDArray[np.float64] = data.mocap_pos[int(model.body(GOAL).mocapid[0])]
    return view
