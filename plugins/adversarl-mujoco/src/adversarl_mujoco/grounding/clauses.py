"""Cuts items into clauses, the pieces of a prompt that are understood on their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from adversarl_mujoco.grounding.lexicon import Lexicon
from adversarl_mujoco.grounding.tokens import Item, counted


@dataclass(frozen=True)
class Clause:
    """Items that stand together."""

    items: tuple[Item, ...]

    @cached_property
    def atoms(self) -> frozenset[str]:
        """All atoms of its items."""
        return frozenset(atom for item in self.items for atom in item.atoms)

    @property
    def unknown(self) -> bool:
        """Whether a word was taken for nothing at all."""
        return any(item.unknown for item in self.items)

    def begins_request(self) -> bool:
        """Whether it begins with a verb, adverbs and fillers apart."""
        for item in self.items:
            if item.entry and item.entry.verb:
                return True
            if item.atoms:
                return False
        return False

    def kinds(self, lexicon: Lexicon) -> set[str]:
        """Kinds of its atoms, ``everything`` counted as a thing."""
        return {lexicon.kinds.get(atom, "values") for atom in self.atoms}

    def __add__(self, other: Clause) -> Clause:
        return Clause(self.items + other.items)


def clauses(items: Iterable[Item]) -> list[Clause]:
    """Cuts at separators, and before ``without``, whose negation must not reach back."""
    found: list[list[Item]] = [[]]
    for item in items:
        if item.separator or item.words == "without":
            found.append([])
        if not item.separator:
            found[-1].append(counted(item))
    return [Clause(tuple(group)) for group in found if group]


def mergeable(left: Clause, right: Clause, lexicon: Lexicon) -> bool:
    """Whether ``left and right`` may share words, as in ``the table and the object red``.

    One of them must be a bare list of things, of properties or of values, and a new verb begins a new request.
    """
    if left.unknown or right.unknown or "not" in left.atoms | right.atoms:
        return False
    if left.kinds(lexicon) == {"actions"}:
        return True
    bare = any(len(clause.kinds(lexicon)) == 1 for clause in (left, right))
    return bare and not right.begins_request()


def things_of(clauses: Sequence[Clause], lexicon: Lexicon) -> tuple[Item, ...]:
    """What ``it`` stands for: the things of the clause before."""
    if not clauses:
        return ()
    return tuple(item for item in clauses[-1].items if any(lexicon.kinds.get(a) == "things" for a in item.atoms))
