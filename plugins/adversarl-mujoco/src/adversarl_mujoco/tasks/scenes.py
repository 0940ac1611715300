"""Scenes that tasks have unless a recipe gives another."""

from __future__ import annotations

from adversarl_mujoco.scenes.kinds import KINDS
from adversarl_mujoco.scenes.options import ObjectOptions, RandomizeOptions, SceneOptions


def around(target: str | None) -> SceneOptions:
    """The target alone on the table if its name is an object type, such as ``cup``; else the cube."""
    if target is not None and _is_kind(target):
        return SceneOptions(objects=(ObjectOptions(name=target, type=target),))
    return SceneOptions()


def beside(target: str | None, onto: str | None) -> SceneOptions:
    """`around` the target, and to the left of it what it is to be put onto, if that name is an object type."""
    scene = around(target)
    if onto is None or not _is_kind(onto):
        return scene
    first = scene.objects[0]
    right = first.model_copy(update={"position": (0.0, 0.1), "randomize": RandomizeOptions(position=(0.09, 0.05))})
    left = ObjectOptions(
        name=onto, type=onto, position=(0.02, -0.13), randomize=RandomizeOptions(position=(0.05, 0.02))
    )
    return SceneOptions(objects=(right, left))


def _is_kind(name: str) -> bool:
    """Whether it is an object type that needs no file."""
    return name in KINDS and KINDS[name].build is not None
