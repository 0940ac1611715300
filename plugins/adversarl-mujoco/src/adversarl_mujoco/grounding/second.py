"""Gives the clauses that the grammar does not complete to the second stage, and makes readings of its guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adversarl.types import Axis
from adversarl_mujoco.grounding.clauses import Clause
from adversarl_mujoco.grounding.frames import Reading, understood_as
from adversarl_mujoco.grounding.lexicon import Lexicon
from adversarl_mujoco.grounding.meaning import BESIDE, CERTAIN, LEAST, Guess, guess


def by_meaning(
    groups: Sequence[Clause], readings: Sequence[Reading], lexicon: Lexicon, axes: Mapping[str, Axis]
) -> tuple[list[Reading], float]:
    """Readings with guesses where the grammar found no axis, and the least confidence among them (1 without any)."""
    refined, confidence = list(readings), 1.0
    alone = not any(reading.perturbations or reading.restore for reading in readings)
    if alone and len(groups) > 1:
        whole = sum(groups[1:], groups[0])
        left = tuple(words for reading in readings for words in reading.not_understood)
        found = _guess(whole, readings, lexicon, axes, LEAST)
        if found:
            return [_reading(whole, left, found, lexicon, axes)], found.confidence
    for index, (clause, reading) in enumerate(zip(groups, readings, strict=True)):
        found = _guess(clause, [reading], lexicon, axes, LEAST if alone else BESIDE)
        if found:
            refined[index] = _reading(clause, reading.not_understood, found, lexicon, axes)
            confidence = min(confidence, found.confidence)
    return refined, confidence


def _guess(
    clause: Clause, readings: Sequence[Reading], lexicon: Lexicon, axes: Mapping[str, Axis], least: float
) -> Guess | None:
    """A guess for a clause that asks for something, but for nothing that the grammar knows."""
    settled = any(reading.complete or reading.perturbations for reading in readings)
    refused = any(
        item.quantity and not item.words.isalpha() for item in clause.items
    )  # Better nothing than another strength than asked for.
    if settled or refused or clause.excluded or not any(reading.not_understood for reading in readings):
        return None
    return guess(clause, lexicon, tuple(axes.values()), least)


def _reading(
    clause: Clause, left: tuple[str, ...], found: Guess, lexicon: Lexicon, axes: Mapping[str, Axis]
) -> Reading:
    """What a guess asks for; only a certain one makes up for words that the grammar could not place."""
    perturbations = understood_as(clause, axes[found.axis], found.value, lexicon)
    words = " ".join(item.words for item in clause.items)
    meaning = f"{found.axis} ({found.confidence:.2f} by meaning)"
    return Reading(tuple(perturbations), ((words, meaning),), () if found.confidence >= CERTAIN else left)
