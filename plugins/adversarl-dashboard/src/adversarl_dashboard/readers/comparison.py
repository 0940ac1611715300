"""What tells runs apart: their recipes, their outcomes, their curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adversarl.metrics import wilson
from adversarl_dashboard.readers.files import number, part, rate, rows_of
from adversarl_dashboard.readers.runs import Run

Point = dict[str, float]


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Keys of nested tables as ``table.key``."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def differing(recipes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """A row for each key in which recipes differ: ``{"key": ..., run: value, ...}``; empty where a run lacks it."""
    tables = {name: flat(recipe) for name, recipe in recipes.items()}
    keys = list(dict.fromkeys(key for table in tables.values() for key in table))
    rows = []
    for key in keys:
        values = {name: written(table[key]) if key in table else "" for name, table in tables.items()}
        if len(set(values.values())) > 1:
            rows.append({"key": key, **values})
    return rows


def written(value: Any) -> str:
    """A value as a recipe has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cells_of(run: Run, name: str = "final") -> list[tuple[str, Point]]:
    """Success in each cell of an evaluation: (axis, ``{"intensity", "value", "low", "high", "n"}``)."""
    found = []
    for cell in rows_of(part(run.evaluation, name), "cells"):
        try:
            successes = [bool(one) for one in cell["success"]]
            solved = wilson(sum(successes), len(successes))
            point = {
                "intensity": float(cell["intensity"]),
                "value": solved.value,
                "low": solved.low,
                "high": solved.high,
            }
            found.append((str(cell["axis"]), {**point, "n": solved.n}))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def axes_of(runs: Sequence[Run]) -> list[str]:
    """Axes that have a robustness curve, ``mixed`` first."""
    names = {axis for run in runs for axis, _ in cells_of(run)}
    return sorted(names, key=lambda name: (name != "mixed", name))


def robustness(run: Run, axis: str, name: str = "final") -> list[Point]:
    """Success over intensity in a run's evaluation, sorted."""
    points = [point for found, point in cells_of(run, name) if found == axis]
    return sorted(points, key=lambda point: point["intensity"])


def outcome(run: Run) -> dict[str, Any]:
    """A row of the table of outcomes; None where the run has not come to it."""
    summary = run.summary
    auc, nominal = part(summary, "robustness_auc"), part(summary, "nominal_success")
    seconds = number(summary.get("wall_clock_s"))
    return {
        "run": run.name,
        "state": run.state,
        "curriculum": run.used("curriculum"),
        "learner": run.used("learner"),
        "seed": number(part(run.recipe, "run").get("seed")),
        "auc": rate(auc.get("value")),
        "auc_interval": interval(auc),
        "nominal": rate(nominal.get("value")),
        "nominal_interval": interval(nominal),
        "env_steps": run.env_steps,
        "minutes": None if seconds is None else seconds / 60,
        "cost_usd": sum(run.costs.values()) or None,
    }


def interval(estimate: Mapping[str, Any]) -> str:
    """``12 to 34 %``; empty where it is not known."""
    low, high = number(estimate.get("low")), number(estimate.get("high"))
    return "" if low is None or high is None else f"{100 * low:.0f} to {100 * high:.0f} %"
