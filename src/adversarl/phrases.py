"""Which axes a curriculum works with, and how to ask for them in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adversarl.errors import GroundingError, PerturbationError
from adversarl.interfaces.curriculum import World
from adversarl.types import Axis, Grounding


def chosen_axes(world: World, names: Sequence[str]) -> tuple[Axis, ...]:
    """The axes of a world with these names, or all of them when no names are given.

    Raises:
        PerturbationError: A name that the world does not have.
    """
    known = {axis.name: axis for axis in world.axes}
    for name in names:
        if name not in known:
            raise PerturbationError("axis", name, known)
    return tuple(known[name] for name in names) or world.axes


def prompt_for(percents: Mapping[str, int], phrases: Mapping[str, str]) -> str:
    """One prompt with a clause per axis: ``move the light at 30 %, tilt the camera at 30 % and ...``.

    Args:
        percents: Intensity of each axis in percent, 1 to 100.
        phrases: The axes' phrases, by name.
    """
    clauses = [f"{phrases[name]} at {percent} %" for name, percent in percents.items()]
    head, last = ", ".join(clauses[:-1]), clauses[-1]
    return f"{head} and {last}" if head else last


def understood(world: World, text: str) -> Grounding:
    """Grounds a prompt that the world has to understand completely.

    Raises:
        GroundingError: It does not.
    """
    grounding = world.ground(text)
    if not grounding.complete:
        raise GroundingError(text, grounding.not_understood, [axis.name for axis in world.axes])
    return grounding


def phrases_of(world: World, axes: Sequence[Axis]) -> dict[str, str]:
    """The phrase of each axis, after checking that the world takes it for that axis.

    Raises:
        GroundingError: A phrase that the world takes for something else, or not at all.
    """
    for axis in axes:
        text = prompt_for({axis.name: 50}, {axis.name: axis.phrase})
        if {p.axis for p in understood(world, text).perturbations} != {axis.name}:
            raise GroundingError(text, [axis.phrase], [a.name for a in world.axes])
    return {axis.name: axis.phrase for axis in axes}
