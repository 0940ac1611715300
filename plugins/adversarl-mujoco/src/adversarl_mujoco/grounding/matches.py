"""Matches the atoms of a clause against the frames of the lexicon."""

from __future__ import annotations

from dataclasses import dataclass

from adversarl_mujoco.grounding.clauses import Clause
from adversarl_mujoco.grounding.lexicon import Frame, Lexicon


@dataclass(frozen=True)
class Match:
    """A frame whose needs a clause meets, with all atoms it explains, and how many of them it needs."""

    frame: Frame
    atoms: frozenset[str]
    needed: int = 0


def matching(clause: Clause, atoms: frozenset[str], lexicon: Lexicon) -> list[Match]:
    """Frames that fit, without those that another one explains strictly more than."""
    found = []
    for frame in lexicon.frames:
        met = [needs for needs in frame.needs if needs <= atoms]
        if met and (frame.subject is None or _subject(clause, lexicon) == frame.subject):
            explained = frozenset().union(*met) | (atoms & (frame.absorbs | frame.values.keys()))
            found.append(Match(frame, explained, max(map(len, met))))
    kept = [m for m in found if not any(_beaten(m, other, lexicon.soft) for other in found)]
    kept = kept if clause.joined else _nearest(clause, kept, lexicon)
    return list({match.frame.axis: match for match in reversed(kept)}.values())[::-1]


def _nearest(clause: Clause, matches: list[Match], lexicon: Lexicon) -> list[Match]:
    """Where two things could have one property (``hardly any light reaches the table``), the first one has it."""
    order = [atom for item in clause.items for atom in item.atoms if lexicon.kinds.get(atom) == "things"]
    rank = {match.frame.axis: _rank(match, order) for match in matches}

    def owned(match: Match, other: Match) -> bool:
        shared = {atom for atom in match.atoms & other.atoms if lexicon.kinds.get(atom) != "things"}
        apart = match.frame.thing != other.frame.thing and rank[other.frame.axis] < rank[match.frame.axis]
        return bool(shared) and apart

    return [match for match in matches if not any(owned(match, other) for other in matches)]


def _rank(match: Match, order: list[str]) -> int:
    """The place of the first thing that a match explains."""
    return next((index for index, atom in enumerate(order) if atom in match.atoms), len(order))


def _beaten(match: Match, other: Match, soft: frozenset[str]) -> bool:
    """Whether another match explains more; what soft atoms explain counts only between equals."""
    hard, others = match.atoms - soft, other.atoms - soft
    if match.frame.fallback != other.frame.fallback:
        return match.frame.fallback
    if hard != others or match.atoms == other.atoms:
        return hard < others or (hard == others and match.needed < other.needed)
    return match.atoms < other.atoms


def _subject(clause: Clause, lexicon: Lexicon) -> str | None:
    """The first thing named, which is what the clause is about."""
    atoms = (atom for item in clause.items for atom in item.atoms)
    return next((atom for atom in atoms if lexicon.kinds.get(atom) == "things"), None)


def undone(atoms: frozenset[str], lexicon: Lexicon) -> list[Match]:
    """``reset the camera``: every axis of the things named."""
    things = atoms - {"undo"}
    if "undo" not in atoms or not things or any(lexicon.kinds.get(atom) != "things" for atom in things):
        return []
    frames = [frame for frame in lexicon.frames if frame.thing in things]
    return [Match(frame, things) for frame in frames]
