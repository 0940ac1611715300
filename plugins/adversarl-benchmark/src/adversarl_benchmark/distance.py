"""How far held-out pictures lie from those of training, by a stated feature and a stated distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr

from adversarl.assembly import load_recipe_of
from adversarl.errors import NoVulkan, RunFolderError
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe
from adversarl.runs import read_rows
from adversarl.seeding import generator
from adversarl.types import Cell, Perturbation
from adversarl_benchmark.frames import BATCH, Key, Start, by_world, first_frames, world_like

Floats = NDArray[np.float64]
Pictures = NDArray[np.uint8]
GRID, ANGLES = 8, 9
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
FEATURE = (
    "An 8 x 8 CIELAB thumbnail and histograms of oriented gradients (8 x 8 cells, 9 unsigned angles) of the picture "
    "that the policy sees. Each number is divided by its standard deviation over the training pictures of all "
    "conditions, and both blocks weigh the same. Distance: from a held-out picture to the nearest training picture, "
    "less the same for training pictures among themselves; the median over the cell. 0 is as near as training "
    "pictures are to each other, below 0 is nearer."
)


def training_frames(folder: Path, plugins: Plugins, count: int = 128) -> Pictures:
    """Pictures of a run's training: the starts of some of its episodes, made again.

    A perturbation that came in mid-episode is shown as if it had been there from the start.

    Args:
        folder: The run folder.
        plugins: What is installed.
        count: How many episodes, drawn without replacement; all where there are fewer.

    Returns:
        What the policy saw. Shape (count, h, w, 3).

    Raises:
        RunFolderError: The folder holds no run, or one without any finished episode.
    """
    recipe, path = load_recipe_of(folder, plugins, []), folder / "episodes.jsonl"
    rows = read_rows(path) if path.exists() else []
    if not rows:
        raise RunFolderError(folder, "has no finished episode, so its training has no pictures. Train it first")
    chosen = generator(recipe.run.seed, "training frames").choice(len(rows), min(count, len(rows)), replace=False)
    with closing(world_like(recipe, {}, BATCH)) as world:
        return first_frames(world, [_start(rows[index]) for index in sorted(chosen)])


def _start(row: Mapping[str, Any]) -> Start:
    return row["seed"], tuple(_perturbation(one) for one in row["perturbations"])


def _perturbation(one: Mapping[str, Any]) -> Perturbation:
    value = one.get("value")
    return Perturbation(**{**one, "value": tuple(value) if isinstance(value, list) else value})


def cell_frames(recipe: Recipe, cells: Sequence[Cell]) -> dict[Key, Pictures]:
    """The first picture of every episode of a suite; worlds that cannot be drawn here are left out."""
    pictures = {}
    for group in by_world(cells):
        try:
            with closing(world_like(recipe, group[0].world, BATCH)) as world:
                for cell in group:
                    starts = list(zip(cell.seeds, cell.perturbations, strict=True))
                    pictures[cell.axis, cell.intensity] = first_frames(world, starts)
        except NoVulkan:
            continue
    return pictures


def features(pictures: Pictures) -> tuple[Floats, Floats]:
    """What is compared: colors at low resolution, and where edges point.

    Args:
        pictures: RGB. Shape (n, h, w, 3).

    Returns:
        CIELAB thumbnails, Shape (n, 192), and histograms of oriented gradients (Dalal and Triggs 2005) with the norm
        of each cell clipped as there, Shape (n, 576).
    """
    thumbnails = [np.asarray(Image.fromarray(one).resize((GRID, GRID), Image.Resampling.BOX)) for one in pictures]
    colors = cielab(np.array(thumbnails, dtype=np.float64) / 255)
    return colors.reshape(len(pictures), -1), np.array([_gradients(one) for one in pictures])


def cielab(rgb: Floats) -> Floats:
    """CIELAB (D65) of sRGB in [0, 1]; L in [0, 100]. Shape (..., 3) in and out. Source: CIE 15, IEC 61966-2-1."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ SRGB_TO_XYZ.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def _gradients(picture: Pictures) -> Floats:
    grey = np.asarray(Image.fromarray(picture).convert("L").resize((64, 64), Image.Resampling.BOX), dtype=np.float64)
    dy, dx = np.gradient(grey / 255)
    strength, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi)
    bins = np.minimum((angle / np.pi * ANGLES).astype(int), ANGLES - 1)
    rows, columns = np.indices(grey.shape) // (64 // GRID)
    cells = np.bincount(((rows * GRID + columns) * ANGLES + bins).ravel(), strength.ravel(), GRID * GRID * ANGLES)
    cells = cells.reshape(-1, ANGLES)
    # 0.1 is the gradient of a faint edge: without it the noise of an even surface would count like an edge.
    clipped: Floats = np.minimum(cells / (np.linalg.norm(cells, axis=1, keepdims=True) + 0.1), 0.2)
    return clipped.ravel()


