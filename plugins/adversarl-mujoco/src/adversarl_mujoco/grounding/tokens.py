"""Cuts a prompt into items: phrases of the lexicon, quantities with units, separators and unknown words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adversarl_mujoco.grounding.lexicon import Entry, Lexicon

_TOKEN = re.compile(r"#[0-9a-f]{6}\b|[a-z]+_\d+|\d+x\d+\b|[+-]?\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?|[^\s\w]|\w")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?$")
_ACCELERATION = re.compile(r"m\s?/\s?s\s?(?:\^\s?2|²|2)|met(?:er|re)s? per second squared")
_SILENT = frozenset("()[]{}\"'`-_*+")
# Typographic quotes, dashes and the minus sign as their ASCII twins.
_PLAIN = {0x2018: "'", 0x2019: "'", 0xB4: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: " - ", 0x2212: "-"}
_STOPS = frozenset(",.;:!?&")
_TUPLES = {"rgb": "color", "vector": "vector"}
"""Words before three numbers that are one value."""
_UNITS: dict[str, tuple[str, float]] = {
    name: (unit, factor)
    for unit, factor, names in (
        ("%", 1.0, "% percent"),
        ("m", 1.0, "m meter meters metre metres"),
        ("m", 0.01, "cm centimeter centimeters centimetre centimetres"),
        ("m", 0.001, "mm millimeter millimeters millimetre millimetres"),
        ("deg", 1.0, "deg degree degrees °"),
        ("deg", 57.29577951308232, "rad radian radians"),
        ("K", 1.0, "k kelvin"),
        ("x", 1.0, "x times"),
        ("s", 1.0, "s sec second seconds"),
        ("s", 0.001, "ms millisecond milliseconds"),
        ("frames", 1.0, "frame frames"),
        ("steps", 1.0, "step steps"),
        ("m/s2", 1.0, "mpss"),
        ("N", 1.0, "n newton newtons"),
        ("kg", 1.0, "kg kilo kilos kilogram kilograms"),
        ("kg", 0.001, "g gram grams"),
        ("Hz", 1.0, "hz hertz"),
    )
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Attributes:
        number: The number, in the unit.
        unit: ``m``, ``deg``, ``K``, ``s``, ``x`` (a factor), ...; ``%``, ``%of`` (before ``of``) or ``by%`` (after
            ``by``); empty where there is none.
        sign: ``+`` or ``-`` where it was written.
        by: Whether ``by`` stands before it.
    """

    number: float
    unit: str
    sign: str = ""
    by: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a prompt; one with neither entry nor quantity nor separator is not understood."""

    words: str
    entry: Entry | None = None
    quantity: Quantity | None = None
    separator: bool = False

    @property
    def atoms(self) -> tuple[str, ...]:
        """Atoms of meaning it stands for."""
        return self.entry.atoms if self.entry else ()

    @property
    def degree(self) -> bool:
        """Whether it says nothing but how strongly: an adverb or a percentage."""
        if self.quantity:
            return self.quantity.unit in ("%", "by%")
        return self.entry is not None and self.entry.degree is not None and not self.entry.atoms

    @property
    def unknown(self) -> bool:
        """Whether it was taken for nothing at all."""
        return self.entry is None and self.quantity is None and not self.separator


def split(text: str) -> list[str]:
    """Lower-case words, numbers and punctuation marks."""
    plain = _ACCELERATION.sub(" mpss", text.lower().translate(_PLAIN))
    joined = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", " ", plain)
    joined = re.sub(r"(?<=\w)'s\b|(?<=s)'(?=\s)", "", joined).replace(" + ", " plus ").replace("->", " ")
    return [token for token in _TOKEN.findall(joined) if token not in _SILENT]


def items(text: str, lexicon: Lexicon, *, literal: bool) -> list[Item]:
    """Reads a prompt from left to right, the longest phrase first.

    Args:
        text: The prompt.
        lexicon: What phrases stand for.
        literal: Whether phrases marked as weak are read word by word.
    """
    words, found, start = split(text), [], 0
    while start < len(words):
        item, length = _next(words[start : start + 12], lexicon, literal)
        found.append(item)
        start += length
    return found


def _next(words: Sequence[str], lexicon: Lexicon, literal: bool) -> tuple[Item, int]:
    quantity = _quantity(words, lexicon)
    if quantity:
        return quantity
    for length in range(min(lexicon.reach.get(words[0], 1), len(words)), 0, -1):
        entry = lexicon.find(tuple(words[:length]))
        if entry and not (literal and entry.weak):
            phrase = " ".join(words[:length])
            return Item(phrase, separator=True) if phrase in lexicon.separators else _entered(phrase, entry), length
    return _special(words, lexicon)


def _entered(words: str, entry: Entry) -> Item:
    """A phrase that is in the lexicon; ``three`` and ``twice as`` are quantities."""
    if entry.factor is not None:
        return Item(words, quantity=Quantity(entry.factor, "x"))
    if entry.count is not None and not entry.atoms and entry.degree is None:
        return Item(words, quantity=Quantity(float(entry.count), ""))
    return Item(words, entry)


def _special(words: Sequence[str], lexicon: Lexicon) -> tuple[Item, int]:
    word = words[0]
    if word in _STOPS:
        return Item(word, separator=True), 1
    if word in _TUPLES and len(words) > 3 and all(_NUMBER.match(number) for number in words[1:4]):
        value = tuple(float(number) for number in words[1:4])
        if word == "rgb" and max(value) > 1:
            value = tuple(channel / 255 for channel in value)  # as bytes
        return Item(" ".join(words[:4]), Entry(atoms=(_TUPLES[word],), value=value)), 4
    if word.startswith("#") and len(word) == 7:
        rgb = tuple(int(word[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return Item(word, Entry(atoms=("color",), value=rgb)), 1
    if "_" in word:
        return Item(word, Entry(atoms=("texture" if word.startswith("tex_") else "file",), value=word)), 1
    guess = lexicon.guess(word)
    return (_entered(word, guess) if guess else Item(word)), 1


def _quantity(words: Sequence[str], lexicon: Lexicon) -> tuple[Item, int] | None:
    """A number, or a number word with a unit, and how many words it takes; None where there is none."""
    by = _FACTOR_OF if tuple(words[:4]) == _FACTOR_OF else ("by",) if words[0] == "by" else ()
    number = _number(words[len(by) :], lexicon)
    if number is None:
        return None
    value, sign, length = number
    length += len(by)
    unit, scale = _UNITS.get(words[length], ("", 1.0)) if length < len(words) else ("", 1.0)
    if not unit and len(by) < 2 and sign is None:
        return None  # A number word by itself is an entry of the lexicon.
    end = length + bool(unit)
    if len(by) > 1:
        unit, scale, end = "x", 1.0, length
    elif unit == "%" and by:
        unit = "by%"
    elif unit == "%" and words[end : end + 1] == ["of"]:
        unit, end = "%of", end + 1
    shown = " ".join(words[1 if by == ("by",) else 0 : end])
    return Item(shown, quantity=Quantity(value * scale, unit, sign or "", bool(by))), end


_FACTOR_OF = ("by", "a", "factor", "of")


def _number(words: Sequence[str], lexicon: Lexicon) -> tuple[float, str | None, int] | None:
    """Value, sign (None for a number word) and how many words it takes."""
    if not words:
        return None
    if _NUMBER.match(words[0]):
        return float(words[0]), words[0][0] if words[0][0] in "+-" else "", 1
    for length in (3, 2, 1):
        entry = lexicon.phrases.get(tuple(words[:length]))
        if entry and entry.count is not None and not entry.atoms and entry.degree is None:
            return float(entry.count), None, length
    return None
