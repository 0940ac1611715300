"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WORST = 5
"""Axes and intensities listed for each detector."""
QUALITY = ("detector", "balanced accuracy", "AUROC", "ECE", "false yes", "missed", "judged")
COSTS = ("detector", "ms a frame", "in 16s", "world steps", "in 16s", "USD per 1,000", "progress")
CELLS = ("detector", "axis", "at", "accuracy", "false yes", "missed", "n")


def value(row: Mapping[str, Any] | float | None, form: str = ".2f") -> str:
    """A figure, or the value of one with an interval; a dash where there is none."""
    number = row["value"] if isinstance(row, Mapping) else row
    return "-" if number is None else format(number, form)


def quality(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row for each detector: what it sees, over all frames."""
    for label in found["reference"]:
        yield [label, "is the truth", *[""] * (len(QUALITY) - 2)]
    for label, detector in found["detectors"].items():
        row, accuracy = detector["overall"], detector["overall"]["balanced_accuracy"]
        bounds = "" if accuracy["value"] is None else f" [{accuracy['low']:.2f}, {accuracy['high']:.2f}]"
        yield [
            label,
            value(accuracy) + bounds,
            value(row["auroc"]),
            value(row["calibration_error"]),
            value(row["false_positives"]),
            value(row["false_negatives"]),
            value(row["coverage"], ".0%"),
        ]


def intensities(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: balanced accuracy of each detector, nominal and by intensity, and on axes held out."""
    levels = found["design"]["intensities"]
    rows = []
    for label, detector in found["detectors"].items():
        for part, name in {"intensities": "all", "seen": "in training", "held_out": "held out"}.items():
            cells = {row["intensity"]: value(row["balanced_accuracy"]) for row in detector.get(part, ())}
            nominal = value(detector["nominal"]["balanced_accuracy"]) if part == "intensities" else ""
            if cells or nominal:
                rows.append([label, name, nominal, *(cells.get(level, "") for level in levels)])
    return ["detector", "axes", "nominal", *(f"{level:g}" for level in levels)], rows


def costs(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row for each detector: what it takes, and how its progress ranks frames."""
    for label, detector in found["detectors"].items():
        one, many = detector["speed"]["1"], detector["speed"]["16"]
        times = [
            value(one["ms"], ".1f"),
            value(many["ms"], ".1f"),
            value(one["steps"], ".1f"),
            value(many["steps"], ".1f"),
        ]
        yield [label, *times, value(detector["usd_per_1000"], ".2f"), value(detector["progress"]["overall"])]


def worst(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """Rows: where each detector is at its worst."""
    for label, detector in found["detectors"].items():
        known = [cell for cell in detector["cells"] if cell["balanced_accuracy"]["value"] is not None]
        for cell in sorted(known, key=lambda cell: cell["balanced_accuracy"]["value"])[:WORST]:
            rates = [value(cell["false_positives"]), value(cell["false_negatives"])]
            accuracy = value(cell["balanced_accuracy"])
            yield [label, cell["axis"], f"{cell['intensity']:g}", accuracy, *rates, str(cell["n"])]


def remarks(found: Mapping[str, Any]) -> Iterator[str]:
    """What else there is to know: detectors that stopped early, and those that are missing."""
    for label, detector in found["detectors"].items():
        n, total = detector["overall"]["n"], found["frames"]["n"]
        if detector["stopped"]:
            yield f"{label} stopped after {n:,} of {total:,} frames, which count: {detector['stopped']}"
        elif n < total:
            yield f"{label} was asked about {n:,} of {total:,} frames, drawn from all conditions alike"
    for label, why in found["missing"].items():
        yield f"{label} is left out: {why}"
