"""Robots from elsewhere: MuJoCo Menagerie, and any MJCF arm with a gripper."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import mujoco
from pydantic import BaseModel, ConfigDict, Field

from adversarl.errors import MissingExtra, did_you_mean
from adversarl_mujoco.adapter import Adapter
from adversarl_mujoco.grippers import FLANGE_TURN, GRIPPERS
from adversarl_mujoco.robot import FLANGE, HOME, Robot, RobotError, panda, panda_arm


class ArmOptions(BaseModel):
    """Keys of ``[backend.arm]``: what the names in a foreign MJCF file mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    end_effector: str = Field(description="Site or body that the grasp point is fixed to; its z axis leaves the hand.")
    flange: str | None = Field(
        None, description="Site or body of the arm that a gripper from another file is mounted on; z leaves the arm."
    )
    offset: tuple[float, float, float] = Field((0, 0, 0), description="Grasp point in that frame [m].")
    yaw: float = Field(
        0.0, ge=-180, le=180, description="Rotation about z after which the fingers open along y [degree]."
    )
    fingers: tuple[str, str] = Field(description="Bodies that touch the object on either side.")
    gripper: str = Field(description="Actuator that opens and closes the gripper.")
    closed: Literal["low", "high"] = Field("low", description="End of the actuator's control range that closes it.")
    home: tuple[float, ...] | None = Field(
        None,
        description="Joint angles with the gripper over the table [rad]; default: the file's keyframe, or mid-range.",
    )


PRESETS = {
    "franka_emika_panda": ArmOptions.model_validate(
        {
            "end_effector": "hand",
            "offset": (0.0, 0.0, 0.1034),
            "fingers": ("left_finger", "right_finger"),
            "gripper": "actuator8",
        }
    )
}
"""Arms of MuJoCo Menagerie that need no ``[backend.arm]``."""


def load_robot(name: str, arm: ArmOptions | None = None, gripper: str | None = None) -> Robot:
    """Loads a robot.

    Args:
        name: ``panda``, ``menagerie:NAME`` or ``file:PATH``.
        arm: The meaning of names in the file; None where it is known. With a gripper from a file: of the names there.
        gripper: ``hand`` or ``robotiq`` (embedded), or ``file:PATH``; None is the robot's own.

    Raises:
        RobotError: There is no such robot or file, it cannot be downloaded, or a name is not in it.
        MissingExtra: ``mujoco-menagerie`` is not installed.
    """
    held = _gripper_file(gripper)
    if name == "panda":
        return panda(gripper or "hand") if held is None else _with_gripper(f"panda with {gripper}", None, held, arm)
    kind, _, rest = name.partition(":")
    if kind == "menagerie" and rest:
        path, arm = _menagerie_file(rest), arm or PRESETS.get(rest)
    elif kind == "file" and rest:
        path = _there(rest)
    else:
        raise RobotError(f"'{name}' is no robot. Use panda, menagerie:NAME or file:PATH")
    if held is not None:
        return _with_gripper(f"{name} with {gripper}", path, held, arm)
    if gripper is not None:
        raise RobotError(f"'{name}' has a gripper of its own; gripper = '{gripper}' is for robot = \"panda\"")
    return _adapt(name, path, arm)


def _there(path: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise RobotError(f"there is no file {found}")
    return found


def _gripper_file(gripper: str | None) -> Path | None:
    """File of a gripper; None for the embedded ones."""
    if gripper is None or gripper in GRIPPERS:
        return None
    kind, _, rest = gripper.partition(":")
    if kind == "file" and rest:
        return _there(rest)
    raise RobotError(f"'{gripper}' is no gripper. Use {', '.join(GRIPPERS)} or file:PATH")


def _with_gripper(name: str, arm_file: Path | None, gripper_file: Path, arm: ArmOptions | None) -> Robot:
    """An arm with a gripper of another file on its flange; names of the gripper get the prefix ``gripper_``."""
    if arm is None:
        raise RobotError(
            f"'{name}' needs the table arm with end_effector, fingers and gripper, as the gripper's file says"
        )
    try:
        hand = mujoco.MjSpec.from_file(str(gripper_file))
        spec = None if arm_file is None else mujoco.MjSpec.from_file(str(arm_file))
        spec = _mount(spec, hand, arm, arm_file)
        model = spec.compile()
    except ValueError as error:
        raise RobotError(f"{name} does not compile: {error}") from error
    mounted: dict[str, Any] = {
        "end_effector": f"gripper_{arm.end_effector}",
        "fingers": tuple(f"gripper_{finger}" for finger in arm.fingers),
        "gripper": f"gripper_{arm.gripper}",
    }
    if arm_file is None and arm.home is None:
        mounted["home"] = HOME
    return Adapter(gripper_file, spec, model, arm.model_copy(update=mounted)).robot()


def _mount(spec: mujoco.MjSpec | None, hand: mujoco.MjSpec, arm: ArmOptions, arm_file: Path | None) -> mujoco.MjSpec:
    """Attaches a gripper to an arm's flange; the embedded arm's where there is no spec."""
    for key in list(hand.keys):
        hand.delete(key)  # a keyframe of the gripper alone says nothing about the arm
    if spec is None:
        spec, last = panda_arm()
        half = FLANGE_TURN / 2
        frame = last.add_frame(pos=[0, 0, FLANGE], quat=[math.cos(half), 0, 0, math.sin(half)])
        spec.attach(hand, prefix="gripper_", frame=frame)
        return spec
    if arm.flange is None:
        raise RobotError(f'{arm_file}: a gripper is to be mounted on it. Say where: flange = "SITE_OR_BODY"')
    site, body = spec.site(arm.flange), spec.body(arm.flange)
    if site is None and body is None:
        names = [element.name for element in (*spec.sites, *spec.bodies) if element.name]
        raise RobotError(f"{arm_file} has no site or body '{arm.flange}'. {did_you_mean(arm.flange, names)}")
    if site is not None:
        spec.attach(hand, prefix="gripper_", site=site)
    else:
        spec.attach(hand, prefix="gripper_", frame=body.add_frame())
    return spec


def _menagerie_file(name: str) -> Path:
    """The model file of a Menagerie robot, downloaded on first use."""
    try:
        import mujoco_menagerie
    except ModuleNotFoundError as error:
        install = "'adversarl-mujoco[menagerie]'"
        raise MissingExtra(f"robot 'menagerie:{name}'", "mujoco_menagerie", install) from error
    if name not in mujoco_menagerie.names():
        raise RobotError(f"MuJoCo Menagerie has no '{name}'. {did_you_mean(name, mujoco_menagerie.names())}")
    robot = mujoco_menagerie.get(name)
    try:
        return Path(robot.xml(robot.default_model))
    except (mujoco_menagerie.MenagerieError, OSError) as error:
        raise RobotError(
            f"'menagerie:{name}' cannot be downloaded: {error}. Set MENAGERIE_ROOT to a checkout of "
            'mujoco_menagerie, or use the embedded robot = "panda"'
        ) from error


def _adapt(name: str, path: Path, arm: ArmOptions | None) -> Robot:
    if arm is None:
        raise RobotError(f"'{name}' needs the table [backend.arm] with end_effector, fingers and gripper")
    try:
        spec = mujoco.MjSpec.from_file(str(path))
        model = spec.compile()
    except ValueError as error:
        raise RobotError(f"{path} does not compile: {error}") from error
    return Adapter(path, spec, model, arm).robot()
