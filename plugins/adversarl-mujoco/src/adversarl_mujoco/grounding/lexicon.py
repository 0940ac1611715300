"""The lexicon: which words stand for which atoms, and which atoms ask for which axis."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from adversarl.types import Value

KINDS = ("things", "properties", "actions", "values", "negations", "soft", "comparatives")
SCALE = (("high", "up", "more", "stronger", "larger"), ("low", "down", "fewer", "weaker", "smaller"))
FILES = ("words", "grammar", "colors", "visual", "picture", "geometry", "dynamics", "sensor")
_SPELLED = 7
"""Words of at least so many letters are recognized with one letter missing, added or swapped."""
_LONGEST = 40
"""Letters beyond which no word is looked for: there is none, and trying every misspelling takes their square."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase stands for.

    Attributes:
        atoms: Atoms of meaning, such as ``table`` or ``dim``.
        value: The value it carries: an RGB colour in [0, 1], a vector or the name of a texture.
        degree: Intensity in [0, 1] that it carries.
        count: A number of things that it carries.
        factor: A factor that it carries, such as 2 for ``twice as``.
        weak: Whether it may also be read word by word.
        filler: Whether it means nothing.
        verb: Whether it can begin a new request.
    """

    atoms: tuple[str, ...] = ()
    value: Value = None
    degree: float | None = None
    count: int | None = None
    factor: float | None = None
    weak: bool = False
    filler: bool = False
    verb: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """What a factor such as ``twice`` means for an axis.

    Attributes:
        up: The value that means more, and the factor at its intensity 1.
        down: The value that means less, and the factor at its intensity 1, below 1.
        linear: Whether intensity is linear in the factor, else in its logarithm.
    """

    up: tuple[str, float]
    down: tuple[str, float]
    linear: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A request for one axis: the atoms it needs and what may stand beside them; see ``lexicon/words.toml``."""

    axis: str
    needs: tuple[frozenset[str], ...]
    absorbs: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)
    value: Value = None
    thing: str | None = None
    subject: str | None = None
    intensity: float | None = None
    combine: bool = False
    fallback: bool = False
    bare: bool = False
    count: int | None = None
    units: dict[str, float] = field(default_factory=dict)
    factor: Factor | None = None
    signed: tuple[str, ...] = ()
    default: float = 0.5


@dataclass(frozen=True)
class Lexicon:
    """Phrases by their words, frames, and the kind of every atom.

    Attributes:
        phrases: What a sequence of words stands for.
        frames: What axes are asked for by.
        kinds: Kind of every atom.
        objects: Names that objects of scenes may have, which are atoms too.
        joints: Words at which a clause that is not understood may be two.
        pronouns: Words that stand for the things of the clause before.
        separators: Words that end a clause.
        exclusions: Phrases after which something is named that is not asked for.
    """

    phrases: dict[tuple[str, ...], Entry]
    frames: tuple[Frame, ...]
    kinds: dict[str, str]
    objects: frozenset[str]
    joints: frozenset[str]
    pronouns: frozenset[str]
    separators: frozenset[str]
    exclusions: frozenset[str]

    @cached_property
    def reach(self) -> dict[str, int]:
        """Words in the longest phrase that begins with a word."""
        longest: dict[str, int] = {}
        for words in self.phrases:
            longest[words[0]] = max(longest.get(words[0], 1), len(words))
        return longest

    @cached_property
    def idle(self) -> frozenset[str]:
        """Atoms that need no explanation where they ask for nothing."""
        return frozenset(atom for atom, kind in self.kinds.items() if kind == "soft")

    @cached_property
    def soft(self) -> frozenset[str]:
        """Atoms that mean something only beside certain others."""
        return self.idle | {atom for atom, kind in self.kinds.items() if kind == "comparatives"}

    @cached_property
    def needed(self) -> dict[str, frozenset[str]]:
        """Atoms that the frames of every axis need."""
        needed: dict[str, frozenset[str]] = {}
        for frame in self.frames:
            needed[frame.axis] = needed.get(frame.axis, frozenset()).union(*frame.needs)
        return needed

    @cached_property
    def _misspelt(self) -> dict[str, str]:
        """Long words with one letter missing, and what they are."""
        long = [words[0] for words in self.phrases if len(words) == 1 and len(words[0]) >= _SPELLED]
        return {near: word for word in long for near in _shortened(word)}

    def find(self, words: tuple[str, ...]) -> Entry | None:
        """The entry of a phrase, or of the phrase with its last word's ending taken off."""
        if words in self.phrases:
            return self.phrases[words]
        for stem in stems(words[-1]):
            if (*words[:-1], stem) in self.phrases:
                return self.phrases[(*words[:-1], stem)]
        return None

    def guess(self, word: str) -> Entry | None:
        """The entry of a long word that is misspelt by one letter missing, added or swapped with its neighbour."""
        if not _SPELLED - 1 <= len(word) <= _LONGEST:
            return None
        swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
        near = [self._misspelt.get(word), *_shortened(word), *swapped] if len(word) >= _SPELLED else []
        near = near or [self._misspelt.get(word)]
        return next((self.phrases[(word,)] for word in near if word and (word,) in self.phrases), None)


