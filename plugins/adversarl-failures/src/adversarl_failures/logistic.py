"""Logistic regression that stays finite where a condition always fails, for a handful of conditions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_STEP = 5.0
"""Largest change of a coefficient in one iteration [log odds]."""
ITERATIONS = 50
ENOUGH = 1e-4
"""Growth of the log-likelihood at which a fit ends; quantiles that are compared differ by far more."""
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model of k columns.

    Attributes:
        coefficients: Log odds of success per unit of each column. Shape (k,).
        likelihood: Penalized log-likelihood at them.
        covariance: Inverse information at them. Shape (k, k).
    """

    coefficients: NDArray[np.float64]
    likelihood: float
    covariance: NDArray[np.float64]


def fit(design: NDArray[np.float64], success: NDArray[np.bool_], free: int | None = None) -> Fit:
    """Maximizes the likelihood times Jeffreys' prior, the square root of the determinant of the information.

    That removes the first-order bias of the coefficients and keeps them finite where a condition separates successes
    from failures (Firth 1993; Heinze and Schemper 2002). Newton steps on U = X' (y - p + h (1/2 - p)), with h the
    diagonal of the hat matrix, halved until the likelihood grows.

    Args:
        design: Columns of the model, one row per episode, linearly independent. Shape (n, k).
        success: Whether each episode succeeded. Shape (n,).
        free: Only the first `free` coefficients are fitted, the others stay 0 under the prior of all k columns;
            None fits all.
    """
    y, free = success.astype(float), design.shape[1] if free is None else free
    coefficients = np.zeros(design.shape[1])
    likelihood, gradient, information = _state(design, y, coefficients)
    for _ in range(ITERATIONS):
        step = np.zeros_like(coefficients)
        step[:free] = np.linalg.solve(information[:free, :free], gradient[:free])
        step *= min(1.0, MAX_STEP / max(float(np.abs(step).max()), TOLERANCE))
        before = likelihood
        likelihood, gradient, information = _state(design, y, coefficients + step)
        while likelihood < before and np.abs(step).max() > TOLERANCE:
            step /= 2
            likelihood, gradient, information = _state(design, y, coefficients + step)
        coefficients = coefficients + step
        if abs(likelihood - before) < ENOUGH:
            break
    return Fit(coefficients, likelihood, np.linalg.inv(information).astype(np.float64))


def evidence(design: NDArray[np.float64], success: NDArray[np.bool_]) -> float:
    """Signed root of the penalized likelihood ratio of the last column, the others being fitted.

    Standard normal where the column makes no difference; positive where success is lower with it
    (Heinze and Schemper 2002, section 2.4).
    """
    whole, without = fit(design, success), fit(design, success, design.shape[1] - 1)
    root = float(np.sqrt(max(0.0, 2 * (whole.likelihood - without.likelihood))))
    return root if whole.coefficients[-1] < 0 else -root


def scores(
    design: NDArray[np.float64], success: NDArray[np.bool_], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rao's score statistic of each further column on its own: about what `evidence` is, from one fit for all.

    U / sqrt(V) with U = x' (p - y) and V = x' W x - x' W Z (Z' W Z)^-1 Z' W x, Z being the design; 0 where a column
    depends on the design.

    Args:
        design: Columns of the model. Shape (n, k).
        success: Whether each episode succeeded. Shape (n,).
        columns: The further columns. Shape (n, c).

    Returns:
        Shape (c,).
    """
    model = fit(design, success)
    p = 1 / (1 + np.exp(-np.clip(design @ model.coefficients, -30.0, 30.0)))
    w = p * (1 - p)
    shared = (design.T * w) @ columns
    variance = w @ columns**2 - (shared * (model.covariance @ shared)).sum(axis=0)
    apart = variance > TOLERANCE
    result: NDArray[np.float64] = np.zeros(columns.shape[1])
    np.divide(columns.T @ (p - success), np.sqrt(np.maximum(variance, TOLERANCE)), out=result, where=apart)
    return result


def adjusted_effect(design: NDArray[np.float64], model: Fit, column: int) -> tuple[float, float]:
    """Success without a condition minus success with it, over the episodes that have it, and its standard error.

    The model predicts each of these episodes with the column as it is and set to 0 (standardization among the exposed;
    Greenland 2004), the delta method gives the error.

    Args:
        design: Columns of the model. Shape (n, k).
        model: Its fit.
        column: The condition's column, 0 or 1 in each row.
    """
    exposed = design[design[:, column] > 0]
    restored = exposed.copy()
    restored[:, column] = 0.0
    p, q = (1 / (1 + np.exp(-rows @ model.coefficients)) for rows in (exposed, restored))
    slope = (restored.T * (q * (1 - q))).mean(axis=1) - (exposed.T * (p * (1 - p))).mean(axis=1)
    return float((q - p).mean()), float(np.sqrt(slope @ model.covariance @ slope))


def _state(
    design: NDArray[np.float64], success: NDArray[np.float64], at: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Penalized log-likelihood, its modified score, and the information."""
    logits = np.clip(design @ at, -30.0, 30.0)
    p = 1 / (1 + np.exp(-logits))
    w = p * (1 - p)
    information = (design.T * w) @ design
    hat = w * ((design @ np.linalg.inv(information)) * design).sum(axis=1)
    likelihood = float(success @ logits - np.logaddexp(0.0, logits).sum() + np.linalg.slogdet(information)[1] / 2)
    gradient = design.T @ (success - p + hat * (0.5 - p))
    return likelihood, gradient, information
