"""How good a model of kinds of failure is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.metrics import wilson

BINS = 15
SURE = 0.5
"""Confidence below which a failure is called unsure unless a recipe says otherwise [1]."""


def figures(
    kinds: Sequence[str], truth: NDArray[np.intp], probabilities: NDArray[np.float64], usual: int
) -> dict[str, Any]:
    """What a model achieves on episodes that it was not trained on; JSON-ready.

    Args:
        kinds: Names.
        truth: Number of each episode's kind. Shape (n,).
        probabilities: Of each kind. Shape (n, kinds).
        usual: The kind that the baseline always says: the most frequent one in training.

    Returns:
        Accuracy, the baseline's, precision and recall of each kind (all with Wilson intervals), the confusion matrix
        (rows are the truth), the expected calibration error, and the accuracy where the model is sure.
    """
    said = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1) >= SURE
    confusion = np.zeros((len(kinds), len(kinds)), dtype=np.intp)
    np.add.at(confusion, (truth, said), 1)
    right = np.diagonal(confusion)
    rows = {
        name: {
            "precision": wilson(int(right[i]), int(confusion[:, i].sum())).to_json(),
            "recall": wilson(int(right[i]), int(confusion[i].sum())).to_json(),
        }
        for i, name in enumerate(kinds)
    }
    return {
        "n": len(truth),
        "accuracy": wilson(int(right.sum()), len(truth)).to_json(),
        "majority": {"kind": kinds[usual], "accuracy": wilson(int((truth == usual).sum()), len(truth)).to_json()},
        "kinds": rows,
        "confusion": confusion.tolist(),
        "calibration_error": calibration_error(truth, probabilities),
        "sure": {
            "confidence": SURE,
            "share": wilson(int(sure.sum()), len(truth)).to_json(),
            "accuracy": wilson(int((said == truth)[sure].sum()), int(sure.sum())).to_json(),
        },
    }


def calibration_error(truth: NDArray[np.intp], probabilities: NDArray[np.float64]) -> float | None:
    """Expected calibration error in 15 equal bins of confidence (Guo et al. 2017, equation 3); None without episodes.

    Args:
        truth: Number of each episode's kind. Shape (n,).
        probabilities: Of each kind. Shape (n, kinds).

    Returns:
        Mean distance of accuracy and confidence, weighted by the bins' episodes, in [0, 1].
    """
    if not len(truth):
        return None
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    gaps = [abs(float(np.sum(right[bins == b] - confidence[bins == b]))) for b in range(BINS)]
    return sum(gaps) / len(truth)
