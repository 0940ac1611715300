"""Benchmark folders: ``results.json`` as tables, and where the report lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adversarl_dashboard.readers.comparison import interval
from adversarl_dashboard.readers.files import number, part, rate, read_table, rows_of

BESIDE = "benchmarks"
"""Where ``adversarl benchmark`` writes by default, beside the folder of runs."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark folder: what it is called, where it lies, its ``results.json`` (empty before there is one)."""

    name: str
    path: Path
    results: Mapping[str, Any]

    @property
    def report(self) -> Path | None:
        """``report.html``, if it was written."""
        path = self.path / "report.html"
        return path if path.is_file() else None


def find_benchmarks(folder: Path) -> list[Benchmark]:
    """Benchmark folders: the folder itself, those in it, and those in ``benchmarks`` beside it; newest first."""
    places = [folder, *_inside(folder), *_inside(folder.absolute().parent / BESIDE)]
    found = {path.absolute(): path for path in places if _is_benchmark(path)}
    ordered = sorted(found.values(), key=lambda path: -path.stat().st_mtime)
    return [Benchmark(path.absolute().name, path, read_table(path / "results.json")) for path in ordered]


def _inside(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _is_benchmark(path: Path) -> bool:
    return (path / "results.json").is_file() or (path / "benchmark.json").is_file()


def condition_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each condition: its estimates in [0, 1] with their intervals as text."""
    rows = []
    for one in rows_of(results, "conditions"):
        auc, nominal, steps = part(one, "auc"), part(one, "nominal"), part(one, "steps_to_threshold")
        leaks = one.get("leaks")
        row: dict[str, Any] = {"condition": str(one.get("name", "?")), "kind": str(one.get("kind", ""))}
        row |= {"seeds": len(seeds) if isinstance(seeds := one.get("seeds"), list) else None}
        row |= {"auc": rate(auc.get("value")), "auc_interval": interval(auc)}
        row |= {"nominal": rate(nominal.get("value")), "nominal_interval": interval(nominal)}
        row |= {"env_steps": number(one.get("env_steps")), "to_threshold": number(steps.get("median"))}
        row |= {"held_out": one.get("held_out") is True, "leaks": "; ".join(map(str, leaks or []))}
        rows.append(row)
    return rows


def comparison_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each comparison: who with whom, the difference, the verdict and its sentence."""
    rows = []
    for one in rows_of(results, "comparisons"):
        difference, better = part(one, "difference"), part(one, "probability_of_improvement")
        row: dict[str, Any] = {
            "comparison": f"{one.get('a', '?')} with {one.get('b', '?')}",
            "verdict": str(one.get("verdict", "")),
        }
        row |= {"difference": number(difference.get("value")), "difference_interval": interval(difference)}
        row |= {"better": number(better.get("value")), "sentence": str(one.get("sentence", ""))}
        rows.append(row)
    return rows


def curve_names(results: Mapping[str, Any]) -> list[str]:
    """Curves that a condition has, in the order of the results."""
    known = results.get("curves")
    names = [str(name) for name in known] if isinstance(known, list) else []
    return list(
        dict.fromkeys([*names, *(name for one in rows_of(results, "conditions") for name in part(one, "curves"))])
    )


def curves(results: Mapping[str, Any], name: str) -> dict[str, list[dict[str, float]]]:
    """The points of a curve for each condition: ``{"intensity", "value", "low", "high"}``."""
    found = {}
    for one in rows_of(results, "conditions"):
        points = []
        for row in rows_of(part(one, "curves"), name):
            keys = ("intensity", "value", "low", "high")
            values = {key: value for key in keys if (value := number(row.get(key))) is not None}
            points += [values] if len(values) == len(keys) else []
        if points:
            found[str(one.get("name", "?"))] = points
    return found
