"""The leakage guard: what a run saw, beside what the suite keeps for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.runs import read_rows
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Perturbation
from adversarl_benchmark.spec import SuiteSpec


def leaks(folder: Path, recipe: Mapping[str, Any], spec: SuiteSpec, world: PerturbableVectorEnv) -> list[str]:
    """Everything in which a run's training met the suite, one sentence each; empty for a run that is held out from it.

    Looked at are the world that the recipe trained in, and every prompt, perturbation and reset seed of its
    ``curriculum.jsonl`` and ``episodes.jsonl``.

    Args:
        folder: The run folder.
        recipe: Its tables, with every default.
        spec: The suite.
        world: Any world of the recipe's backend; it knows what is reserved for tests.
    """
    found = list(_world(recipe["backend"], spec))
    seen: dict[str, int] = {}
    for row in (*read_rows(folder / "curriculum.jsonl"), *read_rows(folder / "episodes.jsonl")):
        for what in _row(row, spec, world):
            seen[what] = seen.get(what, 0) + 1
    return found + [f"{what} ({count} times)" for what, count in sorted(seen.items())]


def _world(backend: Mapping[str, Any], spec: SuiteSpec) -> Iterator[str]:
    for key, value in spec.training.items():
        if backend.get(key) != value:
            yield f"trained with backend.{key} = {backend.get(key)!r}, and not {value!r}"
    worlds = [spec.world, *(curve.world for curve in spec.curves)]
    for key in sorted({key for world in worlds for key in world} - set(spec.training)):
        if backend.get(key) in [world[key] for world in worlds if key in world]:
            yield f"trained with backend.{key} = {backend.get(key)!r}, which the suite keeps for itself"


def _row(row: Mapping[str, Any], spec: SuiteSpec, world: PerturbableVectorEnv) -> Iterator[str]:
    if row.get("refused"):  # tried by the guard's player alone, never trained on
        return
    if row.get("text") in spec.sentences:
        yield f"the prompt '{row['text']}'"
    if (row.get("seed") or 0) >= TRAINING_SEEDS:
        yield "a reset seed of evaluations"
    for one in row["perturbations"]:
        if one["axis"] in spec.unseen_axes:
            yield f"the axis {one['axis']}"
        elif isinstance(one["value"], list) and world.reserved(_perturbation(one)):
            yield f"{one['axis']} {tuple(one['value'])}, which is reserved for tests"


def _perturbation(row: Mapping[str, Any]) -> Perturbation:
    return Perturbation(row["axis"], row["intensity"], row["target"], tuple(row["value"]))
