"""Surfaces: colour and texture of table, object, background and robot."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import DRAWS, Draws, ObjectAxis, WorldAxis
from adversarl_mujoco.axes.colors import Color, distant_color
from adversarl_mujoco.axes.stage import Handle, Stage
from adversarl_mujoco.textures import PATTERNS, pattern_of

Rgb = NDArray[np.float32]
FAR = 0.5
"""Least distance in the RGB cube between a drawn colour and the nominal one."""
_COLOSSEUM = "THE COLOSSEUM (arXiv:2402.08191)"


class SurfaceColor(WorldAxis):
    """Mixes the nominal colour with another one. Value: that colour's RGB; else one drawn at least `FAR` away."""

    numbers = 3
    rgb = True
    things = tuple((start, start + 1, start + 2) for start in range(0, DRAWS, 3))

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Moves the colour by intensity along the way from nominal to the other."""
        if not perturbation.intensity:
            return
        value = perturbation.value
        target = perturbation.target
        color = self.drawn(stage, target, u) if value is None else value
        self.paint(stage, target, np.array(color, dtype=np.float32), perturbation.intensity)

    @abstractmethod
    def drawn(self, stage: Stage, target: str | None, u: Draws) -> Color:
        """A colour to go to."""

    @abstractmethod
    def paint(self, stage: Stage, target: str | None, color: Rgb, mix: float) -> None:
        """Mixes a colour in."""


def _mix(rows: NDArray[np.float32], chosen: Iterable[int], color: Rgb, mix: float) -> None:
    """Mixes a colour into some rows of colours. Shape (n, 4)."""
    for row in chosen:
        rgb = rows[row, :3]
        rgb += np.float32(mix) * (color - rgb)


def _paint(stage: Stage, handle: Handle, color: Rgb, mix: float) -> None:
    """Mixes a colour into an object's materials, and into its geoms that have none."""
    _mix(stage.mat_rgba, handle.materials, color, mix)
    _mix(stage.geom_rgba, handle.bare, color, mix)


class MaterialColor(SurfaceColor):
    """Colour of a material that one thing alone has."""

    def __init__(self, spec: Axis, material: str) -> None:
        self.spec = spec
        self.material = material

    def drawn(self, stage: Stage, target: str | None, u: Draws) -> Color:
        """Far from the nominal colour."""
        return distant_color(u, [stage.nominal_rgba[stage.materials[self.material]]], FAR)

    def paint(self, stage: Stage, target: str | None, color: Rgb, mix: float) -> None:
        """Mixes a colour into the material."""
        _mix(stage.mat_rgba, [stage.materials[self.material]], color, mix)


class ObjectColor(SurfaceColor, ObjectAxis):
    """Colour of all parts of an object."""

    def __init__(self, spec: Axis) -> None:
        self.spec = spec

    def drawn(self, stage: Stage, target: str | None, u: Draws) -> Color:
        """Far from the nominal colours of the object and of the table, which it must stand out from."""
        handle = self.handle(stage, target)
        own = stage.nominal_rgba[handle.materials[0]] if handle.materials else stage.geom_rgba[handle.bare[0], :3]
        return distant_color(u, [own, stage.nominal_rgba[stage.materials["table"]]], FAR)

    def paint(self, stage: Stage, target: str | None, color: Rgb, mix: float) -> None:
        """Mixes a colour into them."""
        _paint(stage, self.handle(stage, target), color, mix)


class RobotColor(SurfaceColor):
    """Colour of every part of the robot, whatever materials it brings along."""

    def __init__(self, spec: Axis) -> None:
        self.spec = spec

    def drawn(self, stage: Stage, target: str | None, u: Draws) -> Color:
        """Far from the nominal colour of its first material."""
        first = stage.robot_materials[:1]
        return distant_color(u, [stage.nominal_rgba[index] for index in first], FAR)

    def paint(self, stage: Stage, target: str | None, color: Rgb, mix: float) -> None:
        """Mixes a colour into its materials, and into its geoms that have none."""
        for array, rows in ((stage.mat_rgba, stage.robot_materials), (stage.geom_rgba, stage.robot_geoms)):
            if len(rows):
                array[rows, :3] += np.float32(mix) * (color - array[rows, :3])


def _alpha(share: float) -> float:
    """Opacity with which a skin makes up a share of what is seen: MuJoCo draws what is transparent twice."""
    return 1 - math.sqrt(1 - share)


def _share(alpha: float) -> float:
    return 1 - (1 - float(alpha)) ** 2


