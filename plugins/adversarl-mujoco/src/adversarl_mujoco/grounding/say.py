"""The way back: a perturbation as a prompt that grounds to it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.catalog import AXES
from adversarl_mujoco.grounding.lexicon import load

_LIGHTS = ("key", "fill")


def say(perturbation: Perturbation, axes: Sequence[Axis] = AXES) -> str:
    """A prompt that `ground` takes for exactly this perturbation, seed and timing apart.

    Naming the default target asks for the same as naming none, and grounds to None.

    Args:
        perturbation: What is to be said.
        axes: Axes among which its own is.
    """
    phrase = {axis.name: axis.phrase for axis in axes}[perturbation.axis]
    strength = _strength(perturbation.intensity)
    return f"{phrase}{_value(perturbation)}{_target(perturbation.target)} at {strength}"


def _target(target: str | None) -> str:
    if target is None:
        return ""
    if target == "all":
        return " of all lights"
    return f" of the {target} light" if target in _LIGHTS else f" of the {target.replace('_', ' ')}"


def _strength(intensity: float) -> str:
    """A percentage where that is exact, else the number itself."""
    percent = format(100 * intensity, ".12g")
    return f"{percent} %" if "e" not in percent and float(percent) / 100 == intensity else _plain(intensity)


def _plain(number: float) -> str:
    """All digits of a number, without an exponent."""
    return format(Decimal(repr(float(number))), "f")


def _value(perturbation: Perturbation) -> str:
    value = perturbation.value
    if value is None:
        return ""
    if isinstance(value, str):
        return f" to {_words(perturbation.axis, value)}"
    if _takes_vector(perturbation.axis):
        return f" by the vector {' '.join(_plain(x) for x in value)}"
    named = {entry.value: words for words, entry in load().phrases.items() if entry.atoms == ("color",)}
    if value in named:
        return f" to {' '.join(named[value])}"
    return f" to rgb {' '.join(_plain(x) for x in value)}"


def _takes_vector(axis: str) -> bool:
    return any("vector" in frame.values for frame in load().frames if frame.axis == axis)


def _words(axis: str, value: str) -> str:
    """Words for a named value: those of the first atom that means it on this axis."""
    atoms = {name: atom for f in load().frames if f.axis == axis for atom, name in reversed(f.values.items())}
    return " ".join(_first_phrase(atoms.get(name, name)) for name in value.split())


def _first_phrase(atom: str) -> str:
    found = next((words for words, entry in load().phrases.items() if entry.atoms == (atom,)), (atom,))
    return " ".join(found)
