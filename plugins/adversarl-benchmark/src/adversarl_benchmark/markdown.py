"""The Markdown report with its pictures, for a paper's appendix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw, ImageFont

from adversarl.runs import write_text
from adversarl_benchmark import report_words as words
from adversarl_benchmark.charts import png
from adversarl_benchmark.charts_style import looks
from adversarl_benchmark.page import frame_rows, versions
from adversarl_benchmark.report import Media, film_name
from adversarl_benchmark.report_charts import Charts

EDGE, GAP, LABEL = 96, 4, 22
"""Of a picture, between pictures, and height of a row's label on the contact sheet [pixel]."""


def write_markdown(results: dict[str, Any], media: Media, folder: Path) -> Path:
    """Writes ``report.md`` and ``media/``; returns the former."""
    figures = _figures(results, folder / "media")
    sheet = contact_sheet(frame_rows(media.frames, results["curves"]))
    if sheet is not None:
        sheet.save(folder / "media" / "frames.png", optimize=True)
        figures.append(("frames.png", "First frames at intensities 0, 1/4, 1/2, 3/4 and 1"))
    for film in media.films:
        (folder / "media" / film_name(film)).write_bytes(film.webp)
    environment = Environment(
        loader=PackageLoader("adversarl_benchmark"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"share": words.share, "points": words.points, "bounds": words.bounds, "when": words.when}
    environment.filters |= {"brief": words.brief}
    text = environment.get_template("report.md.j2").render(
        results=results,
        said=words.Words(results),
        columns=words.COLUMNS,
        table=words.rows_of_table(results["conditions"]),
        figures=[(f"media/{name}", caption) for name, caption in figures],
        films=[(f"media/{film_name(film)}", film) for film in media.films],
        notes=list(media.notes),
        versions=versions(results.get("provenance", {})),
    )
    path = folder / "report.md"
    write_text(path, text)
    return path


def _figures(results: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    """Writes the charts; returns (file, caption) of each."""
    known = looks([(one["name"], one["kind"] == "control") for one in results["conditions"]])
    charts = Charts(results, known)
    rows = max(len(known), len(results["comparisons"]), 3)
    one_more = ("Performance profiles", charts.profile)
    learning = [("Sample efficiency", charts.learning)] if charts.has_learning else []
    draw = partial(png, looks=known)
    folder.mkdir(parents=True, exist_ok=True)
    sides = [("Robustness AUC", charts.auc), ("Paired differences", charts.differences)]
    draw(sides, folder / "comparison.png", columns=2, size=(5.2, 0.5 * rows + 0.8))
    draw([(name, charts.curve(name)) for name in results["curves"]], folder / "robustness.png", columns=4)
    draw([*learning, one_more], folder / "learning.png", columns=2, size=(5.2, 3.6))
    size = (0.42 * len(results["curves"]) + 1.6, 0.36 * len(known) + 1.7)
    png([("AUC of every curve, percent", charts.heat)], folder / "heat.png", {}, columns=1, size=size)
    found = [
        ("comparison.png", "Robustness AUC, and paired differences, with 95 % intervals"),
        ("robustness.png", "Success over intensity with 95 % bands"),
        ("heat.png", "AUC of every curve"),
        ("learning.png", "Sample efficiency and performance profiles"),
    ]
    if charts.has_distance:
        draw([("Success by visual distance", charts.distance)], folder / "distance.png", columns=1, size=(5.2, 3.8))
        found.append(("distance.png", "Success against visual distance, a mark per cell"))
    return found


def contact_sheet(rows: Sequence[Mapping[str, Any]], columns: int = 2) -> Image.Image | None:
    """Rows of frames with their names on one white picture; None without any."""
    if not rows:
        return None
    longest = max(len(row["frames"]) for row in rows)
    width, height = longest * (EDGE + GAP) + 24, EDGE + GAP + LABEL
    down = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * width, down * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, row in enumerate(rows):
        left, top = (index // down) * width + 12, (index % down) * height
        name = row["curve"] + (f": {row['text']}" if row["text"] else "")
        pen.text((left, top + 4), _short(name, longest * (EDGE + GAP), font), fill="#1c2126", font=font)
        for at, frame in enumerate(row["frames"]):
            picture = Image.fromarray(np.ascontiguousarray(frame.picture)).resize((EDGE, EDGE))
            sheet.paste(picture, (left + at * (EDGE + GAP), top + LABEL))
    return sheet


def _short(text: str, width: float, font: Any) -> str:
    """A text cut so that it fits into a width [pixel]."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
