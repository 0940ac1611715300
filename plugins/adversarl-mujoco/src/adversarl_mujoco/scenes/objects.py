"""Objects of a scene: from their options to bodies in a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mujoco

from adversarl_mujoco.parts import SceneObject, Variation
from adversarl_mujoco.scene import TABLE_HEIGHT, add_skin
from adversarl_mujoco.scenes.bodies import Body, Part, about_z
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.files import add_file, measure
from adversarl_mujoco.scenes.options import ObjectOptions

BELT_GAIN = 500.0
"""How strongly a belt's motor holds its speed [N s/m]."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An object with its place.

    Attributes:
        options: What was asked for.
        body: What it is made of.
        about: What tasks and axes know of it.
    """

    options: ObjectOptions
    body: Body
    about: SceneObject

    @property
    def belts(self) -> tuple[str, ...]:
        """Joints of its belts."""
        return tuple(f"{self.about.name}_belt" for part in self.body.parts if part.moving)


def place(options: ObjectOptions, source: str = "scene") -> Placed:
    """Finds out how large an object is, and puts it onto the table.

    Raises:
        SceneError: Its file cannot be read, or its size leaves no room for its parts.
    """
    build = options.kind.build
    body = build(options.extents) if build is not None else measure(options, source)
    if not all(part.sound for part in body.parts):
        usual = ", ".join(f"{label} {value:g}" for label, value in options.kind.sizes.items())
        problem = f"a {options.type} of {list(options.extents)} m has no room for its parts. Its usual size: {usual}"
        raise SceneError(source, f"[objects.{options.name}] size", problem)
    x, y, *above = options.position
    z = TABLE_HEIGHT + (above[0] if above else 0.0) + body.half[2]
    spread = options.randomize
    about = SceneObject(
        options.name,
        options.type,
        body.half,
        (x, y, z),
        free=not options.stands_fast,
        yaw=math.radians(options.yaw),
        area=spread.position,
        turn=None if spread.yaw is None else math.radians(spread.yaw),
        grasp=body.grasp,
        width=body.width,
        hollow=body.hollow,
        variation=Variation(spread.size, spread.mass, spread.color) if spread.varies else None,
    )
    return Placed(options, body, about)


def add_object(spec: mujoco.MjSpec, thing: Placed) -> None:
    """Adds an object's body, joint, geoms and skins under the names that axes rely on."""
    options, about = thing.options, thing.about
    body = spec.worldbody.add_body(name=about.name, pos=list(about.position), quat=list(about_z(about.yaw)))
    if about.free:
        body.add_freejoint(name=f"{about.name}_free")
    if options.file is not None:
        add_file(spec, body, options, thing.body, touching(options))
        return
    own = [part for part in thing.body.parts if not part.moving]
    density = (options.mass or options.kind.mass) / sum(part.volume for part in own)
    for index, part in enumerate(own):
        name = about.name if len(own) == 1 else f"{about.name}_{index}"
        _add_part(spec, body, name, part, thing, density * part.volume)
        add_skin(body, name, part.shape, part.size, part.position, part.quaternion)
    for part in thing.body.parts:
        if part.moving:
            _add_belt(spec, body, part, thing)


def _add_belt(spec: mujoco.MjSpec, parent: mujoco.MjsBody, part: Part, thing: Placed) -> None:
    """Adds a belt: a box that really moves at the belt's speed; the simulation puts it back after every control step.

    MuJoCo has no moving surfaces, but contacts feel the velocity of a body, not where it came from. Its motor's force
    is gain (speed - velocity) by its bias alone, so it needs no control.
    """
    name = f"{thing.about.name}_belt"
    belt = parent.add_body(name=name)
    belt.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
    _add_part(spec, belt, name, part, thing, 1.0)
    # A body that stands fast would otherwise hold it, since MuJoCo lets parents at rest touch their children.
    spec.add_exclude(bodyname1=parent.name, bodyname2=name)
    motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    motor.gaintype, motor.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
    motor.gainprm[0] = 0.0
    motor.biasprm[:3] = (BELT_GAIN * thing.options.speed, 0.0, -BELT_GAIN)


def _add_part(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, part: Part, thing: Placed, mass: float) -> None:
    body.add_geom(
        name=name,
        type=part.shape,
        pos=list(part.position),
        quat=list(part.quaternion),
        size=list(part.size),
        mass=mass,
        material=_material(spec, thing.about.name, part.tone),
        **touching(thing.options),
    )


def _material(spec: mujoco.MjSpec, name: str, tone: float) -> str:
    """The object's material, or the one of a brighter or darker part of it, added on first use."""
    if tone == 1.0:
        return f"mat_{name}"
    toned = f"mat_{name}_{round(100 * tone)}"
    if spec.material(toned) is None:
        rgb = [min(float(tone * channel), 1.0) for channel in spec.material(f"mat_{name}").rgba[:3]]
        spec.add_material(name=toned, rgba=[*rgb, 1], specular=0.15, shininess=0.25)
    return toned


def touching(options: ObjectOptions) -> dict[str, Any]:
    """Keys of a geom that touches everything but the arms' links."""
    return {
        "contype": 1,
        "conaffinity": 3,
        "condim": 3,
        "friction": [options.friction, 0.005, 0.0001],
        "solref": [0.01, 1],
    }
