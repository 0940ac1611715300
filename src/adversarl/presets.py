"""Published ways of randomizing a world."""

from __future__ import annotations

from dataclasses import dataclass

from adversarl.types import Value


@dataclass(frozen=True, slots=True)
class Range:
    """How far a preset varies one axis.

    Attributes:
        axis: Name of an `Axis`.
        high: Highest intensity in (0, 1]; the lowest is 0.
        value: The value that the intensity is meant for, such as ``heavy``; None draws it.
    """

    axis: str
    high: float
    value: Value = None


@dataclass(frozen=True, slots=True)
class Preset:
    """A published way of randomizing a world, as ranges of its axes.

    Attributes:
        name: Identifier, such as ``robosuite``.
        summary: One line for listings.
        source: Where the ranges come from.
        ranges: What varies; an axis with several ranges draws one of them each time.
    """

    name: str
    summary: str
    source: str
    ranges: tuple[Range, ...]
