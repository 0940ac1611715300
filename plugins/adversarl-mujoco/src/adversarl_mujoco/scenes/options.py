"""Options of a scene: what stands where. Lengths in metres, angles in degrees, colours RGB in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adversarl.errors import did_you_mean
from adversarl_mujoco.imported import ArmOptions
from adversarl_mujoco.scene import CAMERA_FOVY, CAMERA_POSITION, CAMERA_TARGET, TABLE_HEIGHT
from adversarl_mujoco.scenes.kinds import KINDS, Kind

Share = Annotated[float, Field(ge=0, le=1)]
Color = tuple[Share, Share, Share]
Vector = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0, le=10)]
SIZE_BOUND, MASS_BOUND = 0.5, 3.0
"""Bounds of the axes ``object-size`` (1 +- that) and ``object-mass`` (that, or one over it), which carry out draws."""
SizeFactor = Annotated[float, Field(ge=1 - SIZE_BOUND, le=1 + SIZE_BOUND)]
MassFactor = Annotated[float, Field(ge=1 / MASS_BOUND, le=MASS_BOUND)]
NAME = r"^[a-z][a-z0-9_-]*$"
RESERVED = ("table", "floor", "backdrop", "background", "pedestal", "occluder", "robot", "robot2", "world", "object")
"""Names of the world's own parts."""


class Options(BaseModel):
    """What all tables of a scene have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RandomizeOptions(Options):
    """Keys of ``randomize``: what is drawn anew for every episode."""

    position: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]] | None = Field(
        None, description="Half ranges along x and y about the position [m]; default: the task's own."
    )
    yaw: float | None = Field(
        None, ge=0, le=180, description="Half range of the rotation about z [degree]; default: the task's own."
    )
    size: tuple[SizeFactor, SizeFactor] | None = Field(
        None, description="Factors of the size at the same density, from and to, in [0.5, 1.5]."
    )
    mass: tuple[MassFactor, MassFactor] | None = Field(
        None, description="Factors of the mass, from and to, in [1/3, 3]."
    )
    color: bool = Field(False, description="Whether the colour is drawn, too.")

    @field_validator("size", "mass")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError(f"must be [from, to] with from <= to; write [{value[1]}, {value[0]}]")
        return value

    @property
    def varies(self) -> bool:
        """Whether anything but the pose is drawn."""
        return self.color or self.size is not None or self.mass is not None


class ObjectOptions(Options):
    """Keys of an object, ``[objects.NAME]`` or ``[[objects]]``."""

    name: str = Field(pattern=NAME, max_length=40, description="What tasks and prompts call it.")
    type: str = Field(description="box, sphere, cup, ...: see 'adversarl scene list'.")
    size: tuple[Positive, ...] | None = Field(
        None, description="Full extents [m], as 'adversarl scene list' names them; default: the type's."
    )
    mass: float | None = Field(None, gt=0, le=100, description="Mass [kg]; default: the type's.")
    color: Color | None = Field(None, description="RGB in [0, 1]; default: the type's.")
    position: tuple[float, ...] = Field(
        (0.0, 0.0),
        min_length=2,
        max_length=3,
        description="x, y of its middle and, if it is not on the table, the height of its underside above it [m].",
    )
    yaw: float = Field(0.0, ge=-180, le=180, description="Rotation about z [degree].")
    friction: float = Field(1.0, gt=0, le=10, description="Sliding friction [1].")
    fixed: bool | None = Field(None, description="Whether it stands fast; default: bin, conveyor, shelf, socket do.")
    speed: float = Field(0.1, ge=-1, le=1, description="Speed of a conveyor's belt along its x [m/s].")
    file: str | None = Field(None, description="File of a mesh (OBJ, STL) or mjcf; relative to the scene's file.")
    randomize: RandomizeOptions = Field(RandomizeOptions(), description="What every episode draws anew.")

    @field_validator("name")
    @classmethod
    def _free_name(cls, value: str) -> str:
        if value in RESERVED or value.startswith(("distractor", "obstacle_", "robot_", "robot2_", "clutter", "tex_")):
            raise ValueError(f"'{value}' is a part of the world. Choose another name, such as 'my_{value}'")
        return value

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in KINDS:
            raise ValueError(f"there is no object type '{value}'. {did_you_mean(value, KINDS)}")
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> ObjectOptions:
        labels = tuple(self.kind.sizes)
        if self.size is not None and len(self.size) != len(labels):
            meaning = ", ".join(labels) or "nothing"
            raise ValueError(f"size of a {self.type} is [{meaning}] in metres, not {len(self.size)} numbers")
        if (self.file is None) != (self.kind.build is not None):
            what = "takes no file" if self.file else 'needs file = "PATH"'
            raise ValueError(f"type '{self.type}' {what}. Types with a file are mesh and mjcf")
        self._check_variation()
        return self

    def _check_variation(self) -> None:
        spread = self.randomize
        if spread.size is not None and (self.stands_fast or self.file is not None):
            raise ValueError("randomize.size needs an object of primitives that can move. Leave it out")
        if spread.mass is not None and self.stands_fast:
            raise ValueError("randomize.mass of an object that stands fast changes nothing. Leave it out")

    @property
    def kind(self) -> Kind:
        """Its type."""
        return KINDS[self.type]

    @property
    def extents(self) -> tuple[float, ...]:
        """Its sizes in the order of `Kind.sizes` [m]."""
        return self.size or tuple(self.kind.sizes.values())

    @property
    def stands_fast(self) -> bool:
        """Whether it cannot move."""
        return self.kind.fixed if self.fixed is None else self.fixed


class RobotOptions(Options):
    """Keys of a robot, ``[[robots]]``."""

    name: str = Field("panda", description="panda (embedded), menagerie:NAME or file:PATH (any MJCF arm).")
    arm: ArmOptions | None = Field(None, description="What the names in a foreign robot's file mean.")
    gripper: str | None = Field(
        None,
        description="hand or robotiq (embedded), or file:PATH, whose names arm then means; default: the robot's own.",
    )
    base: Vector | None = Field(
        None,
        description="Its base, world frame [m]; default: behind the table, two robots 0.6 m beside each other.",
    )
    yaw: float = Field(0.0, ge=-180, le=180, description="Rotation of the base about z [degree]; 0 looks along +x.")


class CameraOptions(Options):
    """Keys of a camera, ``[[cameras]]``; the first takes the observation's picture."""

    name: str = Field("front", pattern=NAME, description="Its name.")
    position: Vector = Field(CAMERA_POSITION, description="World frame [m].")
    target: Vector = Field(CAMERA_TARGET, description="Point at the centre of the picture, world frame [m].")
    fovy: float = Field(CAMERA_FOVY, gt=1, lt=170, description="Vertical field of view [degree].")


