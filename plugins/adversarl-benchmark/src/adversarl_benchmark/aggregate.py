"""From the results table to arrays: successes and episodes by seed, curve and intensity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import AdversarlError
from adversarl.metrics import wilson
from adversarl_benchmark.spec import MIXED
from adversarl_benchmark.statistics import Array, Estimate, binomial_variance, seed_interval

Columns = dict[str, NDArray[Any]]
_KEYS = ("condition", "seed", "curve", "intensity", "episode")


@dataclass(frozen=True, slots=True)
class Scores:
    """What the seeds of one condition did on the suite.

    Attributes:
        seeds: Seeds of which every cell is there.
        curves: Names.
        intensities: In [0, 1], ascending.
        successes: Shape (seeds, curves, intensities).
        episodes: Shape (seeds, curves, intensities); 0 where the suite has no such cell.
        nominal: For every curve, the one whose episodes at intensity 0 it shares; -1 where there is none.
            Shape (curves,).
    """

    seeds: tuple[int, ...]
    curves: tuple[str, ...]
    intensities: tuple[float, ...]
    successes: NDArray[np.int64]
    episodes: NDArray[np.int64]
    nominal: NDArray[np.int64]

    @property
    def rates(self) -> Array:
        """Success rate of every cell, nan where there is none. Shape (seeds, curves, intensities)."""
        return np.where(self.episodes > 0, self.successes / np.maximum(self.episodes, 1), np.nan)

    @property
    def auc(self) -> Array:
        """Area under every curve: the mean over its intensities, which weigh the same. Shape (seeds, curves).

        As `adversarl.metrics.robustness_auc`.
        """
        return np.asarray(np.nanmean(self.rates, axis=2))

    def episode_error(self) -> float:
        """Standard error of the mean area from episodes alone; cells at intensity 0 count once for all their curves."""
        if not self.seeds:
            return 0.0
        present = self.episodes > 0
        weights = present / (np.maximum(present.sum(axis=2, keepdims=True), 1) * len(self.curves))
        for index, owner in enumerate(self.nominal):
            if owner >= 0 and owner != index:
                weights[:, owner, 0] += weights[:, index, 0]
                weights[:, index, 0] = 0.0
        variance = (weights**2 * binomial_variance(self.successes, self.episodes)).sum()
        return sqrt(float(variance)) / len(self.seeds)

    def pick(self, seeds: Sequence[int], curves: Sequence[str]) -> Scores:
        """The same with fewer seeds and curves, in the order given."""
        rows = [self.seeds.index(seed) for seed in seeds]
        columns = [self.curves.index(curve) for curve in curves]
        owners = [int(self.nominal[column]) for column in columns]
        # Any curve of those that share their nominal episodes may stand for them.
        nominal = np.array([owners.index(owner) if owner >= 0 else -1 for owner in owners], dtype=np.int64)
        successes, episodes = (table[np.ix_(rows, columns)] for table in (self.successes, self.episodes))
        return Scores(tuple(seeds), tuple(curves), self.intensities, successes, episodes, nominal)

    def at_nominal(self) -> Scores | None:
        """The cell of `MIXED` at intensity 0 alone: the suite's world without perturbations; None without one."""
        if MIXED not in self.curves or 0.0 not in self.intensities:
            return None
        one = self.pick(self.seeds, [MIXED])
        if not one.episodes[:, :, :1].any():
            return None
        return Scores(one.seeds, one.curves, (0.0,), one.successes[:, :, :1], one.episodes[:, :, :1], one.nominal)


def columns_of(rows: Any) -> Columns:
    """Columns of the results table.

    Args:
        rows: A pyarrow table, a list of rows or a mapping of columns.

    Raises:
        AdversarlError: There are none, or an episode appears twice.
    """
    if hasattr(rows, "to_pydict"):
        rows = rows.to_pydict()
    elif not isinstance(rows, Mapping):
        rows = {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}
    columns = {key: np.asarray(values) for key, values in rows.items()}
    if not columns or not len(columns["seed"]):
        raise AdversarlError("the results table is empty. Run `adversarl benchmark` until a run is evaluated")
    codes = np.stack([np.unique(columns[key], return_inverse=True)[1] for key in _KEYS])
    unique, counts = np.unique(codes, axis=1, return_counts=True)
    if (counts > 1).any():
        at = int(np.flatnonzero((codes == unique[:, [int(np.argmax(counts > 1))]]).all(axis=0))[0])
        named = ", ".join(f"{key} {columns[key][at]}" for key in _KEYS)
        raise AdversarlError(f"results table: an episode appears twice: {named}. Delete the table; it is made again")
    return columns


def in_order(values: NDArray[Any]) -> list[Any]:
    """Distinct values by first appearance, as plain Python."""
    found, first = np.unique(values, return_index=True)
    return [found[index].item() for index in np.argsort(first)]


def scores_of(columns: Columns, condition: str) -> Scores:
    """The arrays of one condition.

    A curve without episodes at intensity 0 shares those of `MIXED`, which is played in the same world; a suite
    plays them once. Seeds that lack a cell which others have are left out.
    """
    mine = columns["condition"] == condition
    seeds, curves = sorted(in_order(columns["seed"][mine])), in_order(columns["curve"][mine])
    intensities = sorted(in_order(columns["intensity"][mine]))
    where = tuple(
        np.array([names.index(value) for value in columns[key][mine].tolist()])
        for key, names in (("seed", seeds), ("curve", curves), ("intensity", intensities))
    )
    shape = (len(seeds), len(curves), len(intensities))
    successes, episodes = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(successes, where, columns["success"][mine].astype(np.int64))
    np.add.at(episodes, where, 1)
    nominal = np.arange(len(curves))
    if intensities[0] == 0.0:
        played = episodes[:, :, 0].sum(axis=0) > 0
        nominal[~played] = curves.index(MIXED) if MIXED in curves and played[curves.index(MIXED)] else -1
        shares = ~played & (nominal >= 0)
        for table in (successes, episodes):
            table[:, shares, 0] = table[:, nominal[shares], 0]
    asked = episodes.sum(axis=0) > 0
    complete = (episodes[:, asked] == 0).sum(axis=1) == 0
    kept = tuple(seed for seed, whole in zip(seeds, complete, strict=True) if whole)
    return Scores(kept, tuple(curves), tuple(intensities), successes[complete], episodes[complete], nominal)


def success_over_seeds(successes: Sequence[int], episodes: Sequence[int]) -> Estimate:
    """Success in one cell over seeds: Student's t over them, never narrower than Wilson of all episodes.

    Args:
        successes: Of every seed.
        episodes: Of every seed, each at least 1.

    Returns:
        The mean over seeds; n counts episodes.
    """
    total = wilson(int(np.sum(successes)), int(np.sum(episodes)))
    if not total.n:
        return Estimate(None, 0.0, 1.0, 0)
    rates = np.asarray(successes) / np.asarray(episodes)
    error = float(rates.std(ddof=1)) / sqrt(len(rates)) if len(rates) > 1 else 0.0
    over = seed_interval(float(rates.mean()), error, len(rates))
    return Estimate(over.value, min(over.low, total.low), max(over.high, total.high), total.n)
