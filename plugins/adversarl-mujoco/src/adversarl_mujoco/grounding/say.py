"""The way back: a perturbation as a prompt that grounds to it."""

from __future__ import annotations

from collections.abc import Sequence

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.catalog import AXES
from adversarl_mujoco.grounding.lexicon import load


def say(perturbation: Perturbation, axes: Sequence[Axis] = AXES) -> str:
    """A prompt that `ground` takes for this perturbation, seed and timing apart.

    Colours are said to 1/255; a direction given by numbers has no words, and comes out as numbers that are not
    understood.

    Args:
        perturbation: What is to be said.
        axes: Axes among which its own is.
    """
    phrase = {axis.name: axis.phrase for axis in axes}[perturbation.axis]
    percent = _percent(perturbation.intensity)
    target = f" of the {perturbation.target} light" if perturbation.target else ""
    return f"{phrase}{_value(perturbation)}{target} at {percent} %"


def _percent(intensity: float) -> str:
    short = format(100 * intensity, ".12g")
    return short if float(short) / 100 == intensity else format(100 * intensity, ".17f")


def _value(perturbation: Perturbation) -> str:
    value = perturbation.value
    if value is None:
        return ""
    if isinstance(value, str):
        return f" to {_words(perturbation.axis, value)}"
    named = {entry.value: words for words, entry in load().phrases.items() if entry.atoms == ("color",)}
    return f" to {' '.join(named[value])}" if value in named else f" to {_numbers(value)}"


def _words(axis: str, value: str) -> str:
    """Words for a named value: those of the first atom that means it on this axis."""
    atoms = {name: atom for f in load().frames if f.axis == axis for atom, name in reversed(f.values.items())}
    return " ".join(_first_phrase(atoms.get(name, name)) for name in value.split())


def _first_phrase(atom: str) -> str:
    found = next((words for words, entry in load().phrases.items() if entry.atoms == (atom,)), (atom,))
    return " ".join(found)


def _numbers(value: tuple[float, ...]) -> str:
    if len(value) == 3 and all(0 <= x <= 1 for x in value):
        return "#" + "".join(f"{round(255 * x):02x}" for x in value)
    return " ".join(str(x) for x in value)
