"""The English of the point-mass world: ``recolor the goal at 40 % and dim the light slightly, then back to normal``."""

from __future__ import annotations

import re

from adversarl.builtin.point_mass_axes import BY_NAME
from adversarl.types import Grounding, Perturbation

PHRASES = {axis.phrase: (axis.name, next(iter(axis.targets), None)) for axis in BY_NAME.values()} | {
    "recolor the dot": ("object-color", "dot")
}
"""Phrase → axis and target."""

DEGREES = {"slightly": 0.25, "strongly": 1.0}
UNSAID = 0.5
"""Intensity of a clause that gives neither percentage nor degree."""

FILLERS = {"please", "now", "then"}
RESTORE = "back to normal"

_CLAUSES = re.compile(r"[,;!]|\.(?=\s|$)|\band\b")
_PERCENT = re.compile(r"\b(?:at|by|to) (\d+(?:\.\d+)?) ?(?:%|percent\b)")


def ground(text: str) -> Grounding:
    """Turns a prompt into perturbations: clauses joined by commas or ``and``, each a phrase and how much of it.

    Words that are part of no phrase end in `Grounding.not_understood`, and a percentage above 100 with them.
    """
    perturbations: list[Perturbation] = []
    understood: list[tuple[str, str]] = []
    unknown: list[str] = []
    restore = False
    for clause in _CLAUSES.split(" ".join(text.lower().split())):
        rest, intensity = _intensity(clause)
        phrase = next((p for p in (*PHRASES, RESTORE) if p in rest), None)
        if phrase is None:
            unknown += [word for word in clause.split() if word not in FILLERS]
            continue
        unknown += [word for word in rest.replace(phrase, " ", 1).split() if word not in FILLERS]
        if phrase == RESTORE:
            restore, perturbations = True, []
            understood.append((phrase, "restore"))
            continue
        axis, target = PHRASES[phrase]
        perturbations.append(Perturbation(axis, intensity, target))
        understood.append((clause.strip(), f"{axis} at {100 * intensity:g} %"))
    return Grounding(text, tuple(perturbations), tuple(understood), tuple(unknown), restore)


def _intensity(clause: str) -> tuple[str, float]:
    """The clause without the words that say how much, and how much that is, in [0, 1]."""
    match = _PERCENT.search(clause)
    if match and float(match[1]) <= 100:
        return clause.replace(match[0], " ", 1), float(match[1]) / 100
    for word, intensity in DEGREES.items():
        if word in clause.split():
            return clause.replace(word, " ", 1), intensity
    return clause, UNSAID
