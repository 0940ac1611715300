"""Pictures of the results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by the colour-blind (Okabe and Ito 2008)."""
CHANCE = 0.5


def check() -> None:
    """Tells what to install before anything is measured.

    Raises:
        MissingExtra: There is no matplotlib.
    """
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtra("--plots", "matplotlib", "'adversarl-rewards[plots]'") from None


def plot(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Writes ``rewards-axes.png``, ``rewards-reliability.png`` and ``rewards-robustness.png``.

    Args:
        found: The results.
        folder: Where to; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    detectors = {label: row for label, row in found["detectors"].items() if row["overall"]["n"]}
    if not detectors:
        return []
    figures = {
        "axes": heat_maps(detectors, found["design"]),
        "reliability": reliability(detectors),
        "robustness": robustness(detectors, found["design"]["intensities"]),
    }
    paths = {folder / f"rewards-{name}.png": figure for name, figure in figures.items()}
    for path, figure in paths.items():
        figure.savefig(path, dpi=110)
    return list(paths)


def heat_maps(detectors: Mapping[str, Any], design: Mapping[str, Any]) -> Figure:
    """Balanced accuracy by axis and intensity, the axes that are worst for all detectors together at the top."""
    from matplotlib.figure import Figure

    levels = [0.0, *design["intensities"]]
    grids = {label: _grid(row, design["axes"], levels) for label, row in detectors.items()}
    order = _worst_first(detectors, design["axes"])
    width, height = 2.6 + 0.62 * len(levels) * len(grids), 1.3 + 0.24 * len(order)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
    for panel, (label, grid) in zip(panels, grids.items(), strict=True):
        image = _heat_map(panel, grid[order], levels)
        panel.set_title(label)
    names = [design["axes"][i] for i in order]
    held = {axis for row in detectors.values() for axis in row["held_out_axes"]}
    panels[0].set_yticks(range(len(names)), [f"{name} *" if name in held else name for name in names], fontsize=8)
    figure.supxlabel("intensity" + ("   (* kept out of training)" if held & set(names) else ""), fontsize=10)
    bar = figure.colorbar(image, ax=list(panels), fraction=0.05, pad=0.02, aspect=40)
    bar.set_label("balanced accuracy")
    return figure


def _worst_first(detectors: Mapping[str, Any], axes: list[str]) -> list[int]:
    """Numbers of the axes, by the mean over detectors of balanced accuracy under them at all intensities."""
    found: dict[str, list[float]] = {axis: [] for axis in axes}
    for detector in detectors.values():
        for row in detector["axes"]:
            found[row["axis"]] += [_number(row)] if np.isfinite(_number(row)) else []
    return sorted(range(len(axes)), key=lambda i: float(np.mean(found[axes[i]] or [CHANCE])))


def _grid(row: Mapping[str, Any], axes: list[str], levels: list[float]) -> NDArray[np.float64]:
    """Shape (axes, levels); nan where nothing is known."""
    grid = np.full((len(axes), len(levels)), np.nan)
    grid[:, 0] = _number(row["nominal"])
    for cell in row["cells"]:
        grid[axes.index(cell["axis"]), levels.index(cell["intensity"])] = _number(cell)
    return grid


def _number(row: Mapping[str, Any]) -> float:
    value = row["balanced_accuracy"]["value"]
    return np.nan if value is None else float(value)


def _heat_map(panel: Axes, grid: NDArray[np.float64], levels: list[float]) -> Any:
    image = panel.imshow(grid, vmin=CHANCE, vmax=1.0, cmap="viridis", aspect="auto", interpolation="nearest")
    panel.set_xticks(range(len(levels)), ["nominal" if not level else f"{level:g}" for level in levels], fontsize=8)
    panel.tick_params(length=0)
    for (y, x), value in np.ndenumerate(grid):
        text = "" if np.isnan(value) else f"{value:.2f}".removeprefix("0")
        panel.text(x, y, text, ha="center", va="center", fontsize=7, color="black" if value > 0.8 else "white")
    return image


def reliability(detectors: Mapping[str, Any]) -> Figure:
    """How often frames were solved that were given a probability; the diagonal is what is right."""
    from matplotlib.figure import Figure

    columns = min(3, len(detectors))
    rows = -(-len(detectors) // columns)
    figure = Figure(figsize=(3.2 * columns + 0.6, 3.3 * rows + 0.7), layout="compressed")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, (label, row), color in zip(panels, detectors.items(), _colors(len(detectors)), strict=False):
        _diagram(panel, row["reliability"], color)
        panel.set_title(label, fontsize=11)
        panel.text(0.02, 0.95, f"calibration error {_text(row['overall']['calibration_error'])}", fontsize=9)
    for panel in panels[len(detectors) :]:
        panel.set_visible(False)
    figure.supxlabel("probability of success that the detector gives", fontsize=10)
    figure.supylabel("share of frames that are solved", fontsize=10)
    return figure


def _diagram(panel: Axes, bins: list[dict[str, Any]], color: str) -> None:
    said = [one["said"] for one in bins]
    solved, n = [one["solved"]["value"] for one in bins], np.array([one["solved"]["n"] for one in bins])
    spread = [[one["solved"]["value"] - one["solved"]["low"] for one in bins]]
    spread += [[one["solved"]["high"] - one["solved"]["value"] for one in bins]]
    panel.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    panel.errorbar(said, solved, yerr=spread, color=color, linewidth=1, elinewidth=1)
    panel.scatter(said, solved, s=6 + 110 * n / max(1, n.max(initial=1)), color=color, zorder=3)
    panel.set_xlim(-0.04, 1.04)
    panel.set_ylim(-0.04, 1.04)
    panel.set_aspect("equal")


def robustness(detectors: Mapping[str, Any], levels: list[float]) -> Figure:
    """Balanced accuracy over intensity, one axis at a time, all axes together; dashed on those kept out of training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    panel = figure.subplots()
    for (label, row), color in zip(detectors.items(), _colors(len(detectors)), strict=True):
        _curve(panel, [{"intensity": 0.0, **row["nominal"]}, *row["intensities"]], label, color)
        if row.get("held_out"):
            _curve(panel, row["held_out"], f"{label}, axes kept out of training", color, linestyle="--")
    panel.axhline(CHANCE, color="0.6", linewidth=1, linestyle=":")
    panel.set_xticks([0.0, *levels], ["nominal", *(f"{level:g}" for level in levels)])
    panel.set_ylim(min(0.45, panel.get_ylim()[0]), 1.01)
    panel.set_xlabel("intensity of one visual axis")
    panel.set_ylabel("balanced accuracy")
    panel.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def _curve(panel: Axes, rows: list[dict[str, Any]], label: str, color: str, linestyle: str = "-") -> None:
    known = [row for row in rows if row["balanced_accuracy"]["value"] is not None]
    x = [row["intensity"] for row in known]
    value, low, high = ([row["balanced_accuracy"][key] for row in known] for key in ("value", "low", "high"))
    panel.plot(x, value, label=label, color=color, linestyle=linestyle, marker="o", markersize=4)
    panel.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)


def _colors(n: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(n)]


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
