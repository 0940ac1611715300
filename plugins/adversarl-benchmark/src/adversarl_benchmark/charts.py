"""Charts: each is drawn once, as SVG for the page, whose colors are CSS variables, or as PNG for a paper's appendix."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from adversarl_benchmark.charts_style import GRID, INK, MUTED, PAPER, ROLES, Look

Looks = Mapping[str, Look]
Draw = Callable[[Axes], None]
WIDTH, HEIGHT = 360, 250
"""Of a chart in the page [CSS pixel]: as wide as a phone leaves; larger screens enlarge it."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10.5, "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlepad": 8,
    "axes.edgecolor": MUTED, "axes.labelcolor": MUTED, "axes.titlecolor": INK, "text.color": INK,
    "xtick.color": MUTED, "ytick.color": MUTED, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.linewidth": 0.8,
    "xtick.major.size": 0, "ytick.major.size": 0, "figure.facecolor": "none", "axes.facecolor": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One condition's line with its band: x, value, low and high per point."""

    name: str
    rows: Sequence[tuple[float, float, float, float]]


@dataclass(frozen=True, slots=True)
class Span:
    """One row of a chart of intervals: label, value in words, value, interval, and the condition whose color it has."""

    label: str
    text: str
    value: float
    low: float
    high: float
    name: str


def lines(ax: Axes, series: Sequence[Line], looks: Looks, *, step: bool = False) -> None:
    """Lines with 95 % bands; controls thinner, dashed and below."""
    for line in sorted(series, key=lambda line: not looks[line.name].control):
        look, (x, value, low, high) = looks[line.name], zip(*line.rows, strict=True)
        dash, width = ((0, (4, 2)), 1.2) if look.control else ("solid", 2.0)
        marker = "none" if step else look.marker
        ax.fill_between(x, low, high, color=look.light, alpha=0.07 if look.control else 0.16, linewidth=0)
        ax.plot(x, value, color=look.light, linestyle=dash, linewidth=width, marker=marker, markersize=4)


def shares(ax: Axes, label: str = "", *, vertical: bool = True) -> None:
    """Makes an axis one of percent from 0 to 100."""
    ticks, names = [0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"]
    if vertical:
        ax.set(ylim=(-0.04, 1.05), ylabel=label)
        ax.set_yticks(ticks, names)
    else:
        ax.set(xlim=(-0.02, 1.02), xlabel=label)
        ax.set_xticks(ticks, names)


def intervals(ax: Axes, spans: Sequence[Span], looks: Looks, *, zero: bool = False) -> None:
    """One row per span, the first on top, with its label above it so that a phone can show it; `zero` draws a line."""
    if zero:
        ax.axvline(0, color=MUTED, linewidth=1)
    for row, span in enumerate(spans):
        color, marker = looks[span.name].light, looks[span.name].marker
        ax.plot([span.low, span.high], [-row, -row], color=color, linewidth=2.4, alpha=0.45, solid_capstyle="round")
        ax.plot([span.value], [-row], color=color, marker=marker, markersize=6.5)
        for text, at, side in ((span.label, 0.0, "left"), (span.text, 1.0, "right")):
            where: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
            behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}
            ax.annotate(text, (at, -row), (0, 7), ha=side, fontsize=10, bbox=behind, **where)
    ax.set(ylim=(-len(spans) + 0.6, 0.75))
    ax.set_yticks([])
    ax.grid(axis="y", visible=False)
    ax.spines["left"].set_visible(False)


def scatter(ax: Axes, points: Sequence[Mapping[str, Any]], looks: Looks) -> None:
    """Success against visual distance, a mark per cell."""
    for name, look in looks.items():
        mine = [(point["distance"], point["success"]) for point in points if point["condition"] == name]
        if mine:
            x, y = zip(*mine, strict=True)
            ax.scatter(x, y, s=13, color=look.light, marker=look.marker, alpha=0.55, linewidths=0)
    ax.set_xlabel("visual distance from training")


def heat(ax: Axes, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]]) -> None:
    """A table of shares, darker where larger, each with its percent."""
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    ax.grid(visible=False)
    for at, row in enumerate(values):
        for column, value in enumerate(row):
            if value == value:
                shade = PAPER if value > 0.6 else INK
                ax.text(column, at, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=shade)


def svg(draw: Draw, label: str, looks: Looks, *, height: int = HEIGHT, width: int = WIDTH) -> str:
    """A chart for the page: no size of its own, text as text in the page's font, colors as CSS variables.

    Args:
        draw: Draws into the axes it is given.
        label: What is seen, for those who do not see it.
        looks: The conditions' colors.
        height: Height [CSS pixel].
        width: Width [CSS pixel].
    """
    out = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": label}):
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Type": None, "Format": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text).replace("xlink:href", "href")
    text = re.sub(r" font-family: [^;]*;| transform=\"rotate\(-0 [^\"]*\"", "", text)
    text = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", text)
    for color, name in [*ROLES.items(), *((look.light, look.variable[2:]) for look in looks.values())]:
        text = text.replace(color, f"var(--{name})")
    opening = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(label)}">'
    return re.sub(r"\n\s*", "\n", re.sub(r"<svg [^>]*>", opening, text, count=1))


def png(
    panels: Sequence[tuple[str, Draw]],
    path: Path,
    looks: Looks,
    *,
    columns: int = 3,
    size: tuple[float, float] = (4.0, 2.9),
) -> None:
    """Several charts on one white sheet with a legend.

    Args:
        panels: Title and drawing of each.
        path: Where to write it.
        looks: The conditions; empty for no legend.
        columns: Charts side by side.
        size: Of a chart [inch].
    """
    across, down = min(columns, len(panels)), ceil(len(panels) / columns)
    with mpl.rc_context({**STYLE, "figure.facecolor": PAPER}):
        figure = Figure(figsize=(size[0] * across, size[1] * down + 0.4), layout="constrained", dpi=130)
        for index, (title, draw) in enumerate(panels):
            ax = figure.add_subplot(down, across, index + 1)
            draw(ax)
            ax.set_title(title)
        if looks:
            figure.legend(handles=_keys(looks), loc="outside lower center", ncols=min(len(looks), 7), frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Software": None})


def _keys(looks: Looks) -> list[Line2D]:
    return [
        Line2D([], [], color=o.light, marker=o.marker, linestyle="--" if o.control else "-", markersize=5, label=o.name)
        for o in looks.values()
    ]
