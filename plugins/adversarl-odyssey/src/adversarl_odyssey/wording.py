"""Conditions in the words of what is seen: what a world model is told when a perturbation is in force."""

from __future__ import annotations

import re
import tomllib
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from adversarl.types import Grounding, Perturbation

LEVELS = (1 / 6, 1 / 2, 5 / 6)
"""Intensities in the middle of what the three sentences of an axis stand for."""
KEPT = 4096
"""Prompts whose words are remembered."""
FREE = "prompt"
"""The axis whose value is what is to be said."""
SIMULATED = frozenset(
    "object-texture object-color object-camouflage object-shape object-size object-position object-rotation "
    "robot-texture robot-color robot-start occluder distractors distractor-similarity clutter "
    "background-image background-video color-grid fog rain glare blur hue saturation contrast brightness "
    "image-noise".split()
)
"""Axes that a simulator before a stream shows by itself: they change what stands before it, or the whole picture, and
would be seen twice if the stream were told too."""
_LIGHTS = {"key": "left", "fill": "right"}
_NUMBERS = re.compile(r"\d|%")

Color = tuple[float, float, float]
Sentences = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The sentences, and names of what they speak of.

    Attributes:
        axes: Sentences at low, middle and high intensity, by axis and value; ``any`` stands for any value.
        colors: RGB in [0, 1] by name.
        vivid: Names of colours that an open value is drawn from.
        patterns: Words by the name of a pattern.
        directions: Names of the negative and the positive direction along x, y and z, by axis.
    """

    axes: dict[str, dict[str, Sentences]]
    colors: dict[str, Color]
    vivid: tuple[str, ...]
    patterns: dict[str, str]
    directions: dict[str, tuple[tuple[str, str], ...]]


@cache
def table() -> Table:
    """What ``wordings.toml`` says."""
    read = tomllib.loads((files("adversarl_odyssey") / "wordings.toml").read_text(encoding="utf-8"))
    return Table(
        {axis: {value: tuple(said) for value, said in values.items()} for axis, values in read["axes"].items()},
        {name: tuple(rgb) for name, rgb in read["colors"].items()},
        tuple(read["vivid"]["names"]),
        read["patterns"],
        {axis: tuple(tuple(pair) for pair in pairs) for axis, pairs in read["directions"].items()},
    )


def level(intensity: float) -> int:
    """Which of the three sentences of an axis an intensity in (0, 1] asks for."""
    return min(2, int(3 * intensity))


def color_name(rgb: Sequence[float]) -> str:
    """The name of the nearest colour; distances are weighted as the eye weighs them (Riemersma's low-cost metric)."""
    red, green, blue = (float(part) for part in rgb)

    def distance(other: Color) -> float:
        mean = (red + other[0]) / 2
        dr, dg, db = red - other[0], green - other[1], blue - other[2]
        return (2 + mean) * dr * dr + 4 * dg * dg + (3 - mean) * db * db

    return min(table().colors, key=lambda name: distance(table().colors[name]))


def settle(perturbation: Perturbation) -> Perturbation:
    """The same perturbation with the value that its words give, where it leaves one open and the words need one.

    Two worlds that are shown together, one told in words and one in perturbations, then look alike.
    """
    kinds = table().axes.get(perturbation.axis)
    if perturbation.value is not None or not kinds or "any" in kinds:
        return perturbation
    rng = np.random.default_rng([perturbation.seed & 0xFFFFFFFF, zlib.crc32(perturbation.axis.encode())])
    drawn = list(kinds)[int(rng.integers(len(kinds)))]
    if drawn == "color":
        return replace(perturbation, value=table().colors[table().vivid[int(rng.integers(len(table().vivid)))]])
    if drawn == "pattern":
        return replace(perturbation, value=list(table().patterns)[int(rng.integers(len(table().patterns)))])
    return replace(perturbation, value=drawn)


class Wording:
    """Words for perturbations: those that asked for them, or else a description of what is seen.

    Words with numbers, such as those of hand-coded curricula ("move the light at 30 %"), are described anew, since a
    world model knows no percentages.

    Args:
        thing: What the task's object is called.
        silent: Axes that are not spoken of.
    """

    def __init__(self, thing: str = "cube", silent: frozenset[str] = frozenset()) -> None:
        self._thing, self._silent = thing, silent
        self._texts: OrderedDict[frozenset[Perturbation], str] = OrderedDict()

    def remember(self, grounding: Grounding) -> None:
        """Keeps the words of a prompt for what a world made of it."""
        if grounding.restore or not grounding.perturbations or _NUMBERS.search(grounding.text):
            return
        key = _key(grounding.perturbations)
        self._texts[key] = _sentence(grounding.text)
        self._texts.move_to_end(key)
        while len(self._texts) > KEPT:
            self._texts.popitem(last=False)

    def conditions(self, perturbations: Iterable[Perturbation]) -> str:
        """Sentences for all that is in force, in its order; empty where nothing of it can be seen."""
        spoken = (p for p in perturbations if p.intensity > 0 and p.axis not in self._silent)
        left = {replace(p, seed=0, onset=0, duration=None): p for p in spoken}
        said = list[tuple[int, str]]()
        order = {key: place for place, key in enumerate(left)}
        for keys in sorted((k for k in self._texts if k <= left.keys()), key=len, reverse=True):
            if keys <= left.keys():
                said.append((min(order[key] for key in keys), self._texts[keys]))
                left = {key: p for key, p in left.items() if key not in keys}
        said += [(order[key], self.describe(p)) for key, p in left.items()]
        return " ".join(text for _, text in sorted(said, key=lambda pair: pair[0]) if text)

    def describe(self, perturbation: Perturbation) -> str:
        """What is seen while a perturbation is in force; empty where nothing is."""
        kinds = table().axes.get(perturbation.axis)
        if not kinds or perturbation.intensity <= 0 or perturbation.axis in self._silent:
            return ""
        if perturbation.axis == FREE and isinstance(perturbation.value, str):
            return _sentence(perturbation.value)
        settled = settle(perturbation)
        value = _value(settled, kinds)
        if value is None:
            value = _value(settle(replace(perturbation, value=None)), kinds) or next(iter(kinds))
        words = self._target(perturbation.target) | _words(settled)
        return _upper(kinds[value][level(perturbation.intensity)].format_map(words))

    def state_dict(self) -> dict[str, Any]:
        """What was remembered, JSON-ready."""
        return {"texts": [[text, [asdict(p) for p in keys]] for keys, text in self._texts.items()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._texts = OrderedDict(
            (frozenset(_perturbation(fields) for fields in keys), text) for text, keys in state["texts"]
        )

    def _target(self, target: str | None) -> dict[str, str]:
        side = _LIGHTS.get(target or "")
        thing = self._thing if target is None or side or target == "all" else target.replace("_", " ")
        light = f"the {side} light" if side else "the light"
        lamp = f"the {side} lamp" if side else "the lamp"
        return {"light": light, "lamp": lamp, "object": f"the {thing}", "the_object": f"the {thing}"}


def _key(perturbations: Iterable[Perturbation]) -> frozenset[Perturbation]:
    return frozenset(replace(p, seed=0, onset=0, duration=None) for p in perturbations)


def _perturbation(fields: dict[str, Any]) -> Perturbation:
    value = fields["value"]
    return Perturbation(**{**fields, "value": tuple(value) if isinstance(value, list) else value})


def _sentence(text: str) -> str:
    """A prompt as a sentence of its own."""
    said = _upper(" ".join(text.split()))
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(perturbation: Perturbation, kinds: dict[str, Sentences]) -> str | None:
    """Which of an axis' values is meant; None where the words have no such value."""
    value = perturbation.value
    if isinstance(value, str):
        named = next((word for word in value.split() if word in kinds), None)
        return named or next((kind for kind in ("pattern", "any") if kind in kinds), None)
    if value is not None and perturbation.axis in table().directions:
        component = int(np.argmax(np.abs(value)))
        name = table().directions[perturbation.axis][component][value[component] > 0]
        return name if name in kinds else None
    return next((kind for kind in ("color", "any") if kind in kinds), None)


def _words(perturbation: Perturbation) -> dict[str, str]:
    value = perturbation.value
    if isinstance(value, str):
        return {"pattern": _pattern(value), "color": value}
    return {"color": color_name(value), "pattern": "striped"} if value and len(value) == 3 else {}


def _pattern(value: str) -> str:
    patterns = table().patterns
    number = re.search(r"\d+", value)
    if value in patterns or not number:
        return patterns.get(value, value.replace("_", " "))
    return list(patterns.values())[int(number[0]) % len(patterns)]