def _shortened(word: str) -> Iterator[str]:
    """A word without one of its letters; the first is never mistyped."""
    return (word[:i] + word[i + 1 :] for i in range(1, len(word)))


def stems(word: str) -> Iterator[str]:
    """Base forms an English word may come from: ``dims``, ``dimming`` and ``dimmed`` from ``dim``."""
    for ending in ("s", "es", "ed", "ing", "ly", "ies", "ied"):
        stem = word[: -len(ending)]
        if len(stem) >= 3 and word.endswith(ending):
            if ending in ("ies", "ied"):
                yield stem + "y"
                continue
            yield stem
            if ending in ("ed", "ing"):
                yield stem + "e"
                if stem[-1] == stem[-2]:
                    yield stem[:-1]


def _value(value: Any) -> Value:
    return tuple(float(x) for x in value) if isinstance(value, list) else value


def _merged(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Tables and lists of several files as one: lists are joined, tables are merged."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key not in whole:
                whole[key] = value
            elif isinstance(value, dict):
                whole[key] = _merged(iter((whole[key], value)))
            else:
                whole[key] = whole[key] + value
    return whole


def _phrases(data: dict[str, Any]) -> Iterator[tuple[str, Entry]]:
    """All phrases, later ones overriding earlier ones."""
    for word in (*data["stop"], *data["pronouns"], *data["separators"], *data["exclusions"]):
        yield word, Entry(filler=True)
    for word in data["verbs"]:
        yield word, Entry(filler=True, verb=True)
    for degree, words in data["degrees"].items():
        yield from ((word, Entry(degree=float(degree))) for word in words)
    for number, words in data["numbers"].items():
        yield from ((word, Entry(count=int(number))) for word in words)
    for factor, words in data["factors"].items():
        yield from ((word, Entry(factor=float(factor))) for word in words)
    for kind in KINDS:
        for atom, words in data[kind].items():
            yield from ((word, Entry(atoms=(atom,), verb=kind == "actions")) for word in words)
    for name, words in data["objects"].items():
        yield from ((word, Entry(atoms=("object", name))) for word in words)
    for frame in data["frame"]:
        yield from ((word, Entry(atoms=(frame["axis"],))) for word in frame.get("words", ()))
    for name, rgb in data["colors"].items():
        yield name, Entry(atoms=("color",), value=_value(rgb), weak=name.startswith("light "))
    for name, words in data["textures"].items():
        yield from ((word, Entry(atoms=("texture",), value=name)) for word in words)
    for compound in data["compound"]:
        rest = {key: value for key, value in compound.items() if key not in ("words", "atoms")}
        yield from ((word, Entry(atoms=tuple(compound["atoms"]), **rest)) for word in compound["words"])


def _scale(data: dict[str, Any]) -> dict[str, str]:
    """Values of ``increase``, ``larger``, ... and of their opposites."""
    ends = data.get("scale", [])
    return {atom: end for end, atoms in zip(ends, SCALE, strict=False) for atom in atoms}


def _frame(data: dict[str, Any]) -> Frame:
    rest = {
        key: value
        for key, value in data.items()
        if key not in ("words", "needs", "absorbs", "factor", "signed", "scale")
    }
    rest["value"] = _value(data.get("value"))
    rest["values"] = data.get("values", {}) | _scale(data)
    needs = data.get("needs", []) + ([[data["axis"]]] if "words" in data else [])
    factor = data.get("factor")
    return Frame(
        needs=tuple(frozenset(atoms) for atoms in needs),
        absorbs=frozenset(data.get("absorbs", ())),
        factor=Factor(tuple(factor["up"]), tuple(factor["down"]), factor.get("linear", False)) if factor else None,
        signed=tuple(data.get("signed", ())),
        **rest,
    )


def source() -> dict[str, Any]:
    """The files of the lexicon as one."""
    folder = files("adversarl_mujoco.grounding").joinpath("lexicon")
    return _merged(tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8")) for name in FILES)


@cache
def load() -> Lexicon:
    """Reads the lexicon, once."""
    data = source()
    phrases = {tuple(text.split()): entry for text, entry in _phrases(data)}
    phrases |= {(word,): replace(phrases[(word,)], verb=True) for word in data["imperatives"]}
    kinds = {frame["axis"]: "properties" for frame in data["frame"] if "words" in frame}
    kinds |= {atom: kind for kind in KINDS for atom in data[kind]}
    names = frozenset(data["objects"])
    return Lexicon(
        phrases=phrases,
        frames=tuple(_frame(frame) for frame in data["frame"]),
        kinds=kinds | dict.fromkeys(("key", "fill", "all", *names), "things"),
        objects=names,
        joints=frozenset(data["joints"]),
        pronouns=frozenset(data["pronouns"]),
        separators=frozenset(data["separators"]),
        exclusions=frozenset(data["exclusions"]),
    )
