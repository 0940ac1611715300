"""Records of a run as tagged numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from adversarl.metrics import rate, robustness_auc
from adversarl.types import CellResult, FailureReport


def report_numbers(report: FailureReport) -> dict[str, float]:
    """Rolling and nominal success, and the effect of each failure mode, under ``failure/``; unknown rates left out."""
    numbers = {"failure/success_rate": report.success, "failure/nominal_success_rate": report.nominal}
    found = {tag: rate.value for tag, rate in numbers.items() if rate.n}
    found |= {"failure/modes": float(len(report.modes)), "failure/changed": float(report.changed)}
    return found | {f"failure/effect/{_condition(m.axis, m.target)}": m.effect for m in report.modes}


def evaluation_numbers(results: Sequence[CellResult]) -> dict[str, float]:
    """Success for each axis and intensity, and the area under the curve of each axis, under ``evaluation/``."""
    numbers = {f"evaluation/{cell.axis}/{cell.intensity:.2f}": rate(cell.success).value for cell in results}
    for axis in dict.fromkeys(cell.axis for cell in results):
        numbers[f"evaluation/{axis}/auc"] = float(robustness_auc(results, axis)["value"])
    return numbers


def summary_numbers(summary: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a summary under ``summary/``; of a rate or an area its value."""
    found = {}
    for key, entry in summary.items():
        value = entry.get("value") if isinstance(entry, Mapping) else entry
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            found[f"summary/{key}"] = float(value)
    return found


def hyperparameters(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """The keys of a recipe as ``table.key``; lists as text."""
    flat: dict[str, bool | float | str] = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            flat |= hyperparameters(value, f"{prefix}{key}.")
        elif isinstance(value, bool | str):
            flat[prefix + key] = value
        elif isinstance(value, int | float):
            flat[prefix + key] = float(value)
        else:
            flat[prefix + key] = ", ".join(map(str, value)) if isinstance(value, Sequence) else str(value)
    return flat


def _condition(axis: str, target: str | None) -> str:
    return f"{axis}/{target}" if target else axis
