"""Cuts items into clauses, the pieces of a prompt that are understood on their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from adversarl_mujoco.grounding.lexicon import Lexicon
from adversarl_mujoco.grounding.tokens import Item, counted

NEGATIONS = frozenset({"not", "off", "undo"})
_SOFT = frozenset({",", "and", "&", "or", "nor", "plus"})


@dataclass(frozen=True)
class Clause:
    """Items that stand together.

    Attributes:
        items: The items.
        listed: Whether a comma or an ``and`` is all that divides it from the clause before.
    """

    items: tuple[Item, ...]
    listed: bool = False

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
        return Clause(self.items + other.items, self.listed)


def clauses(items: Iterable[Item], lexicon: Lexicon) -> list[Clause]:
    """Cuts at separators, and before ``without``, whose negation must not reach back."""
    found: list[Clause] = [Clause(())]
    for item in items:
        if item.separator:
            soft = item.words in _SOFT and (found[-1].items or found[-1].listed)
            found.append(Clause((), listed=bool(soft)))
        elif item.words == "without":
            found.append(Clause((item,)))
        else:
            found[-1] = Clause((*found[-1].items, counted(item)), found[-1].listed)
    return _share([clause for clause in found if clause.items], lexicon)


def _share(found: list[Clause], lexicon: Lexicon) -> list[Clause]:
    """Lets members of a list share what is said once: a strength at its end, a negation at its beginning."""
    for index in range(len(found) - 1, 0, -1):
        last = found[index]
        continued = last.listed and not last.begins_request()
        if continued and last.items[-1].degree and not _decided(found[index - 1]):
            found[index - 1] += Clause(last.items[-1:])
    for index in range(1, len(found)):
        clause, negation = found[index], [i for i in found[index - 1].items if NEGATIONS.intersection(i.atoms)]
        bare = clause.atoms and clause.kinds(lexicon) <= {"things", "properties"} and not _decided(clause)
        if clause.listed and negation and bare and not clause.begins_request():
            found[index] = replace(clause, items=(*negation, *clause.items))
    return found


def _decided(clause: Clause) -> bool:
    """Whether it says a strength, a number or a negation itself."""
    return bool(clause.atoms & NEGATIONS) or any(item.degree or item.quantity for item in clause.items)


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
