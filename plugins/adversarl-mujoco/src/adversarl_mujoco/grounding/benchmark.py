"""How well prompts are grounded: a corpus written before the grammar was tuned, split into dev and test by a rule."""

from __future__ import annotations

import time
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.resources import files
from typing import Any

from adversarl.types import Axis, Grounding
from adversarl_mujoco.axes.base import ObjectAxis
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.grounding.embedding import available
from adversarl_mujoco.grounding.ground import ground
from adversarl_mujoco.grounding.lexicon import load

SPLITS = ("dev", "test")
Grounder = Callable[[str, Sequence[Axis]], Grounding]


@dataclass(frozen=True)
class Sentence:
    """A sentence of the corpus with what readers agree it asks for; see the head of ``paraphrases.toml``."""

    text: str
    axes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    restore: bool = False
    why: str = ""

    @property
    def split(self) -> str:
        """``dev`` or ``test``, by the parity of its checksum."""
        return SPLITS[zlib.crc32(self.text.encode("utf-8")) % 2]


def _sentence(text: str, restore: bool = False, why: str = "", **lists: list[str]) -> Sentence:
    return Sentence(text, restore=restore, why=why, **{key: tuple(value) for key, value in lists.items()})


@cache
def corpus(name: str, split: str) -> tuple[Sentence, ...]:
    """Sentences of ``paraphrases`` or ``impossible`` in one split."""
    data = tomllib.loads(files("adversarl_mujoco.grounding").joinpath(f"{name}.toml").read_text("utf-8"))
    rows = (_sentence(**row) for row in data["sentence"])
    return tuple(row for row in rows if row.split == split)


def furnished() -> tuple[Axis, ...]:
    """Axes of a world that has every object that the lexicon has a name for; the cube is the task's target."""
    names = ("cube", *sorted(load().objects - {"cube"}))
    specs = (replace(axis.spec, targets=names) if isinstance(axis, ObjectAxis) else axis.spec for axis in WORLD_AXES)
    return tuple(specs)


def asked(grounding: Grounding) -> set[str]:
    """Axes that a grounding changes; one that is taken back (intensity 0) is not asked for."""
    changed = {p.axis for p in grounding.perturbations if p.intensity}
    return changed or {p.axis for p in grounding.perturbations}


def exact(sentence: Sentence, grounding: Grounding) -> bool:
    """Whether a grounding has the axes and the named values that were annotated, and no others."""
    if sentence.restore:
        return grounding.restore and not grounding.perturbations
    got, wanted, also = asked(grounding), set(sentence.axes), set(sentence.also)
    first = set(sentence.axes[:1]) if also else set()
    if not got or not (wanted - first) <= got <= wanted | also or not got & (first | also or wanted):
        return False
    values = {(p.axis, p.value) for p in grounding.perturbations}
    named = [pair for pair in zip(sentence.axes, sentence.values, strict=False) if pair[1] and pair[0] in got]
    return all(pair in values for pair in named)


def score(sentences: Sequence[Sentence], grounder: Grounder, axes: Sequence[Axis]) -> dict[str, Any]:
    """Figures of one stage over one split of the paraphrases."""
    groups = {axis.name: axis.group for axis in axes}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    confusion: Counter[tuple[str, str]] = Counter()
    for sentence in sentences:
        grounding = grounder(sentence.text, axes)
        hit = exact(sentence, grounding)
        group = groups.get(sentence.axes[0], "absent") if len(sentence.axes) == 1 else "several axes"
        group = "back to nominal" if sentence.restore else group
        total[group] += 1
        right[group] += hit
        counts[_outcome(grounding, hit)] += 1
        confusion.update(_confused(sentence, asked(grounding)) if not hit else ())
    return {
        "sentences": len(sentences),
        "exact": right.total() / max(1, len(sentences)),
        "groups": {group: {"exact": right[group] / n, "sentences": n} for group, n in sorted(total.items())},
        **{name: counts[name] for name in OUTCOMES},
        "confusion": sorted([wanted, got, n] for (wanted, got), n in confusion.items()),
    }


OUTCOMES = {
    "exact_complete": "exact, every word understood",
    "exact_partial": "exact, some words reported as not understood",
    "wrong_partial": "another reading, but reported as not understood in part",
    "wrong_complete": "another reading, silently",
    "refused": "refused",
}


def _outcome(grounding: Grounding, hit: bool) -> str:
    if not grounding.perturbations and not grounding.restore:
        return "refused"
    return f"{'exact' if hit else 'wrong'}_{'complete' if grounding.complete else 'partial'}"


def _confused(sentence: Sentence, got: set[str]) -> list[tuple[str, str]]:
    """Pairs (axis asked for, axis given instead); ``nothing`` where none was asked for or given."""
    missed = set(sentence.axes) - got - (set(sentence.axes[:1]) if got & set(sentence.also) else set())
    extra = got - set(sentence.axes) - set(sentence.also)
    return [(wanted, given) for wanted in sorted(missed or {"nothing"}) for given in sorted(extra or {"nothing"})]


def refusals(sentences: Sequence[Sentence], grounder: Grounder, axes: Sequence[Axis]) -> dict[str, Any]:
    """What becomes of sentences that no world can obey; a silent misread is one that is understood completely."""
    groundings = [grounder(sentence.text, axes) for sentence in sentences]
    misreads = sum(grounding.complete for grounding in groundings)
    refused = sum(not grounding.perturbations and not grounding.restore for grounding in groundings)
    return {
        "sentences": len(sentences),
        "silent_misreads": misreads,
        "partial": len(sentences) - misreads - refused,
        "refused": refused,
    }


def speed(grounder: Grounder, axes: Sequence[Axis]) -> float:
    """Milliseconds for a sentence of the dev split, on average, warmed up."""
    texts = [sentence.text for sentence in corpus("paraphrases", "dev")]
    grounder(texts[0], axes)
    start = time.perf_counter()
    for text in texts:
        grounder(text, axes)
    return 1000 * (time.perf_counter() - start) / len(texts)


STAGES = ("grammar", "both")


def measure() -> dict[str, Any]:
    """All figures: a stage (``grammar`` alone, ``both``), then a split, then the paraphrases' and the impossible ones'.

    ``both`` is left out where the extra ``embeddings`` is not installed.
    """
    axes = furnished()
    grounders: dict[str, Grounder] = {"grammar": ground}
    if available():
        grounders["both"] = partial(ground, embeddings=True)
    stages = {
        stage: {
            split: {
                "paraphrases": score(corpus("paraphrases", split), grounder, axes),
                "impossible": refusals(corpus("impossible", split), grounder, axes),
            }
            for split in SPLITS
        }
        for stage, grounder in grounders.items()
    }
    return {"stages": stages, "milliseconds": {stage: speed(grounders[stage], axes) for stage in grounders}}
