"""The lexicon: which words stand for which atoms, and which atoms ask for which axis."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from adversarl.types import Value

KINDS = ("things", "properties", "actions", "values", "negations")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase stands for.

    Attributes:
        atoms: Atoms of meaning, such as ``table`` or ``dim``.
        value: The value it carries: an RGB colour in [0, 1] or the name of a texture.
        degree: Intensity in [0, 1] that it carries.
        count: A number of things that it carries.
        weak: Whether it may also be read word by word.
        filler: Whether it means nothing.
        verb: Whether it can begin a new request.
    """

    atoms: tuple[str, ...] = ()
    value: Value = None
    degree: float | None = None
    count: int | None = None
    weak: bool = False
    filler: bool = False
    verb: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A request for one axis: the atoms it needs and what may stand beside them; see ``lexicon.toml``."""

    axis: str
    needs: tuple[frozenset[str], ...]
    absorbs: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)
    value: Value = None
    thing: str | None = None
    intensity: float | None = None
    combine: bool = False
    count: int | None = None
    units: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Lexicon:
    """Phrases by their words, frames, and the kind of every atom."""

    phrases: dict[tuple[str, ...], Entry]
    frames: tuple[Frame, ...]
    kinds: dict[str, str]
    pronouns: frozenset[str]
    separators: frozenset[str]
    longest: int

    def find(self, words: tuple[str, ...]) -> Entry | None:
        """The entry of a phrase, or of the phrase with its last word's ending taken off."""
        if words in self.phrases:
            return self.phrases[words]
        for stem in stems(words[-1]):
            if (*words[:-1], stem) in self.phrases:
                return self.phrases[(*words[:-1], stem)]
        return None


def stems(word: str) -> Iterator[str]:
    """Base forms an English word may come from: ``dims``, ``dimming`` and ``dimmed`` from ``dim``."""
    for ending in ("s", "es", "ed", "ing", "ly"):
        stem = word[: -len(ending)]
        if len(stem) >= 3 and word.endswith(ending):
            yield stem
            if ending in ("ed", "ing"):
                yield stem + "e"
                if stem[-1] == stem[-2]:
                    yield stem[:-1]


def _value(value: Any) -> Value:
    return tuple(float(x) for x in value) if isinstance(value, list) else value


def _phrases(data: dict[str, Any]) -> Iterator[tuple[str, Entry]]:
    """All phrases, later ones overriding earlier ones."""
    for word in (*data["stop"], *data["pronouns"]):
        yield word, Entry(filler=True)
    for word in data["verbs"]:
        yield word, Entry(filler=True, verb=True)
    for degree, words in data["degrees"].items():
        yield from ((word, Entry(degree=float(degree))) for word in words)
    for number, words in data["numbers"].items():
        yield from ((word, Entry(count=int(number))) for word in words)
    for kind in KINDS:
        for atom, words in data[kind].items():
            yield from ((word, Entry(atoms=(atom,), verb=kind == "actions")) for word in words)
    for name, rgb in data["colors"].items():
        yield name, Entry(atoms=("color",), value=_value(rgb), weak=name.startswith("light "))
    for name, words in data["textures"].items():
        yield from ((word, Entry(atoms=("texture",), value=name)) for word in words)
    for compound in data["compound"]:
        rest = {key: value for key, value in compound.items() if key not in ("words", "atoms")}
        yield from ((word, Entry(atoms=tuple(compound["atoms"]), **rest)) for word in compound["words"])


def _frame(data: dict[str, Any]) -> Frame:
    needs = tuple(frozenset(atoms) for atoms in data["needs"])
    rest = {key: data[key] for key in ("values", "thing", "intensity", "combine", "count", "units") if key in data}
    absorbs = frozenset(data.get("absorbs", ()))
    return Frame(axis=data["axis"], needs=needs, absorbs=absorbs, value=_value(data.get("value")), **rest)


@cache
def load() -> Lexicon:
    """Reads ``lexicon.toml``, once."""
    data = tomllib.loads(files("adversarl_mujoco.grounding").joinpath("lexicon.toml").read_text("utf-8"))
    phrases = {tuple(text.split()): entry for text, entry in _phrases(data)}
    phrases |= {(word,): replace(phrases[(word,)], verb=True) for word in data["imperatives"]}
    kinds = {atom: kind for kind in KINDS for atom in data[kind]}
    return Lexicon(
        phrases=phrases,
        frames=tuple(_frame(frame) for frame in data["frame"]),
        kinds=kinds | {"key": "things", "fill": "things"},
        pronouns=frozenset(data["pronouns"]),
        separators=frozenset(data["separators"]),
        longest=max(len(words) for words in phrases),
    )
