"""The lexicon as one world speaks it: with the phrases of its own axes and the names of its own objects."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from adversarl.types import Axis
from adversarl_mujoco.grounding.lexicon import Entry, Frame, Lexicon, load
from adversarl_mujoco.grounding.tokens import split

DEFAULT_OBJECTS = ("cube",)
"""What the default scene has on its table; meant where axes do not say what they can act on."""


@lru_cache(maxsize=64)
def lexicon_of(axes: tuple[Axis, ...]) -> Lexicon:
    """The lexicon with phrases of axes that it does not know, without names of objects that the world lacks."""
    return _with_phrases(_with_objects(load(), objects_of(axes)), axes)


def objects_of(axes: tuple[Axis, ...]) -> tuple[str, ...]:
    """Names of the objects that a world has, the task's target first."""
    targets = (target for axis in axes if axis.name.startswith("object-") for target in axis.targets)
    return tuple(dict.fromkeys(targets)) or DEFAULT_OBJECTS


def _with_objects(lexicon: Lexicon, names: tuple[str, ...]) -> Lexicon:
    """Only names that the world has stand for anything; those that the lexicon does not know stand for themselves."""
    lacking = lexicon.objects - set(names)
    phrases = {words: entry for words, entry in lexicon.phrases.items() if not lacking.intersection(entry.atoms)}
    strange = [name for name in names if name not in lexicon.objects]
    phrases |= {tuple(split(name.replace("_", " "))): Entry(atoms=("object", name)) for name in strange}
    kinds = lexicon.kinds | dict.fromkeys(strange, "things")
    return replace(lexicon, phrases=phrases, kinds=kinds, objects=frozenset(names))


def _with_phrases(lexicon: Lexicon, axes: tuple[Axis, ...]) -> Lexicon:
    """Axes that have no frame are asked for by their phrase."""
    known = {frame.axis for frame in lexicon.frames}
    strange = [axis for axis in axes if axis.name not in known]
    phrases = {tuple(split(axis.phrase)): Entry(atoms=(f"axis {axis.name}",), verb=True) for axis in strange}
    frames = tuple(Frame(axis.name, (frozenset({f"axis {axis.name}"}),)) for axis in strange)
    return replace(lexicon, phrases=lexicon.phrases | phrases, frames=lexicon.frames + frames)
