"""Matches a clause against the frames: which axes it asks for, how strongly, and which of its words remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adversarl.types import Axis, Perturbation, Value
from adversarl_mujoco.grounding.clauses import NEGATIONS, Clause
from adversarl_mujoco.grounding.lexicon import Frame, Lexicon
from adversarl_mujoco.grounding.quantities import intensity_of
from adversarl_mujoco.grounding.tokens import Item

DEFAULT_DEGREE = 0.5
"""Intensity of a prompt that names none."""
EXPANDED = frozenset({"table", "object", "background", "robot"})
"""What ``everything`` has a colour and a texture."""


@dataclass(frozen=True)
class Match:
    """A frame whose needs a clause meets, with all atoms it explains."""

    frame: Frame
    atoms: frozenset[str]


@dataclass(frozen=True)
class Reading:
    """What a clause was taken for; `Grounding` has the same fields."""

    perturbations: tuple[Perturbation, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    not_understood: tuple[str, ...] = ()
    restore: bool = False

    @property
    def complete(self) -> bool:
        """Whether every word was understood and asks for something."""
        return not self.not_understood and bool(self.perturbations or self.restore)


def read(clause: Clause, lexicon: Lexicon, axes: Mapping[str, Axis], *, loose: bool = False) -> Reading:
    """Understands one clause as far as possible.

    Args:
        clause: The clause.
        lexicon: What words stand for.
        axes: Axes that may be asked for, by name.
        loose: Whether a property without a thing (``random colors``) means that of all surfaces.
    """
    atoms = clause.atoms
    if "everything" in atoms or (loose and _bare(clause)):
        atoms |= EXPANDED
    if atoms & {"undo", "not"} and not atoms - NEGATIONS - EXPANDED - {"everything"} and not clause.atoms & EXPANDED:
        return _restore(clause)
    matches = _undone(atoms, lexicon) or _matches(atoms, lexicon) or _all_axes(clause, axes)
    # Only now, so that another axis never answers for one that this world does not have.
    return _resolve(clause, [match for match in matches if match.frame.axis in axes], axes)


def _bare(clause: Clause) -> bool:
    """Whether it is of colours and textures in general: it names no thing, no colour and no pattern."""
    named = any(item.entry and item.entry.value is not None for item in clause.items)
    return not named and bool(clause.atoms) and clause.atoms <= {"color", "texture"}


def _restore(clause: Clause) -> Reading:
    words = " ".join(item.words for item in clause.items if item.atoms)
    return Reading(understood=((words, "back to nominal"),), not_understood=_unknown(clause), restore=True)


def _unknown(clause: Clause) -> tuple[str, ...]:
    return tuple(item.words for item in clause.items if item.unknown or item.quantity)


def _matches(atoms: frozenset[str], lexicon: Lexicon) -> list[Match]:
    """Frames that fit, without those that another one explains strictly more than."""
    found = []
    for frame in lexicon.frames:
        met = [needs for needs in frame.needs if needs <= atoms]
        if met:
            explained = frozenset().union(*met) | (atoms & (frame.absorbs | frame.values.keys()))
            found.append(Match(frame, explained))
    kept = [m for m in found if not any(m.atoms < other.atoms for other in found)]
    return list({match.frame.axis: match for match in reversed(kept)}.values())[::-1]


def _undone(atoms: frozenset[str], lexicon: Lexicon) -> list[Match]:
    """``reset the camera``: every axis of the things named."""
    things = atoms - {"undo"}
    if "undo" not in atoms or not things or any(lexicon.kinds.get(atom) != "things" for atom in things):
        return []
    frames = [frame for frame in lexicon.frames if frame.thing in things]
    return [Match(frame, things) for frame in frames]


def _all_axes(clause: Clause, axes: Mapping[str, Axis]) -> list[Match]:
    """``randomize everything``."""
    if clause.atoms != {"everything"}:
        return []
    return [Match(Frame(axis, ()), clause.atoms | EXPANDED) for axis in axes]


def _resolve(clause: Clause, matches: Sequence[Match], axes: Mapping[str, Axis]) -> Reading:
    explained = _explained(matches)
    left = {i for i, item in enumerate(clause.items) if _left_over(item, explained)}
    perturbations, understood = [], []
    for match in matches:
        perturbation, used, extra = _perturbation(clause, match, axes[match.frame.axis])
        left = (left - used) | extra
        perturbations.append(perturbation)
        understood.append((_words(clause, match), meaning(perturbation)))
    words = tuple(item.words for i, item in enumerate(clause.items) if i in left)
    if any(clause.items[i].quantity for i in left):
        return Reading(not_understood=words)  # Better nothing than another strength than asked for.
    return Reading(tuple(perturbations), tuple(understood), words)


def _explained(matches: Sequence[Match]) -> frozenset[str]:
    """Atoms that matches explain; a word for everything is explained by any of the surfaces."""
    atoms: frozenset[str] = frozenset().union(*(match.atoms for match in matches))
    if matches:
        atoms |= NEGATIONS
    return atoms | {"everything"} if atoms & EXPANDED else atoms


def _left_over(item: Item, explained: frozenset[str]) -> bool:
    if item.unknown or item.quantity:
        return True
    return bool(item.atoms) and not explained.intersection(item.atoms)


def _words(clause: Clause, match: Match) -> str:
    """The words of a clause that a match explains."""
    return " ".join(
        item.words
        for item in clause.items
        if item.quantity or (item.entry and (item.entry.degree is not None or match.atoms.intersection(item.atoms)))
    )


def meaning(perturbation: Perturbation) -> str:
    """A perturbation in a few words for listings."""
    value = perturbation.value
    shown = "" if value is None else f" {value if isinstance(value, str) else tuple(round(x, 3) for x in value)}"
    target = f" of {perturbation.target}" if perturbation.target else ""
    return f"{perturbation.axis}{target}{shown} at {100 * perturbation.intensity:.4g} %"


def _perturbation(clause: Clause, match: Match, axis: Axis) -> tuple[Perturbation, set[int], set[int]]:
    """A perturbation, the indices of quantities it used, and those of values it has no use for."""
    frame = match.frame
    value, extra = _value(clause, frame)
    intensity, value, used = _intensity(clause, frame, value)
    target = next((target for target in axis.targets[1:] if target in clause.atoms), None)
    negated = bool(clause.atoms & NEGATIONS) and not any(needs & NEGATIONS for needs in _met(clause, frame))
    if negated:
        intensity, value = 0.0, None
    return Perturbation(frame.axis, intensity, target, value), used, extra


def _met(clause: Clause, frame: Frame) -> list[frozenset[str]]:
    return [needs for needs in frame.needs if needs <= clause.atoms]


def _value(clause: Clause, frame: Frame) -> tuple[Value, set[int]]:
    """The value that the words of a clause give, and the indices of words with another one."""
    if frame.value is not None:
        return frame.value, set()
    found: dict[int, Value] = {}
    for index, item in enumerate(clause.items):
        for atom in item.atoms:
            name = frame.values.get(atom)
            value = item.entry.value if name == "=" and item.entry else name
            if value is not None:
                found[index] = value
    different = list(dict.fromkeys(found.values()))
    if frame.combine and different:
        return " ".join(str(value) for value in different), set()
    first = different[0] if different else None
    return first, {index for index, value in found.items() if value != first}


def _intensity(clause: Clause, frame: Frame, value: Value) -> tuple[float, Value, set[int]]:
    """Intensity, the value as a quantity may decide it, and the indices of the quantities used."""
    for index, item in enumerate(clause.items):
        if item.quantity:
            decided = intensity_of(item.quantity, frame, value)
            if decided is not None:
                return (*decided, {index})
    if frame.intensity is not None:
        return frame.intensity, value, set()
    return _degree(clause, frame), value, set()


def _degree(clause: Clause, frame: Frame) -> float:
    """The adverb's degree, else the one a word carries, else its count, else the default."""
    entries = [item.entry for item in clause.items if item.entry]
    adverbs = [e.degree for e in entries if e.degree is not None and not e.atoms]
    inherent = [e.degree for e in entries if e.degree is not None and e.atoms]
    counts = [e.count for e in entries if e.count is not None]
    if adverbs or inherent:
        return max(adverbs or inherent)
    if frame.count and counts:
        return counts[0] / frame.count
    return DEFAULT_DEGREE
