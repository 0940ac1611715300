"""What a calibration says of a classifier, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from adversarl.metrics import rate
from adversarl.types import Rate
from adversarl_failures.calibration.harness import Verdict

NOTHING = "nothing"
"""The column of trials in which no axis is blamed, and the row of those without a cause."""

FIGURES = {
    "top1": "alone: named first",
    "pairs": "pairs: both named",
    "companion_named": "with a companion: named first",
    "companion_spared": "with a companion: one of the two named, not both",
    "clean": "no cause: nothing named",
    "precision": "named axes that are causes",
    "recall": "causes that are named",
}
"""Keys of the proportions and what they count."""


def figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Proportions with Wilson intervals, confusions, and the environment steps that the classifier took.

    Precision and recall count axes over all trials. The confusion matrix has the axis injected alone, or none, and the
    axis blamed first.
    """
    alone, pairs, accompanied, clean = (
        [v for v in verdicts if v.injected.kind == kind] for kind in ("single", "pair", "companion", "clean")
    )
    rates: dict[str, Rate] = {
        "top1": rate([_first(v) for v in alone]),
        "pairs": rate([set(v.injected.causes) <= set(v.blamed) for v in pairs]),
        "companion_named": rate([_first(v) for v in accompanied]),
        "companion_spared": rate([len(set(v.injected.companions) & set(v.blamed)) == 1 for v in accompanied]),
        "clean": rate([not v.blamed for v in clean]),
        "precision": rate([axis in v.injected.causes for v in verdicts for axis in v.blamed]),
        "recall": rate([cause in v.blamed for v in verdicts for cause in v.injected.causes]),
    }
    return {
        **{key: one.to_json() for key, one in rates.items()},
        "falsely_blamed": _counts(axis for v in verdicts for axis in v.blamed if axis not in v.injected.causes),
        "env_steps": float(np.mean([v.env_steps for v in verdicts])),
        "confusion": confusion(verdicts),
    }


def _first(verdict: Verdict) -> bool:
    return verdict.blamed[:1] == tuple(verdict.injected.causes)


def confusion(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """How often each axis was blamed first, by the axis injected; zeros left out."""
    cells: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.injected.kind in ("single", "clean"):
            row = next(iter(verdict.injected.causes), NOTHING)
            cells.setdefault(row, []).append(next(iter(verdict.blamed), NOTHING))
    return {row: _counts(blamed) for row, blamed in cells.items()}


def mistaken(matrix: dict[str, dict[str, int]]) -> list[list[str]]:
    """Rows (injected, blamed, times) of a confusion matrix off its diagonal."""
    return [[row, column, str(n)] for row, line in matrix.items() for column, n in line.items() if row != column]


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
