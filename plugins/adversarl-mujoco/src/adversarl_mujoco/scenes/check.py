"""What is wrong with a scene, found before anything is trained in it."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from adversarl_mujoco.control import Arm
from adversarl_mujoco.parts import Mount, Scene, SceneObject
from adversarl_mujoco.robot import RobotError
from adversarl_mujoco.scenes.bodies import about_z
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.options import ObjectOptions, SceneOptions
from adversarl_mujoco.tasks.layout import AREA

PENETRATION = 0.001
"""Depth to which things may overlap before that is called a mistake [m]."""
FALL = 0.005
"""How far an object may sink [m] ..."""
TIP = math.radians(15)
"""... and tip [rad] ..."""
SECONDS = 1.0
"""... while it is left alone so long [s]."""
SAMPLES = 20
"""Scenes drawn from the randomization, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        name: The object.
        key: The option to change.
        text: What is wrong and what to do.
        fatal: Whether nothing can be trained like this.
        other: The second object, if there is one.
    """

    name: str
    key: str
    text: str
    fatal: bool = True
    other: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """Both objects."""
        return self.name, self.other

    def __str__(self) -> str:
        """``[objects.cup] position: it overlaps ...``."""
        return f"[objects.{self.name}] {self.key}: {self.text}"


def check(options: SceneOptions, source: str = "scene", *, seed: int = 0, samples: int = SAMPLES) -> list[Problem]:
    """Checks a scene by compiling it, drawing from its randomization, inverse kinematics, and a second of physics.

    Args:
        options: The scene.
        source: What errors call it.
        seed: Of the draws.
        samples: Number of draws.

    Returns:
        What is only worth a warning.

    Raises:
        SceneError: Naming every object that overlaps another, cannot be reached, or does not stand.
        RobotError: A robot cannot be loaded.
    """
    scene = compose(options, textures=1, source=source)
    inside = list(overlaps(options, seed=seed, samples=samples))
    pushed = {name for problem in inside for name in problem.names}
    falling = [problem for problem in unsupported(scene) if problem.name not in pushed]
    found = [*inside, *unreachable(options, scene), *falling, *too_wide(scene), *astray(scene)]
    fatal = [problem for problem in found if problem.fatal]
    if fatal:
        raise SceneError(source, "", f"\n{source}: ".join(map(str, fatal)))
    return [problem for problem in found if not problem.fatal]


def overlaps(options: SceneOptions, *, seed: int = 0, samples: int = SAMPLES) -> Iterator[Problem]:
    """Objects that penetrate each other or the table, first as they stand, then over their randomization."""
    scene = compose(_loose(options), textures=1)
    model, data = scene.model, mujoco.MjData(scene.model)
    rng = np.random.default_rng(seed)
    told: set[frozenset[str]] = set()
    for draw in range(samples + 1):
        if draw:
            for thing in options.objects:
                _move(data, scene.objects[thing.name], thing, rng)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        for pair, depth in _penetrations(model, data, scene).items():
            if pair not in told:
                told.add(pair)
                yield _overlap(pair, depth, f" (draw {draw} of {samples}, seed {seed})" if draw else "")


def _loose(options: SceneOptions) -> SceneOptions:
    """The scene with everything free, since MuJoCo does not compare what stands fast, and as large as it may get."""
    objects = []
    for thing in options.objects:
        factor = thing.randomize.size[1] if thing.randomize.size else 1.0
        size = tuple(factor * edge for edge in thing.extents) or None
        objects.append(thing.model_copy(update={"fixed": False, "size": size}))
    return options.model_copy(update={"objects": tuple(objects)})


def _move(data: mujoco.MjData, about: SceneObject, thing: ObjectOptions, rng: np.random.Generator) -> None:
    pose = data.joint(f"{about.name}_free").qpos
    spread, turn = rng.uniform(-1, 1, 2) * (about.area or (0.0, 0.0)), rng.uniform(-1, 1) * (about.turn or 0.0)
    pose[:2] = np.add(about.position[:2], spread)
    pose[3:] = about_z(math.radians(thing.yaw) + float(turn))


def _penetrations(model: mujoco.MjModel, data: mujoco.MjData, scene: Scene) -> dict[frozenset[str], float]:
    """Depths of overlaps by the names of both things [m]."""
    deepest: dict[frozenset[str], float] = {}
    for index in range(data.ncon):
        contact = data.contact[index]
        names = frozenset(_owner(model, int(geom)) for geom in contact.geom)
        if contact.dist < -PENETRATION and len(names) == 2 and names & scene.objects.keys():
            deepest[names] = max(deepest.get(names, 0.0), -float(contact.dist))
    return deepest


def _owner(model: mujoco.MjModel, geom: int) -> str:
    """Name of the outermost body that a geom belongs to."""
    return str(model.body(int(model.body_rootid[model.geom_bodyid[geom]])).name)


def _overlap(pair: frozenset[str], depth: float, when: str) -> Problem:
    if "table" in pair:
        name = next(iter(pair - {"table"}))
        return Problem(name, "position", f"it is {1000 * depth:.0f} mm inside the table. Raise its third number{when}")
    if any(name.startswith(("robot_", "robot2_")) for name in pair):
        name = next(name for name in sorted(pair) if not name.startswith(("robot_", "robot2_")))
        return Problem(name, "position", f"it overlaps the robot by {1000 * depth:.0f} mm. Move it away{when}")
    first, second = sorted(pair)
    text = f"it overlaps '{second}' by {1000 * depth:.0f} mm{when}. Move one of them, or narrow randomize.position"
    return Problem(first, "position", text, other=second)


def unreachable(options: SceneOptions, scene: Scene) -> Iterator[Problem]:
    """Objects that no arm can take hold of with its gripper pointing down, at the corners of their range, too."""
    data = mujoco.MjData(scene.model)
    for thing in options.objects:
        about = scene.objects[thing.name]
        if not about.free:
            continue
        for point in _corners(about):
            reasons = [_reach(scene.model, data, mount, point) for mount in scene.mounts]
            if all(reasons):
                where = ", ".join(f"{x:.2f}" for x in point)
                advice = "Move it, narrow randomize.position, or set fixed = true if nothing is to take it"
                yield Problem(thing.name, "position", f"no arm reaches ({where}) m: {reasons[0]}. {advice}")
                break


def astray(scene: Scene) -> Iterator[Problem]:
    """The object that tasks are about, if the range that they give it is not reached; worth a warning."""
    about = next((about for about in scene.objects.values() if about.free), None)
    if about is None or about.area is not None:
        return
    data = mujoco.MjData(scene.model)
    first, *corners = _corners(replace(about, area=AREA))
    if all(_reach(scene.model, data, mount, first) for mount in scene.mounts):
        return  # told already
    for point in corners:
        if all(_reach(scene.model, data, mount, point) for mount in scene.mounts):
            where, around = ", ".join(f"{x:.2f}" for x in point), " and ".join(f"{x:g}" for x in AREA)
            text = f"a task that is about it draws its place up to {around} m aside, and no arm reaches ({where}) m"
            yield Problem(about.name, "randomize", f"{text}. Say how far it may stand: position = [X, Y]", fatal=False)
            return


def _corners(about: SceneObject) -> Iterator[tuple[float, float, float]]:
    """Grasp points of an object at its position and at the corners of its range, world frame [m]."""
    c, s = math.cos(about.yaw), math.sin(about.yaw)
    gx, gy, gz = about.grasp
    x, y, z = about.position[0] + c * gx - s * gy, about.position[1] + s * gx + c * gy, about.position[2] + gz
    yield x, y, z
    if about.area is not None:
        for sx, sy in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            yield x + sx * about.area[0], y + sy * about.area[1], z


def _reach(model: mujoco.MjModel, data: mujoco.MjData, mount: Mount, point: tuple[float, float, float]) -> str:
    """Why an arm cannot point down at a point; empty if it can."""
    arm = Arm(model, data, mount)
    x, y, z = point
    for axis, value, low, high in zip("xy", (x, y), arm.low, arm.high, strict=False):
        if not low - 0.005 <= value <= high + 0.005:
            return f"its gripper stays within {axis} = {low:.2f} ... {high:.2f}"
    if z > arm.high[2]:
        return f"its gripper stays below z = {arm.high[2]:.2f}"
    mujoco.mj_resetData(model, data)
    try:
        arm.find_home((x, y, max(z, arm.low[2])))
    except RobotError:
        return "its gripper cannot point down there"
    return ""


def unsupported(scene: Scene) -> Iterator[Problem]:
    """Objects that fall or tip over when they are left alone."""
    model = copy.copy(scene.model)
    _ignore_robots(model, scene.mounts)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    bodies = {about.name: data.body(about.name) for about in scene.objects.values() if about.free}
    start = {name: (float(body.xpos[2]), body.xmat[[2, 5, 8]].copy()) for name, body in bodies.items()}
    belts = [data.joint(name).qpos for name in scene.belts]
    for _ in range(round(SECONDS / model.opt.timestep)):
        mujoco.mj_step(model, data)
        for belt in belts:
            belt.fill(0.0)
    for name, body in bodies.items():
        fallen = start[name][0] - float(body.xpos[2])
        tipped = math.acos(min(max(float(start[name][1] @ body.xmat[[2, 5, 8]]), -1.0), 1.0))
        if fallen > FALL:
            advice = "Put it on the table or on something, or set fixed = true"
            yield Problem(name, "position", f"it falls by {1000 * fallen:.0f} mm within {SECONDS:g} s. {advice}")
        elif tipped > TIP and scene.objects[name].kind != "sphere":
            advice = "Give it a broader foot, or support it"
            yield Problem(name, "position", f"it tips by {math.degrees(tipped):.0f} degrees. {advice}")


def _ignore_robots(model: mujoco.MjModel, mounts: Iterable[Mount]) -> None:
    """Lets arms without a controller fall through everything."""
    prefixes = tuple(mount.prefix for mount in mounts)
    for geom in range(model.ngeom):
        if model.body(int(model.geom_bodyid[geom])).name.startswith(prefixes):
            model.geom_contype[geom] = model.geom_conaffinity[geom] = 0


def too_wide(scene: Scene) -> Iterator[Problem]:
    """Free objects that no gripper can close around; worth a warning, since a task may push them."""
    widest = max(opening(scene, mount) for mount in scene.mounts)
    for about in scene.objects.values():
        width = _across(about, turned=len(scene.mounts) > 1)
        if about.free and width > widest:
            text = f"{1000 * width:.0f} mm along y do not fit into a gripper that opens {1000 * widest:.0f} mm"
            yield Problem(about.name, "size", f"{text}. Make it narrower, or turn it by yaw = 90", fatal=False)


def _across(about: SceneObject, *, turned: bool) -> float:
    """What a gripper closes around [m]: along the world's y, or where two arms stand, along the narrower side."""
    along_y = 2 * about.half[1]
    if not math.isclose(about.width, along_y):
        return about.width  # it is held at a rim or an edge
    along_x = 2 * about.half[0]
    if turned:
        return min(along_x, along_y)
    return along_x if abs(math.sin(about.yaw)) > math.sqrt(0.5) else along_y


def opening(scene: Scene, mount: Mount) -> float:
    """Clear width between the fingers of an open gripper [m]."""
    model, data = scene.model, mujoco.MjData(scene.model)
    for joint, position in mount.robot.open_joints:
        data.joint(mount.prefix + joint).qpos = position
    mujoco.mj_kinematics(model, data)
    left, right = (_touching(model, mount.prefix + name) for name in mount.robot.finger_bodies[:2])
    return min((mujoco.mj_geomDistance(model, data, a, b, 0.5, None) for a in left for b in right), default=math.inf)


def _touching(model: mujoco.MjModel, body: str) -> list[int]:
    """Geoms of a body that can touch something."""
    first, count = int(model.body(body).geomadr[0]), int(model.body(body).geomnum[0])
    return [geom for geom in range(first, first + count) if model.geom_contype[geom] or model.geom_conaffinity[geom]]