class LightOptions(Options):
    """Keys of a light, ``[[lights]]``; it points at the middle of the table."""

    name: str = Field(pattern=NAME, description="Its name; key and fill are those that prompts mean.")
    position: Vector = Field(description="World frame [m].")
    diffuse: float = Field(0.6, ge=0, le=2, description="Intensity [1].")
    specular: float = Field(0.3, ge=0, le=2, description="Intensity of its highlights [1].")

    @field_validator("name")
    @classmethod
    def _free_name(cls, value: str) -> str:
        if value == "sun" or value.startswith("lamp_"):
            raise ValueError(f"'{value}' is a light of the world. Choose another name, such as 'my_{value}'")
        return value


class TableOptions(Options):
    """Keys of ``[table]``; its top is 0.40 m above the floor."""

    size: tuple[Positive, Positive] = Field((0.76, 1.0), description="Edges along x and y [m].")
    color: Color = Field((0.72, 0.60, 0.46), description="RGB in [0, 1].")
    friction: float = Field(1.0, gt=0, le=10, description="Sliding friction [1].")


CUBE = "cube"
LIGHTS = (
    LightOptions(name="key", position=(0.7, -0.8, 2.0), diffuse=0.62, specular=0.3),
    LightOptions(name="fill", position=(0.3, 1.3, 1.6), diffuse=0.22, specular=0.0),
)
BASES: tuple[tuple[Vector, ...], ...] = (
    ((-0.5, 0.0, TABLE_HEIGHT),),
    ((-0.5, -0.3, TABLE_HEIGHT), (-0.5, 0.3, TABLE_HEIGHT)),
)
"""Bases of one robot, and of two: seen from the robots, the first stands right."""


class SceneOptions(Options):
    """A scene: keys of a scene file, or of ``[backend.scene]``."""

    objects: tuple[ObjectOptions, ...] = Field(
        (ObjectOptions(name=CUBE, type="box"),),
        min_length=1,
        max_length=40,
        description="Things on the table; the first is what tasks are about unless they name another.",
    )
    robots: tuple[RobotOptions, ...] = Field(
        (RobotOptions(),), min_length=1, max_length=2, description="One arm, or two."
    )
    cameras: tuple[CameraOptions, ...] = Field(
        (CameraOptions(),), min_length=1, description="Cameras; the first takes the observation's picture."
    )
    lights: tuple[LightOptions, ...] = Field(LIGHTS, max_length=8, description="Lights; key and fill must be there.")
    table: TableOptions = Field(TableOptions(), description="The table.")

    @field_validator("objects", "cameras", "lights", mode="before")
    @classmethod
    def _named_tables(cls, value: Any) -> Any:
        """``[objects.cup]`` is ``[[objects]]`` with ``name = "cup"``."""
        if isinstance(value, dict):
            return tuple({"name": name, **table} if isinstance(table, dict) else table for name, table in value.items())
        return value

    @field_validator("objects", "cameras", "lights")
    @classmethod
    def _different(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        twice = _repeated(item.name for item in value)
        if twice is not None:
            raise ValueError(f"two are called '{twice}'. Give one another name")
        return value

    @field_validator("lights")
    @classmethod
    def _has_key_and_fill(cls, value: tuple[LightOptions, ...]) -> tuple[LightOptions, ...]:
        missing = {"key", "fill"} - {light.name for light in value}
        if missing:
            raise ValueError(
                f"there must be a light called '{min(missing)}', which prompts mean. Add it, or leave out lights"
            )
        return value

    @property
    def bases(self) -> tuple[Vector, ...]:
        """Base of each robot, world frame [m]."""
        usual = BASES[len(self.robots) - 1]
        return tuple(robot.base or base for robot, base in zip(self.robots, usual, strict=True))


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
