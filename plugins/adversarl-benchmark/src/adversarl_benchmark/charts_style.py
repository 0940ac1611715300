"""One look per condition, the same in every chart, in light and in dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INK, MUTED, GRID, PAPER = "#1c2126", "#5d6670", "#dde1e5", "#ffffff"
DARK = {INK: "#e6e9ec", MUTED: "#9aa4ae", GRID: "#343b42", PAPER: "#14181b"}
ROLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"}
"""CSS variables that stand for these colors in charts of a page."""
# Okabe and Ito's hues (Color Universal Design, 2008), each darkened or lightened to a contrast of 3 and more on paper.
KNOWN = {
    "adaptive": ("#c2480a", "#f58d4f"),
    "baseline": ("#0067a8", "#5fb2ee"),
    "static": ("#007a5a", "#3fc79c"),
    "random-prompts": ("#a34c7c", "#e096c1"),
    "warm-start": ("#8d6b00", "#dcb63f"),
    "no-dr": ("#68717c", "#a3acb7"),
    "oracle": ("#2a3036", "#dfe3e7"),
}
SPARE = (("#2b7f96", "#79d0e6"), ("#83553a", "#cf9f7b"), ("#5b51a8", "#a9a1f0"), ("#7a7a1c", "#c5c55a"))
MARKERS = {
    "adaptive": "o", "baseline": "s", "static": "^", "random-prompts": "D", "warm-start": "v", "no-dr": "X",
    "oracle": "*",
}  # fmt: skip
SIGNS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "X": "✖", "*": "★", "P": "✚", "p": "⬟", "h": "⬢", "<": "◀"}


@dataclass(frozen=True, slots=True)
class Look:
    """How a condition is drawn.

    Attributes:
        name: The condition.
        light: Its color on white, as ``#rrggbb``.
        dark: Its color on black.
        marker: Matplotlib's name of its marker, so that color is never the only difference.
        control: Whether it is a control, which is drawn thinner and dashed.
        slot: Its number among the conditions.
    """

    name: str
    light: str
    dark: str
    marker: str
    control: bool
    slot: int

    @property
    def variable(self) -> str:
        """Its CSS variable."""
        return f"--c{self.slot}"

    @property
    def sign(self) -> str:
        """Its marker as a character, for legends."""
        return SIGNS[self.marker]


def looks(conditions: Sequence[tuple[str, bool]]) -> dict[str, Look]:
    """A look for each (name, whether it is a control); names of the project's own conditions keep theirs."""
    spare, spare_markers = 0, ("P", "p", "h", "<")
    found = {}
    for slot, (name, control) in enumerate(conditions):
        if name in KNOWN:
            (light, dark), marker = KNOWN[name], MARKERS[name]
        else:
            (light, dark), marker = SPARE[spare % len(SPARE)], spare_markers[spare % len(spare_markers)]
            spare += 1
        found[name] = Look(name, light, dark, marker, control, slot)
    return found


def variables(known: dict[str, Look], *, dark: bool) -> str:
    """CSS declarations of every color."""
    roles = [f"--{name}: {DARK[color] if dark else color};" for color, name in ROLES.items()]
    return " ".join([*roles, *(f"{look.variable}: {look.dark if dark else look.light};" for look in known.values())])