class SurfaceTexture(WorldAxis):
    """Covers a surface with a textured skin whose opacity is the intensity: a true mix of nominal and texture.

    Value: a pattern of `adversarl_mujoco.textures.PATTERNS`, or a texture of the pool such as ``tex_003``.
    """

    def __init__(self, spec: Axis, skin: str) -> None:
        self.spec = spec
        self.skin = skin

    def known(self, stage: Stage) -> tuple[str, ...]:
        """Patterns that the pool has, and its textures."""
        names = tuple(stage.textures)
        return (*dict.fromkeys(pattern_of(index) for index in range(len(names))), *names)

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Draws a texture among those meant, and lays it over the surface."""
        if not perturbation.intensity:
            return
        value = perturbation.value
        pool = list(stage.textures.values())
        if value in PATTERNS:
            pool = [material for index, material in enumerate(pool) if pattern_of(index) == value]
        elif isinstance(value, str):
            pool = [stage.textures[value]]
        skins = list(self.skins(stage, perturbation.target))
        stage.geom_matid[skins] = pool[int(u[0] * len(pool))]
        stage.geom_rgba[skins] = (1.0, 1.0, 1.0, _alpha(perturbation.intensity))
        if perturbation.intensity == 1:  # what is covered completely need not be drawn
            stage.geom_rgba[[stage.below[skin] for skin in skins], 3] = 0

    def skins(self, stage: Stage, target: str | None) -> tuple[int, ...]:
        """The geoms that show the texture."""
        del target
        return (stage.skins[self.skin],)


class RobotTexture(SurfaceTexture):
    """The same for every part of the robot."""

    def __init__(self, spec: Axis) -> None:
        super().__init__(spec, "")

    def skins(self, stage: Stage, target: str | None) -> tuple[int, ...]:
        """Those of all arms."""
        del target
        return stage.robot_skins


class ObjectTexture(SurfaceTexture, ObjectAxis):
    """The same for an object."""

    def __init__(self, spec: Axis) -> None:
        super().__init__(spec, "")

    def skins(self, stage: Stage, target: str | None) -> tuple[int, ...]:
        """Those of the object's geoms."""
        return self.handle(stage, target).skins

    def able(self, handle: Handle) -> bool:
        """Whether it has skins; objects from MJCF files have none."""
        return bool(handle.skins)


class Camouflage(ObjectAxis):
    """Makes an object look like something else. Value: ``table`` (without one, too), ``background`` or ``robot``."""

    spec = Axis(
        name="object-camouflage",
        group="visual",
        summary="The object has the colour and the texture of the table, the background or the robot.",
        unit="share of the other's look",
        nominal="0",
        bound="1; only its shading then tells it apart",
        source="ours: the end of THE COLOSSEUM's target colour (arXiv:2402.08191)",
        phrase="camouflage the object",
    )
    names = ("table", "background", "robot")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Mixes in the colour that the other has by now, and what texture lies over it."""
        del u
        i = perturbation.intensity
        if not i:
            return
        material, skin = _look(stage, perturbation.value or self.names[0])
        handle = self.handle(stage, perturbation.target)
        _paint(stage, handle, stage.mat_rgba[material, :3].copy(), i)
        skins = list(handle.skins)
        stage.geom_rgba[[stage.below[covering] for covering in skins], 3] = 1
        opacity = _share(stage.geom_rgba[skin, 3]) if skin is not None else 0.0
        if opacity:
            stage.geom_matid[skins] = stage.geom_matid[skin]
            stage.geom_rgba[skins] = (1.0, 1.0, 1.0, _alpha(i * opacity))
        elif skins:
            stage.geom_rgba[skins, 3] = _alpha((1 - i) * _share(stage.geom_rgba[skins[0], 3]))


def _look(stage: Stage, name: object) -> tuple[int, int | None]:
    """Material and skin of something that an object can look like."""
    if name == "robot":
        return int(stage.robot_materials[0]), next(iter(stage.robot_skins), None)
    thing = "table" if name == "table" else "backdrop"
    return stage.materials[thing], stage.skins[thing]


def _color(thing: str, bound: str = "any RGB") -> Axis:
    return Axis(
        name=f"{thing}-color",
        group="visual",
        summary=f"The {thing} has another colour.",
        unit="RGB",
        nominal="its own colour",
        bound=f"{bound}, drawn at least {FAR} away in RGB",
        source=_COLOSSEUM,
        phrase=f"recolor the {thing}",
    )


def _texture(thing: str) -> Axis:
    return Axis(
        name=f"{thing}-texture",
        group="visual",
        summary=f"The {thing} is covered with a pattern.",
        unit="opacity of the texture",
        nominal="0",
        bound="1, any texture of the pool",
        source=f"{_COLOSSEUM}: 213 textures; ours are procedural",
        phrase=f"retexture the {thing}",
    )


# Textures come before colours, because a skin hides the colour below it in proportion to its opacity; camouflage comes
# last, because it takes over what the others have made of its model.
SURFACE_AXES: tuple[WorldAxis, ...] = (
    SurfaceTexture(_texture("table"), "table"),
    ObjectTexture(_texture("object")),
    SurfaceTexture(_texture("background"), "backdrop"),
    RobotTexture(_texture("robot")),
    MaterialColor(_color("table"), "table"),
    ObjectColor(_color("object")),
    MaterialColor(_color("background"), "backdrop"),
    MaterialColor(_color("floor"), "floor"),
    RobotColor(_color("robot")),
    Camouflage(),
)
