"""Grounding: from a prompt to perturbations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adversarl.types import Axis, Grounding, Perturbation
from adversarl_mujoco.grounding.clauses import Clause, clauses, halves, mergeable, things_of
from adversarl_mujoco.grounding.frames import Reading, read
from adversarl_mujoco.grounding.lexicon import Lexicon
from adversarl_mujoco.grounding.tokens import items
from adversarl_mujoco.grounding.vocabulary import lexicon_of


def ground(text: str, axes: Sequence[Axis], *, embeddings: bool = False) -> Grounding:
    """Grounds a prompt to these axes: offline, deterministic, and never silent about a word it does not know.

    Args:
        text: The prompt, in English.
        axes: Axes that may be asked for.
        embeddings: Whether clauses that the grammar does not understand are taken for what they come nearest to in
            meaning; see `adversarl_mujoco.grounding.meaning`.

    Returns:
        Perturbations with seed 0 in the order of the prompt, one per axis and target (the last word counts),
        what was understood and what was not. ``restore`` undoes what the prompt asked for before it.

    Raises:
        MissingExtra: `embeddings`, and their packages are not installed.
    """
    named = {axis.name: axis for axis in axes}
    lexicon = lexicon_of(tuple(axes))
    attempts = [_read_all(text, lexicon, named, literal=literal) for literal in (False, True)]
    groups, readings = min(attempts, key=lambda attempt: _cost(_joined(attempt[1])))
    confidence = 1.0
    if embeddings:
        from adversarl_mujoco.grounding.second import by_meaning

        readings, confidence = by_meaning(groups, readings, lexicon, named)
    best = _joined(readings)
    return Grounding(text, best.perturbations, best.understood, best.not_understood, best.restore, confidence)


def _cost(reading: Reading) -> tuple[int, bool, int]:
    """The reading that leaves fewest words unexplained, and explains them by least, is taken."""
    empty = not reading.perturbations and not reading.restore
    return len(reading.not_understood), empty, len(reading.perturbations)


def _read_all(
    text: str, lexicon: Lexicon, axes: Mapping[str, Axis], *, literal: bool
) -> tuple[list[Clause], list[Reading]]:
    """Groups of clauses that are requests, and what each was taken for."""
    found = clauses(items(text, lexicon, literal=literal), lexicon)
    groups: list[Clause] = []
    readings: list[Reading] = []
    while found:
        size, reading = _group(found, groups, lexicon, axes)
        merged = sum(found[1:size], found[0])
        if not reading.complete and groups and mergeable(groups[-1], merged, lexicon):
            joined = read(groups[-1] + merged, lexicon, axes)
            if joined.complete and _axes(readings[-1]) <= _axes(joined):
                merged, reading = groups.pop() + merged, joined
                readings.pop()
        if not reading.complete and (not groups or merged.begins_request()):
            loose = read(merged, lexicon, axes, loose=True)
            reading = loose if loose.complete else reading
        groups.append(merged)
        readings.append(reading)
        found = found[size:]
    return groups, readings


def _axes(reading: Reading) -> set[str]:
    return {perturbation.axis for perturbation in reading.perturbations}


def _group(
    found: Sequence[Clause], before: Sequence[Clause], lexicon: Lexicon, axes: Mapping[str, Axis]
) -> tuple[int, Reading]:
    """How many of the next clauses form one request, and what it was taken for."""
    alone = _read_one(found[0], before, lexicon, axes)
    merged = found[0]
    for size in range(2, len(found) + 1):
        if alone.complete or not mergeable(merged, found[size - 1], lexicon):
            break
        merged = merged + found[size - 1]
        reading = read(merged, lexicon, axes)
        if reading.complete:
            return size, reading
    return 1, alone


def _read_one(clause: Clause, before: Sequence[Clause], lexicon: Lexicon, axes: Mapping[str, Axis]) -> Reading:
    reading = read(clause, lexicon, axes)
    if reading.complete or clause.excluded or not clause.atoms:
        return reading
    meant = _elliptic(clause, before, lexicon, axes)
    if meant.complete:
        return meant
    parts = _in_parts(clause, lexicon, axes)
    return parts if parts.complete else reading


def _in_parts(clause: Clause, lexicon: Lexicon, axes: Mapping[str, Axis]) -> Reading:
    """What ``a red cube on a green table under blue light`` asks for part by part, if every part asks for something."""
    for left, right in halves(clause, lexicon):
        first = read(left, lexicon, axes)
        if first.complete:
            rests = [rest for rest in (_in_parts(right, lexicon, axes), read(right, lexicon, axes)) if rest.complete]
            if rests:
                return _joined([first, max(rests, key=lambda rest: len(rest.perturbations))])
    return Reading()


def _elliptic(clause: Clause, before: Sequence[Clause], lexicon: Lexicon, axes: Mapping[str, Axis]) -> Reading:
    """What a clause means that speaks of ``it``, or of nothing, after one that names something.

    In a list only descriptions share their subject: ``the mug is small and red``.
    """
    pronoun = any(item.words in lexicon.pronouns for item in clause.items)
    described = bool(before) and clause.listed and not before[-1].begins_request()
    nothing = "things" not in clause.kinds(lexicon) and (clause.begins_request() or not clause.listed or described)
    if not before or not (pronoun or nothing):
        return Reading()
    return read(Clause(things_of(before, lexicon)) + clause, lexicon, axes)


def _joined(readings: Sequence[Reading]) -> Reading:
    """One after the other: a later word on the same axis and target counts, and a restore undoes what came before."""
    perturbations: dict[tuple[str, str | None], Perturbation] = {}
    for reading in readings:
        if reading.restore:
            perturbations.clear()
        for perturbation in reading.perturbations:
            perturbations.pop((perturbation.axis, perturbation.target), None)
            perturbations[perturbation.axis, perturbation.target] = perturbation
    return Reading(
        tuple(perturbations.values()),
        tuple(pair for reading in readings for pair in reading.understood),
        tuple(word for reading in readings for word in reading.not_understood),
        any(reading.restore for reading in readings),
    )
