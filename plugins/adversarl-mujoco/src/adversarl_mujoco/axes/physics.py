"""What axes may change of a model's mechanics: its arrays, and the numbers of the things they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl_mujoco.control import motor_of
from adversarl_mujoco.parts import Mount

Indices = NDArray[np.intp]


class Physics:
    """Views into the mechanics of one `mujoco.MjModel`.

    Everything an axis may write to is listed in `fields`; a write elsewhere could not be undone. What MuJoCo derives
    from these arrays when it compiles (inertias in the rest posture, and since MuJoCo 4 bounding volumes) is derived
    anew by `mujoco.mj_setConst`, 10 microseconds, after a change that sets `derived`; the bits are the compiler's.

    Attributes:
        derived: Whether something was written that such constants follow from: mass, inertia, size, shape.
    """

    def __init__(self, model: mujoco.MjModel, mounts: Sequence[Mount]) -> None:
        self.model = model
        self.timestep: float = model.opt.timestep
        """Nominal timestep [s]."""
        self._view(model)
        self._look_up(model, mounts)
        self._nominal = tuple(field.copy() for field in self.fields)
        self._scratch: mujoco.MjData | None = None
        stat = model.stat
        self._statistics = (stat.meaninertia, stat.meanmass, stat.meansize, stat.extent)
        self._center = stat.center.copy()
        self.derived = False

    def _view(self, model: mujoco.MjModel) -> None:
        self.body_mass, self.body_inertia, self.body_iquat = model.body_mass, model.body_inertia, model.body_iquat
        self.body_ipos, self.body_gravcomp = model.body_ipos, model.body_gravcomp
        self.body_contype, self.body_conaffinity = model.body_contype, model.body_conaffinity
        self.geom_type, self.geom_size = model.geom_type, model.geom_size
        self.geom_pos, self.geom_quat = model.geom_pos, model.geom_quat
        self.geom_rbound, self.geom_aabb = model.geom_rbound, model.geom_aabb
        self.geom_sameframe = model.geom_sameframe
        self.boxes = model.bvh_aabb[: int((model.body_bvhadr + model.body_bvhnum).max(initial=0))]
        """Bounding boxes of the bodies' parts, body frames; those of meshes come after them."""
        self.geom_friction, self.geom_priority = model.geom_friction, model.geom_priority
        self.geom_contype, self.geom_conaffinity = model.geom_contype, model.geom_conaffinity
        self.jnt_range, self.dof_damping = model.jnt_range, model.dof_damping
        self.gainprm, self.biasprm = model.actuator_gainprm, model.actuator_biasprm
        self.forcerange = model.actuator_forcerange
        self.gravity = model.opt.gravity

    @property
    def fields(self) -> tuple[NDArray[np.generic], ...]:
        """Every array that an axis may write to, beside those of `Stage.fields`."""
        bodies = (self.body_mass, self.body_inertia, self.body_iquat, self.body_ipos, self.body_gravcomp)
        touching = (self.body_contype, self.body_conaffinity, self.geom_contype, self.geom_conaffinity)
        shapes = (self.geom_pos, self.geom_quat, self.geom_rbound, self.geom_aabb)
        bounds = (self.geom_sameframe, self.boxes)
        surfaces = (self.geom_friction, self.geom_priority)
        motors = (self.jnt_range, self.dof_damping, self.gainprm, self.biasprm, self.forcerange)
        return (*bodies, *touching, *shapes, *bounds, *surfaces, *motors, self.gravity)

    def _look_up(self, model: mujoco.MjModel, mounts: Sequence[Mount]) -> None:
        joints = [model.joint(mount.prefix + name).id for mount in mounts for name in mount.robot.joints]
        self.joints = _indices(joints)
        """The arms' joints."""
        self.dofs, self.addresses = _indices(model.jnt_dofadr[joints]), _indices(model.jnt_qposadr[joints])
        """Their degrees of freedom, and where their angles are in ``qpos``."""
        self.motors = _indices(motor_of(model, joint) for joint in joints)
        """Their actuators."""
        grippers = [mount.prefix + name for mount in mounts for name in mount.robot.gripper_actuators]
        self.grippers = _indices(model.actuator(name).id for name in grippers)
        """The actuators of the grippers."""
        prefixes = tuple(mount.prefix for mount in mounts)
        named = ((body, model.body(body).name) for body in range(model.nbody))
        self.links = _indices(body for body, name in named if name.startswith(prefixes) and model.body_mass[body] > 0)
        """The bodies of the robots that have a mass."""

    def boxes_of(self, body: int) -> slice:
        """Where a body's bounding boxes are in `boxes`."""
        first = int(self.model.body_bvhadr[body])
        return slice(first, first + int(self.model.body_bvhnum[body]))

    def restore(self) -> None:
        """Makes nominal what `Stage.fields` leaves out; those come first, since constants follow from both."""
        for field, nominal in zip(self.fields, self._nominal, strict=True):
            np.copyto(field, nominal)
        self.model.opt.timestep = self.timestep
        if self.derived:
            self.derive()
        self.derived = False

    def derive(self) -> None:
        """Computes the constants that follow from what was written."""
        if self._scratch is None:
            self._scratch = mujoco.MjData(self.model)
        mujoco.mj_setConst(self.model, self._scratch)
        # MuJoCo 3 also measures the scene anew, on which the camera's clipping planes depend.
        stat = self.model.stat
        stat.meaninertia, stat.meanmass, stat.meansize, stat.extent = self._statistics
        stat.center[:] = self._center


def _indices(numbers: Iterable[int]) -> Indices:
    return np.array([int(number) for number in numbers], dtype=np.intp)
