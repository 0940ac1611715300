"""How good a detector's judgements are, in numbers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.metrics import wilson
from adversarl_rewards.bench.intervals import aurocs, balanced_accuracies, bounded
from adversarl_rewards.bench.judged import NOMINAL, Judged

BINS = 15
"""Equal bins of probability in [0, 1]."""


def figures(rows: Judged, rng: np.random.Generator) -> dict[str, Any]:
    """What judgements of pictures are worth; JSON-ready.

    Verdicts (balanced accuracy, accuracy, false positives and negatives) are taken at the detector's own thresholds
    and count only pictures of which it said yes or no; `coverage` is the share of those. Probabilities (AUROC,
    calibration error, Brier score) count every picture that it gave one. What cannot be had, such as an AUROC of
    pictures that are all solved, is None.

    Args:
        rows: The judgements.
        rng: Draws the bootstrap.
    """
    told = rows.rows(np.isfinite(rows.said))
    yes = told.said == 1
    wrong = yes != told.success
    return {
        "n": len(rows),
        "episodes": len(np.unique(rows.episode)),
        "coverage": wilson(len(told), len(rows)).to_json(),
        "balanced_accuracy": _balanced(told, rng),
        "accuracy": wilson(int((~wrong).sum()), len(told)).to_json(),
        "false_positives": wilson(int(wrong[~told.success].sum()), int((~told.success).sum())).to_json(),
        "false_negatives": wilson(int(wrong[told.success].sum()), int(told.success.sum())).to_json(),
        **_of_probabilities(rows.rows(np.isfinite(rows.probability)), rng),
    }


def _balanced(told: Judged, rng: np.random.Generator) -> dict[str, Any]:
    return bounded(balanced_accuracies(told.success, told.said == 1), told.success, told.episode, rng)


def _of_probabilities(given: Judged, rng: np.random.Generator) -> dict[str, Any]:
    success, p = given.success, given.probability
    return {
        "auroc": bounded(aurocs(success, p), success, given.episode, rng),
        "calibration_error": calibration_error(reliability(success, p)),
        "brier": float(np.mean((p - success) ** 2)) if len(p) else None,
    }


def reliability(success: NDArray[np.bool_], probability: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Mean probability and share of solved pictures in `BINS` equal bins of probability; empty ones are left out."""
    bins = np.minimum((probability * BINS).astype(np.intp), BINS - 1)
    return [
        {
            "said": float(probability[bins == b].mean()),
            "solved": wilson(int(success[bins == b].sum()), int((bins == b).sum())).to_json(),
        }
        for b in np.unique(bins)
    ]


def calibration_error(bins: list[dict[str, Any]]) -> float | None:
    """Expected calibration error (Naeini et al. 2015): mean distance of the two in the bins, weighted by pictures."""
    total = sum(row["solved"]["n"] for row in bins)
    gaps = [row["solved"]["n"] * abs(row["solved"]["value"] - row["said"]) for row in bins]
    return sum(gaps) / total if total else None


def spearman(rows: Judged) -> dict[str, Any]:
    """Rank correlation of progress as seen with true progress; None where either is unknown or does not vary."""
    known = np.isfinite(rows.progress) & np.isfinite(rows.seen)
    true, seen = _ranks(rows.progress[known]), _ranks(rows.seen[known])
    varies = len(true) > 2 and np.ptp(true) > 0 and np.ptp(seen) > 0
    return {"value": float(np.corrcoef(true, seen)[0, 1]) if varies else None, "n": int(known.sum())}


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def by_condition(rows: Judged, held_out: Collection[str], rng: np.random.Generator) -> dict[str, Any]:
    """`figures` of all pictures, of the nominal ones, and by axis, intensity, kind, and what training had seen.

    Args:
        rows: The judgements.
        held_out: Axes that the detector's training kept out, as far as it knows.
        rng: Draws the bootstraps.

    Returns:
        ``overall``, ``nominal``, ``intensities``, ``axes`` (over all intensities above 0), ``cells`` (each axis at
        each intensity), ``kinds`` (pictures of a kind against the solved ones), ``seen`` and ``held_out`` (axes by
        intensity; empty where the detector knows nothing of it), ``reliability`` and ``progress``.
    """
    perturbed = rows.axis != NOMINAL
    axes, intensities = np.unique(rows.axis[perturbed]).tolist(), np.unique(rows.intensity[perturbed]).tolist()
    apart = np.isin(rows.axis, sorted(held_out))
    parts = {"seen": perturbed & ~apart, "held_out": perturbed & apart} if held_out else {}
    given = rows.rows(np.isfinite(rows.probability))
    return {
        "overall": figures(rows, rng),
        "nominal": figures(rows.rows(~perturbed), rng),
        "intensities": _by_intensity(rows, perturbed, intensities, rng),
        "axes": [{"axis": axis, **figures(rows.rows(rows.axis == axis), rng)} for axis in axes],
        "cells": [row for axis in axes for row in _by_intensity(rows, rows.axis == axis, intensities, rng, axis=axis)],
        "kinds": _by_kind(rows, rng),
        "held_out_axes": sorted(held_out),
        **{part: _by_intensity(rows, parts[part], intensities, rng) for part in parts},
        "reliability": reliability(given.success, given.probability),
        "progress": {"overall": spearman(rows), "nominal": spearman(rows.rows(~perturbed))},
    }


def _by_intensity(
    rows: Judged, of: NDArray[np.bool_], intensities: list[float], rng: np.random.Generator, **more: str
) -> list[dict[str, Any]]:
    found = ((one, rows.rows(of & (rows.intensity == one))) for one in intensities)
    return [{**more, "intensity": intensity, **figures(part, rng)} for intensity, part in found if len(part)]


def _by_kind(rows: Judged, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Unsolved pictures of each kind, together with all solved ones."""
    kinds = np.unique(rows.kind[~rows.success]).tolist()
    return [{"kind": kind, **figures(rows.rows(rows.success | (rows.kind == kind)), rng)} for kind in kinds]
