"""Errors a user can mend: each says what is wrong, where, and what to do.

The command line prints an `AdversarlError` as one panel and exits with 2; any other exception is a bug and keeps
its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``Did you mean 'rules'?`` for a near miss, else the sorted list of what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"There is: {', '.join(names)}." if names else "There is none."


class AdversarlError(Exception):
    """Base of every error that a user can mend."""


class RecipeError(AdversarlError):
    """A recipe cannot be used: ``file: [table] key: problem``, with what to do."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}" if where else f"{file}: {problem}")


class UnknownComponent(AdversarlError):
    """A name that no installed plugin registered."""

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "", hint: str = "") -> None:
        prefix = f"{where}: " if where else ""
        super().__init__(f"{prefix}no {kind} named '{name}'. {hint or did_you_mean(name, known)}")


class BrokenPlugin(AdversarlError):
    """A recipe needs a component whose plugin failed to load."""

    def __init__(self, kind: str, name: str, distribution: str, cause: str) -> None:
        super().__init__(
            f"{kind} '{name}' comes from {distribution}, which is broken: {cause}. "
            f"Repair it or run: pip install --force-reinstall {distribution}"
        )


class MissingExtra(AdversarlError):
    """A component needs a package that is not installed."""

    def __init__(self, what: str, module: str, install: str) -> None:
        super().__init__(f"{what} needs the package '{module}', which is not installed. Run: pip install {install}")


class DuplicateName(AdversarlError):
    """Two distributions registered the same component."""

    def __init__(self, kind: str, name: str, first: str, second: str) -> None:
        super().__init__(
            f"{kind} '{name}' is registered by both {first} and {second}. Remove one: pip uninstall {second}"
        )


class PluginFileError(AdversarlError):
    """A one-file plugin that cannot be loaded."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class PerturbationError(AdversarlError):
    """A perturbation that the world cannot carry out."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"the world has no {what} '{name}'. {did_you_mean(name, known)}")


class GroundingError(AdversarlError):
    """A prompt that the world does not understand completely."""

    def __init__(self, text: str, not_understood: Iterable[str], axes: Iterable[str]) -> None:
        words = ", ".join(f"'{word}'" for word in not_understood) or "it asks for nothing"
        super().__init__(
            f'prompt "{text}": not understood: {words}. '
            f'This world can change: {", ".join(axes)}. Try: adversarl prompt "{text}"'
        )


class NoTeacher(AdversarlError):
    """A learner wants a teacher's labels and the world has none."""

    def __init__(self, world: str) -> None:
        super().__init__(
            f"{world} has no scripted teacher. Set learner.warm_start_steps = 0 and learner.distillation = 0 "
            "to train from reward alone."
        )


class NoCritic(AdversarlError):
    """Values are asked for, and the learner has no critic of states."""

    def __init__(self, learner: str) -> None:
        super().__init__(f"{learner} estimates no values of states. Use learner 'ppo', or a score that needs none.")


class NoPlayer(AdversarlError):
    """An episode is to be played aside by a policy that is not there."""

    def __init__(self, player: str, remedy: str) -> None:
        super().__init__(f"there is no {player} to play an episode. {remedy}")


class LiveWorld(AdversarlError):
    """A world that shows a service's pictures as they come is asked for what only one of ours can do."""

    def __init__(self, backend: str, problem: str) -> None:
        super().__init__(f"backend '{backend}' shows live streams of a service, {problem}")


class NoGL(AdversarlError):
    """No OpenGL context can be made."""

    def __init__(self, backend: str, cause: str) -> None:
        super().__init__(
            f"no OpenGL context with MUJOCO_GL={backend}: {cause}. Headless Linux: apt-get install -y libegl1 "
            "libegl-mesa0 libgl1-mesa-dri, then MUJOCO_GL=egl. See: adversarl doctor"
        )


class NoVulkan(AdversarlError):
    """The physically based renderer cannot work here."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"backend.renderer = 'pbr' needs Vulkan, which does not work here: {cause}. Debian or Ubuntu: apt-get "
            "install -y mesa-vulkan-drivers libvulkan1. Or set backend.renderer = 'classic'. See: adversarl doctor"
        )


class RunFolderError(AdversarlError):
    """A run folder that cannot be written or resumed."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}")


class Interrupted(AdversarlError):
    """Ctrl-C: the run was saved."""

    def __init__(self, folder: Path, recipe: str) -> None:
        super().__init__(f"stopped and saved. Go on with: adversarl run {recipe} --out {folder} --resume")


class RewardHacked(AdversarlError):
    """The reward's detector calls too much a success, or too little: the run was saved."""

    def __init__(self, folder: Path, recipe: str, alarm: str) -> None:
        again = f"adversarl run {recipe} --out {folder} --resume"
        super().__init__(
            f"saved and stopped: {alarm}. What is trained on it is not the task; measure it with: adversarl bench "
            f"rewards. To go on with it all the same, set watch.on_alarm = 'warn': {again} --set watch.on_alarm=warn"
        )


class NotTrainable(AdversarlError):
    """A reward detector that has nothing to train."""

    def __init__(self, detector: str) -> None:
        super().__init__(f"the reward detector {detector} has nothing to train; see: adversarl plugins list")


class Exhausted(AdversarlError):
    """The world must not go on, such as when a budget is spent: the run was saved."""

    def __init__(self, folder: Path, recipe: str, reason: str) -> None:
        again = f"adversarl run {recipe} --out {folder} --resume"
        super().__init__(f"saved and stopped: {reason}. When that is mended, go on with: {again}")
