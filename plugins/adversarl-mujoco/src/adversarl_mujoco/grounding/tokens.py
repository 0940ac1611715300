"""Cuts a prompt into items: phrases of the lexicon, quantities with units, separators and unknown words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adversarl_mujoco.grounding.lexicon import Entry, Lexicon

_TOKEN = re.compile(r"#[0-9a-f]{6}\b|tex_\d+|-?\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?|[^\s\w]|\w")
_NUMBER = re.compile(r"-?\d")
_SILENT = frozenset("()[]{}\"'`-_*+")
# Typographic quotes, dashes and the minus sign as their ASCII twins.
_PLAIN = {0x2018: "'", 0x2019: "'", 0xB4: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: " - ", 0x2212: "-"}
_STOPS = frozenset(",.;:!?&")
_UNITS: dict[str, tuple[str, float]] = {
    "%": ("%", 1.0),
    "percent": ("%", 1.0),
    "m": ("m", 1.0),
    "meter": ("m", 1.0),
    "meters": ("m", 1.0),
    "metre": ("m", 1.0),
    "metres": ("m", 1.0),
    "cm": ("m", 0.01),
    "centimeter": ("m", 0.01),
    "centimeters": ("m", 0.01),
    "centimetre": ("m", 0.01),
    "centimetres": ("m", 0.01),
    "mm": ("m", 0.001),
    "deg": ("deg", 1.0),
    "degree": ("deg", 1.0),
    "degrees": ("deg", 1.0),
    "°": ("deg", 1.0),
    "rad": ("deg", 57.29577951308232),
    "k": ("K", 1.0),
    "kelvin": ("K", 1.0),
    "x": ("x", 1.0),
    "times": ("x", 1.0),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: ``%``, ``%of``, ``m``, ``deg``, ``K``, ``x`` (a factor) or nothing."""

    number: float
    unit: str


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
            return self.quantity.unit == "%"
        return self.entry is not None and self.entry.degree is not None and not self.entry.atoms

    @property
    def unknown(self) -> bool:
        """Whether it was taken for nothing at all."""
        return self.entry is None and self.quantity is None and not self.separator


def split(text: str) -> list[str]:
    """Lower-case words, numbers and punctuation marks."""
    joined = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", " ", text.lower().translate(_PLAIN))
    joined = re.sub(r"(?<=\w)'s\b", "", joined)
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
        item, length = _next(words[start:], lexicon, literal)
        found.append(item)
        start += length
    return found


def _next(words: Sequence[str], lexicon: Lexicon, literal: bool) -> tuple[Item, int]:
    if _NUMBER.match(words[0]):
        return _quantity(words)
    for length in range(min(lexicon.longest, len(words)), 0, -1):
        entry = lexicon.find(tuple(words[:length]))
        if entry and not (literal and entry.weak):
            return Item(" ".join(words[:length]), entry), length
    return _special(words[0], lexicon), 1


def _special(word: str, lexicon: Lexicon) -> Item:
    if word in _STOPS or word in lexicon.separators:
        return Item(word, separator=True)
    if word.startswith("#") and len(word) == 7:
        rgb = tuple(int(word[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return Item(word, Entry(atoms=("color",), value=rgb))
    if word.startswith("tex_") and len(word) > 4:
        return Item(word, Entry(atoms=("texture",), value=word))
    return Item(word)


def _quantity(words: Sequence[str]) -> tuple[Item, int]:
    number = float(words[0])
    unit, factor = _UNITS.get(words[1], ("", 1.0)) if len(words) > 1 else ("", 1.0)
    if not unit:
        return Item(words[0], quantity=Quantity(number, "")), 1
    length = 2
    if unit == "%" and list(words[2:3]) == ["of"]:
        unit, length = "%of", 3
    return Item(" ".join(words[:length]), quantity=Quantity(number * factor, unit)), length


def counted(item: Item) -> Item:
    """A number word such as ``three`` as a quantity."""
    if item.entry and item.entry.count is not None and not item.atoms and item.entry.degree is None:
        return replace(item, quantity=Quantity(float(item.entry.count), ""), entry=None)
    return item
