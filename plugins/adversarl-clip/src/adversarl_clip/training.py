"""Heads: logistic regression for success, ridge regression for progress, on features that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl_clip.errors import OneSided
from adversarl_clip.goal_baseline import Vectors, logistic
from adversarl_clip.head import Linear

STRENGTHS = tuple(float(c) for c in np.logspace(-4, 2, 13))
"""Inverse strengths of regularization that are tried, of standardized features."""
CERTAIN = 1e6
"""Inverse strength that regularizes nothing."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Features with the simulator's truth.

    Attributes:
        features: Shape (n, d).
        success: Shape (n,).
        progress: In [0, 1]; nan where the world cannot say. Shape (n,).
    """

    features: Vectors
    success: NDArray[np.bool_]
    progress: NDArray[np.floating]

    def check(self, part: str) -> None:
        """Raises `OneSided` unless there are solved and unsolved ones."""
        solved = int(self.success.sum())
        if solved in (0, len(self.success)):
            raise OneSided(part, solved, len(self.success) - solved)


def fit_success(training: Examples, validation: Examples) -> tuple[Linear, dict[str, Any]]:
    """Log odds of success, of the strength of regularization under which validation is likeliest, then calibrated.

    Raises:
        OneSided: A part shows no success, or nothing else.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    training.check("training")
    validation.check("validation")
    mean, scale = _standard(training.features)
    candidates = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
        model.fit((training.features - mean) / scale, training.success)
        plain = _unstandardized(model.coef_[0], float(model.intercept_[0]), mean, scale)
        calibrated = _calibrated(plain, validation)
        loss = log_loss(validation.success, logistic(calibrated(validation.features)), labels=[False, True])
        candidates.append((loss, strength, calibrated))
    _, strength, best = min(candidates, key=lambda candidate: candidate[0])
    return best, {"regularization": strength, **figures(best(validation.features), validation.success)}


def fit_progress(training: Examples, validation: Examples) -> tuple[Linear | None, dict[str, Any]]:
    """Progress, where the frames tell it, of the strength of regularization with the least error on validation."""
    from sklearn.linear_model import Ridge

    told, judged = np.isfinite(training.progress), np.isfinite(validation.progress)
    if not told.any() or not judged.any():
        return None, {}
    mean, scale = _standard(training.features[told])
    features, truth = validation.features[judged], validation.progress[judged].astype(float)
    candidates = []
    for strength in STRENGTHS:
        model = Ridge(alpha=1 / strength).fit((training.features[told] - mean) / scale, training.progress[told])
        line = _unstandardized(model.coef_, float(model.intercept_), mean, scale)
        error = float(np.sqrt(np.mean((np.clip(line(features), 0, 1) - truth) ** 2)))
        candidates.append((error, line))
    error, best = min(candidates, key=lambda candidate: candidate[0])
    return best, {"progress_error": error, "progress_spread": float(truth.std())}


def platt(scores: Vectors, success: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset that make log odds of scores (Platt 1999, "Probabilistic outputs for support vector machines").

    Labels are softened as there, to (n+ + 1) / (n+ + 2) and 1 / (n- + 2), so that scores that separate perfectly do
    not end in certainty.
    """
    from sklearn.linear_model import LogisticRegression

    spread = float(scores.std()) or 1.0
    solved, unsolved = int(success.sum()), int((~success).sum())
    soft = np.where(success, (solved + 1) / (solved + 2), 1 / (unsolved + 2))
    twice = np.tile((scores / spread)[:, None], (2, 1))
    labels, weights = np.repeat([True, False], len(scores)), np.concatenate([soft, 1 - soft])
    model = LogisticRegression(C=CERTAIN, max_iter=2000).fit(twice, labels, sample_weight=weights)
    return float(model.coef_[0, 0]) / spread, float(model.intercept_[0])


def figures(odds: Vectors, success: NDArray[np.bool_]) -> dict[str, Any]:
    """What log odds are worth; JSON-ready."""
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score

    return {
        "balanced_accuracy": float(balanced_accuracy_score(success, odds >= 0)),
        "auroc": float(roc_auc_score(success, odds)),
        "brier": float(brier_score_loss(success, logistic(odds))),
    }


def _standard(features: Vectors) -> tuple[Vectors, Vectors]:
    scale: Vectors = features.std(axis=0)
    mean: Vectors = features.mean(axis=0)
    return mean, np.where(scale > 1e-9, scale, 1.0)


def _unstandardized(weight: NDArray[np.floating], bias: float, mean: Vectors, scale: Vectors) -> Linear:
    plain: Vectors = np.asarray(weight, np.float64) / scale
    return Linear(plain, bias - float(plain @ mean))


def _calibrated(line: Linear, validation: Examples) -> Linear:
    slope, offset = platt(line(validation.features), validation.success)
    return Linear(slope * line.weight, slope * line.bias + offset)
