"""The second stage: what the lexicon cannot read is taken for the axis of the nearest example sentence in meaning.

The nearness of two sentences is the cosine of their embeddings; words of the sentence that the axis' frames know count
besides, because a small network knows little of robots. What is not near enough, or as near to two axes, is refused.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from adversarl.types import Axis
from adversarl_mujoco.grounding.clauses import Clause
from adversarl_mujoco.grounding.embedding import embed
from adversarl_mujoco.grounding.lexicon import Lexicon

LEXICAL = 0.4
"""What a sentence counts besides its nearness, all of whose known words belong to the axis."""
LEAST = 0.45
"""A sentence less near than this is refused."""
BESIDE = 0.65
"""The same for a clause beside others that the grammar has read: it may only give the reason for them."""
MARGIN = 0.05
"""So much must the best axis be ahead of the next one."""
CERTAIN = 0.78
"""From this nearness on, words that the lexicon does not know count as understood.

The nearest sentence of the impossible ones (dev split) reaches 0.66.
"""
REFUSED = "none"


@dataclass(frozen=True)
class Examples:
    """Example sentences: their axes, values (empty where they name none) and embeddings, Shape (n, 384)."""

    axes: tuple[str, ...]
    values: tuple[str, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """What a sentence is taken for, and how near it is to an example of that, in [-1, 1]."""

    axis: str
    value: str | None
    confidence: float


@cache
def examples() -> Examples:
    """The sentences of ``exemplars.toml``, embedded once."""
    data = tomllib.loads(files("adversarl_mujoco.grounding").joinpath("exemplars.toml").read_text("utf-8"))
    rows = [(axis, value, text) for axis, values in data.items() for value, texts in values.items() for text in texts]
    axes, values, texts = zip(*rows, strict=True)
    return Examples(axes, tuple("" if value == "any" else value for value in values), embed(texts))


def guess(clause: Clause, lexicon: Lexicon, axes: tuple[Axis, ...], least: float = LEAST) -> Guess | None:
    """The axis that a clause comes nearest to in meaning; None where none is near enough.

    Raises:
        MissingExtra: The packages of the extra ``embeddings`` are not installed.
    """
    known = examples()
    near = known.vectors @ embed([" ".join(item.words for item in clause.items)])[0]
    best: dict[str, int] = {}
    for index in np.argsort(near, kind="stable"):
        best[known.axes[index]] = int(index)
    atoms = clause.atoms - lexicon.idle
    offered = {axis.name for axis in axes} | {REFUSED}
    scores = {
        axis: float(near[index]) + LEXICAL * _share(atoms, lexicon.needed.get(axis, frozenset()))
        for axis, index in best.items()
    }
    first, second = sorted(scores, key=lambda axis: (-scores[axis], axis))[:2]
    confidence = float(near[best[first]])
    if first not in offered - {REFUSED} or confidence < least or scores[first] - scores[second] < MARGIN:
        return None
    return Guess(first, known.values[best[first]] or None, confidence)


def _share(atoms: frozenset[str], known: frozenset[str]) -> float:
    return len(atoms & known) / len(atoms) if atoms else 0.0
