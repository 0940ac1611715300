"""What is wrong with a task's table once the scene is known."""

from __future__ import annotations

from adversarl.errors import AdversarlError, did_you_mean
from adversarl_mujoco.parts import Scene, SceneObject


class TaskError(AdversarlError):
    """A task that this scene cannot have."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"[backend] task.{key}: {problem}")


def object_of(scene: Scene, name: str | None, key: str, *, free: bool) -> SceneObject:
    """An object of the scene that a task names; its first one if it names none.

    Args:
        scene: The scene.
        name: What the task's table says.
        key: Where it says so, such as ``target``.
        free: Whether the object must be able to move.

    Raises:
        TaskError: There is none of that name, or none that can move.
    """
    known = {about.name: about for about in scene.objects.values() if about.free or not free}
    kind = "movable object" if free else "object"
    if not known:
        raise TaskError(key, f"the scene has no {kind}. Add one: [[backend.scene.objects]]")
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise TaskError(key, f"the scene has no {kind} '{name}'. {did_you_mean(name, known)}")
    return known[name]


def vessel_of(scene: Scene, name: str | None, key: str, target: str | None) -> tuple[SceneObject, float]:
    """An object of the scene that can hold another one, and the radius of its hollow [m].

    Args:
        scene: The scene.
        name: What the task's table says; the first hollow object if it says nothing.
        key: Where it says so, such as ``into``.
        target: The object that shall go into it; the scene's first one that can move if None.

    Raises:
        TaskError: There is none of that name, or none that is hollow, or no such target.
    """
    target = object_of(scene, target, "target", free=True).name
    known = {about.name: about for about in scene.objects.values() if about.hollow and about.name != target}
    if not known:
        advice = "Add one: [[backend.scene.objects]] type = 'socket'"
        raise TaskError(key, f"the scene has no hollow object beside '{target}'. {advice}")
    if name == target:
        raise TaskError(key, f"'{name}' cannot go into itself. Name another object")
    if name is not None and name not in known:
        raise TaskError(key, f"the scene has no hollow object '{name}'. {did_you_mean(name, known)}")
    about = known[name or next(iter(known))]
    assert about.hollow is not None
    return about, about.hollow[0]
