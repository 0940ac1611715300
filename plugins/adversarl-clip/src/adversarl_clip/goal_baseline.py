"""Goal-baseline regularization of VLM-RMs (Rocamonde et al. 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Of length 1, each. Shape (..., d)."""
    wide = np.asarray(vectors, np.float64)
    result: Vectors = wide / np.linalg.norm(wide, axis=-1, keepdims=True)
    return result


def regularized_reward(images: Vectors, goal: Vectors, baseline: Vectors, alpha: float) -> Vectors:
    """R of images, in [-1, 1]. Shape (n,).

    Rocamonde et al., "Vision-Language Models are Zero-Shot Reward Models for Reinforcement Learning", 2023, section 3::

        R(s) = 1 - 1/2 || alpha proj_L s + (1 - alpha) s - g ||^2

    with L the line through baseline b and goal g, and s, g and b of length 1. With alpha 0 it is the cosine of s and
    g; with alpha 1 nothing counts but where along L an image lies.

    Args:
        images: s. Shape (n, d).
        goal: g. Shape (d,).
        baseline: b, which is not g. Shape (d,).
        alpha: In [0, 1].
    """
    s, g, b = unit(images), unit(goal), unit(baseline)
    direction = unit(g - b)
    projected = g + ((s - g) @ direction)[:, None] * direction
    result: Vectors = 1 - 0.5 * np.square(alpha * projected + (1 - alpha) * s - g).sum(axis=1)
    return result


def logistic(odds: Vectors) -> Vectors:
    """Probabilities of log odds. Shape as `odds`."""
    result: Vectors = np.exp(-np.logaddexp(0.0, -odds))
    return result
