"""Success over intensity, estimated from few and ageing episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR = 2.0
"""Weight of the prior of a success rate [episodes]: Beta(1, 1)."""

KIN = 6.0
"""Most episodes that all axes alone count for as evidence of one of them."""

SAME = 1e-9
"""Fitted values that differ by less belong to one pool."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Beta posteriors of the success rate under each condition.

    Attributes:
        mean: Posterior means, falling along a row. Shape (rows, columns), in (0, 1).
        n: Episodes that they rest on, without the prior's. Shape (rows, columns).
    """

    mean: Floats
    n: Floats

    def learnability(self, trusted: float) -> Floats:
        """Posterior mean of p (1 - p), and more where the success rate p is not known yet.

        For Beta(a, b) the mean of p (1 - p) is a b / ((a + b) (a + b + 1)). Below `trusted` episodes it is the
        highest p (1 - p) within one standard deviation of the mean instead: optimism in the face of uncertainty
        (Auer et al. 2002).

        Args:
            trusted: Episodes from which a success rate is trusted.

        Returns:
            Learnability. Shape (rows, columns), in [0, 0.25].
        """
        near = np.clip(0.5, self.mean - self.spread, self.mean + self.spread)
        return np.where(self.n < trusted, near * (1 - near), self.spread**2 * (self.n + PRIOR))

    @property
    def spread(self) -> Floats:
        """Standard deviations. Shape (rows, columns)."""
        return np.asarray(np.sqrt(self.mean * (1 - self.mean) / (self.n + PRIOR + 1)))


def kernel(intensities: Floats, bandwidth: float) -> Floats:
    """Weight of an episode at one intensity as evidence at another. Shape (columns, columns), 1 on the diagonal."""
    return np.asarray(np.exp(-0.5 * ((intensities[:, None] - intensities) / bandwidth) ** 2))


def believe(counts: Floats, nominal: Floats, weights: Floats, in_force: NDArray[np.bool_]) -> Beliefs:
    """Estimates success under every condition.

    Four things are known beforehand. Success changes gradually with intensity: episodes at neighbouring intensities
    count in part. It does not rise with intensity: an antitonic fit pools what contradicts that, nominal episodes being
    those at intensity 0. An axis of which little is known is like the other axes, as far as a few episodes. And all
    axes together are no easier than one of them: success there vouches for each axis that was in force.

    Args:
        counts: Failed and successful episodes; row 0 has all axes together. Shape (2, rows, columns).
        nominal: Failed and successful nominal episodes. Shape (2,).
        weights: `kernel` of the columns. Shape (columns, columns).
        in_force: Which axes have the intensity of a column when all of them together do. Shape (rows - 1, columns).
    """
    near = counts @ weights
    seen = counts.sum(axis=0)
    common = _fit(
        np.stack([near[:, 0], near[:, 1:].sum(axis=1)], axis=1), np.stack([seen[0], seen[1:].sum(axis=0)]), nominal
    )
    if len(seen) == 1:
        return Beliefs(common.mean[:1], common.n[:1])
    together, kin = (Beliefs(common.mean[row], common.n[row]) for row in (0, 1))
    alone = near[:, 1:] + np.minimum(kin.n, KIN) * np.stack([1 - kin.mean, kin.mean])[:, None]
    easier = together.mean > (alone[1] + PRIOR / 2) / (alone.sum(axis=0) + PRIOR)
    vouched = together.n * np.stack([1 - together.mean, together.mean])[:, None]
    each = _fit(np.where(easier & in_force, alone + vouched, alone), seen[1:], nominal)
    return Beliefs(np.vstack([together.mean, each.mean]), np.vstack([together.n, each.n]))


def _fit(near: Floats, seen: Floats, nominal: Floats) -> Beliefs:
    """Posteriors whose means do not rise along a row, nor above nominal success.

    Args:
        near: Failed and successful episodes, those nearby in part. Shape (2, rows, columns).
        seen: Episodes, each counted once. Shape (rows, columns).
        nominal: Failed and successful nominal episodes. Shape (2,).
    """
    rows, columns = seen.shape
    passed = np.column_stack([np.full(rows, nominal[1]), near[1]])
    n = np.column_stack([np.full(rows, nominal.sum()), near.sum(axis=0)])
    # In the fit the prior of a whole row weighs PRIOR: a finer grid must not add evidence where values are pooled.
    slight = PRIOR / columns
    fitted = antitonic((passed + slight / 2) / (n + slight), n + slight)
    shared = _shared(fitted, n, np.column_stack([n[:, 0], seen]))
    means = np.minimum.accumulate((shared * fitted + PRIOR / 2) / (shared + PRIOR), axis=1)
    return Beliefs(means[:, 1:], shared[:, 1:])


def antitonic(values: Floats, weights: Floats) -> Floats:
    """The nearest rows that do not rise, by weighted least squares.

    The min-max formula (Barlow et al. 1972, theorem 1.4): g_k = min over i <= k of max over j >= k of the weighted
    mean of the values i to j.

    Args:
        values: Shape (rows, columns).
        weights: Positive. Shape (rows, columns).

    Returns:
        Shape (rows, columns).
    """
    columns = values.shape[1]
    sums = np.zeros((2, len(values), columns + 1))
    np.cumsum([values * weights, weights], axis=2, out=sums[:, :, 1:])
    total, weight = sums[:, :, None, 1:] - sums[:, :, :-1, None]
    # Below the diagonal are no ranges; the minimum over i <= k never looks there.
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    highest = np.maximum.accumulate(mean[:, :, ::-1], axis=2)[:, :, ::-1]
    lowest = np.minimum.accumulate(highest, axis=1)
    return np.asarray(np.diagonal(lowest, axis1=1, axis2=2))


def _shared(fitted: Floats, near: Floats, seen: Floats) -> Floats:
    """Evidence in each value's pool, because what bounds one member of a pool bounds all. Shape (rows, columns).

    It is all that was seen in the pool, or the most that is near one of its members.
    """
    pooled = np.abs(fitted[:, :, None] - fitted[:, None, :]) < SAME
    most = np.where(pooled, near[:, None, :], 0.0).max(axis=2)
    return np.asarray(np.maximum(most, (pooled @ seen[:, :, None])[:, :, 0]))
