"""Cuts items into clauses, the pieces of a prompt that are understood on their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from adversarl_mujoco.grounding.lexicon import Lexicon
from adversarl_mujoco.grounding.tokens import Item

NEGATIONS = frozenset({"not", "off", "undo"})
_SOFT = frozenset({",", "and", "&", "or", "nor", "plus"})


@dataclass(frozen=True)
class Clause:
    """Items that stand together.

    Attributes:
        items: The items.
        listed: Whether a comma or an ``and`` is all that divides it from the clause before.
        joined: Whether it is several clauses that share words.
        excluded: Whether it names what is not meant, as in ``rather than the table``.
    """

    items: tuple[Item, ...]
    listed: bool = False
    excluded: bool = False
    joined: bool = False

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
        """Kinds of its atoms but soft ones; colours and the like of compounds are values."""
        return {lexicon.kinds.get(atom, "values") for atom in self.atoms - lexicon.soft}

    def __add__(self, other: Clause) -> Clause:
        return replace(self, items=self.items + other.items, joined=True)


def clauses(items: Iterable[Item], lexicon: Lexicon) -> list[Clause]:
    """Cuts at separators, and before ``without``, whose negation must not reach back."""
    found: list[Clause] = [Clause(())]
    for item in items:
        if item.separator:
            soft = item.words in _SOFT and (found[-1].items or found[-1].listed)
            found.append(Clause((), listed=bool(soft)))
        elif item.words == "without":
            found.append(Clause((item,)))
        elif item.words in lexicon.exclusions:
            found.append(Clause((item,), excluded=True))
        else:
            found[-1] = replace(found[-1], items=(*found[-1].items, item))
    return _share([_without_one(clause) for clause in found if clause.items], lexicon)


def _without_one(clause: Clause) -> Clause:
    """``a white one`` is no number."""
    last = clause.items[-1]
    return replace(clause, items=clause.items[:-1]) if last.words == "one" and len(clause.items) > 1 else clause


def _share(found: list[Clause], lexicon: Lexicon) -> list[Clause]:
    """Lets members of a list share what is said once: a strength at its end, a negation at its beginning."""
    for index in range(len(found) - 1, 0, -1):
        last = found[index]
        continued = last.listed and not last.begins_request() and not any(item.quantity for item in last.items[:-1])
        if continued and last.items[-1].degree and not _decided(found[index - 1]):
            found[index - 1] += Clause(last.items[-1:])
    for index in range(1, len(found)):
        clause, negation = found[index], [i for i in found[index - 1].items if NEGATIONS.intersection(i.atoms)]
        only = any(item.words == "only" for item in clause.items)
        bare = clause.atoms and not only and clause.kinds(lexicon) <= {"things", "properties"} and not _decided(clause)
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
    if left.excluded or right.excluded:
        return False
    if left.unknown or right.unknown or "not" in left.atoms | right.atoms:
        return False
    if left.kinds(lexicon) == {"actions"}:
        return True
    bare = any(len(clause.kinds(lexicon)) == 1 for clause in (left, right))
    return bare and not right.begins_request()


def things_of(clauses: Sequence[Clause], lexicon: Lexicon) -> tuple[Item, ...]:
    """What ``it`` stands for: the things of the last clause that names any."""
    named = (tuple(item for item in clause.items if _is_thing(item, lexicon)) for clause in reversed(clauses))
    return next(filter(None, named), ())


def _is_thing(item: Item, lexicon: Lexicon) -> bool:
    return any(lexicon.kinds.get(atom) == "things" for atom in item.atoms)


def halves(clause: Clause, lexicon: Lexicon) -> list[tuple[Clause, Clause]]:
    """A clause cut in two, at every word where it may be."""
    cuts = [i for i, item in enumerate(clause.items) if item.words in lexicon.joints and 0 < i < len(clause.items) - 1]
    return [(replace(clause, items=clause.items[:i]), Clause(clause.items[i + 1 :])) for i in cuts]