def visual_distance(
    training: Mapping[str, Pictures],
    tests: Mapping[Key, Pictures],
    success: Mapping[tuple[str, str, float], float],
) -> dict[str, Any]:
    """Distance of every cell from every condition's training, and how success goes with it.

    Nearest neighbors rather than a distance between distributions, such as Frechet's: a cell is one narrow slice and
    training a broad mixture, so what matters is whether training has shown something like it, not whether it has
    shown other things too; and it needs no covariance of 768 numbers from 20 pictures. One scale for all conditions
    keeps them comparable. A condition with more training pictures has nearer neighbors: give all the same number.

    Args:
        training: Pictures of each condition's training, over its seeds. Shape (n, h, w, 3).
        tests: Pictures of each cell. Shape (m, h, w, 3).
        success: Success rate in [0, 1] by condition, curve and intensity.

    Returns:
        ``{"feature", "points": [{"condition", "curve", "intensity", "distance", "success"}], "correlation":
        {"value", "low", "high", "n", "method", "by_condition"}}``.
    """
    raw = {name: features(pictures) for name, pictures in training.items()}
    scale = [_spread([blocks[index] for blocks in raw.values()]) for index in (0, 1)]
    known = {name: _joined(blocks, scale) for name, blocks in raw.items()}
    own = {name: float(np.median(_nearest(rows, rows, own=True))) for name, rows in known.items()}
    cells = {key: _joined(features(pictures), scale) for key, pictures in tests.items()}
    points = [
        {
            "condition": name,
            "curve": curve,
            "intensity": intensity,
            "distance": float(np.median(_nearest(cells[curve, intensity], known[name]))) - own[name],
            "success": rate,
        }
        for (name, curve, intensity), rate in success.items()
        if name in known and (curve, intensity) in cells
    ]
    return {"feature": FEATURE, "points": points, "correlation": correlation(points)}


def _spread(blocks: Sequence[Floats]) -> Floats:
    """Standard deviation of every feature, each condition weighing the same, times the root of their number.

    No less than a tenth of the block's mean one: what never varied would otherwise outweigh all the rest.
    """
    mean = np.mean([rows.mean(axis=0) for rows in blocks], axis=0)
    deviation = np.sqrt(np.mean([((rows - mean) ** 2).mean(axis=0) for rows in blocks], axis=0))
    least = 0.1 * float(np.sqrt(np.mean(deviation**2))) or 1.0
    return np.asarray(np.maximum(deviation, least) * np.sqrt(len(mean)))


def _joined(blocks: tuple[Floats, Floats], scale: Sequence[Floats]) -> Floats:
    return np.concatenate([rows / one for rows, one in zip(blocks, scale, strict=True)], axis=1)


def _nearest(rows: Floats, known: Floats, *, own: bool = False) -> Floats:
    """Distance of each row to the nearest known one; `own` leaves out the row itself. Shape (n,)."""
    squares = (rows**2).sum(axis=1)[:, None] + (known**2).sum(axis=1) - 2 * rows @ known.T
    if own and len(rows) > 1:
        np.fill_diagonal(squares, np.inf)
    distances: Floats = np.sqrt(np.maximum(squares, 0.0).min(axis=1))
    return distances


def correlation(points: Sequence[Mapping[str, Any]], draws: int = 2000) -> dict[str, Any]:
    """Spearman's rank correlation of distance and success over all cells, with a 95 % bootstrap interval.

    The intensities of one curve are not independent, so whole curves are drawn (a cluster bootstrap). The value is
    None where there are fewer than three cells or one side does not vary. ``by_condition`` has the same within each
    condition, because a difference between conditions could make or hide a correlation of all cells.
    """
    by_curve: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        by_curve.setdefault(point["curve"], []).append((point["distance"], point["success"]))
    groups, rng = [np.array(rows) for rows in by_curve.values()], generator(0, "visual distance")
    value = _rank([*groups])
    chosen = [rng.integers(len(groups), size=len(groups)) for _ in range(draws if groups else 0)]
    known = [one for one in (_rank([groups[index] for index in indices]) for indices in chosen) if one is not None]
    low, high = np.quantile(known, [0.025, 0.975]) if known and value is not None else (-1.0, 1.0)
    method = "Spearman over all cells, 95 % bootstrap over curves"
    by_condition: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        by_condition.setdefault(point["condition"], []).append((point["distance"], point["success"]))
    return {
        "value": value,
        "low": float(low),
        "high": float(high),
        "n": len(points),
        "method": method,
        "by_condition": {name: _rank([np.array(rows)]) for name, rows in by_condition.items()},
    }


def _rank(groups: Sequence[Floats]) -> float | None:
    rows = np.concatenate(groups) if groups else np.empty((0, 2))
    if len(rows) < 3 or np.ptp(rows[:, 0]) == 0 or np.ptp(rows[:, 1]) == 0:
        return None
    return float(spearmanr(rows[:, 0], rows[:, 1]).statistic)
