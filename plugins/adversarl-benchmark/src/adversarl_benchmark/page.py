"""The HTML report: results and pictures in, one page out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adversarl_benchmark import report_words as words
from adversarl_benchmark.charts import Draw, svg
from adversarl_benchmark.charts_style import Look, looks, variables
from adversarl_benchmark.frames import Frame
from adversarl_benchmark.report import Media, data_uri, films_within, picture_uri
from adversarl_benchmark.report_charts import Charts

Json = dict[str, Any]
EMBEDDED = "@results@"
PROMPTS = 15
"""Rows of a condition's table of prompts."""


def page(results: Json, media: Media) -> str:
    """The page as text."""
    known = looks([(one["name"], one["kind"] == "control") for one in results["conditions"]])
    template = _environment().get_template("report.html.j2")
    said = words.Words(results)
    text = template.render(
        results=results,
        said=said,
        looks=known,
        style=Markup(files("adversarl_benchmark").joinpath("templates", "report.css").read_text("utf-8")),
        light=Markup(variables(known, dark=False)),
        dark=Markup(variables(known, dark=True)),
        charts=_charts(Charts(results, known), known),
        columns=words.COLUMNS,
        table=words.rows_of_table(results["conditions"]),
        heat=heat(results),
        rows=frame_rows(media.frames, results["curves"]),
        films=films_within(media.films),
        left_out=len(media.films) - len(films_within(media.films)),
        notes=list(media.notes),
        shown=PROMPTS,
        versions=versions(results.get("provenance", {})),
        reproduction=reproduction(results),
    )
    # No line may break between a number and its percent sign.
    text = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)
    return text.replace(EMBEDDED, json.dumps(results).replace("</", "<\\/"))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("adversarl_benchmark"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": words.share, "points": words.points, "bounds": words.bounds, "data_uri": data_uri,
        "picture_uri": picture_uri, "when": words.when, "brief": words.brief,
    }  # fmt: skip
    return environment


def _charts(charts: Charts, known: Mapping[str, Look]) -> Json:
    """Every chart as SVG, under the names that the template uses."""
    drawn = partial(_svg, known)
    return {
        "auc": drawn(charts.auc, "Robustness AUC by condition", 34 * len(known) + 50),
        "differences": drawn(charts.differences, "Paired differences", 40 * len(charts.results["comparisons"]) + 50),
        "together": [(name, drawn(charts.curve(name), f"Success by intensity, {name}")) for name in charts.together],
        "alone": [
            (name, drawn(charts.curve(name, labels=False), f"Success by intensity, {name}", 190, 300))
            for name in charts.alone
        ],
        "learning": drawn(charts.learning, "Success by environment steps") if charts.has_learning else None,
        "profile": drawn(charts.profile, "Performance profiles"),
        "distance": drawn(charts.distance, "Success by visual distance", 300) if charts.has_distance else None,
    }


def _svg(known: Mapping[str, Look], draw: Draw, label: str, height: int = 250, width: int = 360) -> Markup:
    return Markup(svg(draw, label, known, height=height, width=width))


def heat(results: Json) -> list[Json]:
    """Rows of the heat map: AUC by curve and condition, with its interval."""
    conditions = results["conditions"]
    return [
        {"curve": curve, "cells": [one["auc_by_curve"].get(curve) for one in conditions]} for curve in results["curves"]
    ]


def frame_rows(frames: Mapping[str, Sequence[Frame]], curves: Sequence[str]) -> list[Json]:
    """A row of pictures per curve, and per sentence where the curve is one of sentences."""
    rows: dict[tuple[str, str], list[Frame]] = {}
    for curve in [*curves, *(name for name in frames if name not in curves)]:
        for frame in frames.get(curve, ()):
            rows.setdefault((curve, frame.text), []).append(frame)
    return [
        {"curve": curve, "text": text.replace("{percent} %", "N %"), "frames": sorted(row, key=lambda f: f.intensity)}
        for (curve, text), row in rows.items()
    ]


def versions(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Provenance as pairs of text; versions of packages as one of them, the ones of all runs only where they differ."""
    pairs = [(name.replace("_", " "), plain(value)) for name, value in provenance.items()]
    known = dict(pairs)
    return [pair for pair in pairs if pair[0] != "all versions" or pair[1] != known.get("versions")]


def plain(value: Any) -> str:
    """A value of the provenance as text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return str(value)


def reproduction(results: Json) -> str:
    """The command that plays one cell again."""
    for key in results.get("cells", {}):
        condition, seed, curve, intensity = key.split("/")
        if float(intensity) == 0.5:
            return (
                f"adversarl reproduce report.html --condition {condition} --seed {seed} --curve {curve} "
                f"--intensity {intensity}"
            )
    return "adversarl reproduce report.html"
