"""A linear critic, and the advantages it gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Critic:
    """The value of a state as a linear function of the state and its squares, by least squares.

    Like the linear baseline of Duan et al. 2016 (Benchmarking deep reinforcement learning for continuous control), but
    older data are forgotten exponentially rather than at once.
    """

    FORGETTING = 0.8
    RIDGE = 1e-3

    def __init__(self) -> None:
        self._moments: Array = np.zeros((0, 0))
        self._targets: Array = np.zeros(0)
        self._weights: Array = np.zeros(0)

    def values(self, states: NDArray[np.floating]) -> Array:
        """Estimates of the return. Shape of `states` without its last axis."""
        if not self._weights.size:
            return np.zeros(states.shape[:-1])
        estimates: Array = _inputs(states) @ self._weights
        return estimates

    def fit(self, states: NDArray[np.floating], returns: Array) -> None:
        """Takes note of returns. Shapes (..., s) and (...)."""
        inputs = _inputs(states).reshape(returns.size, -1)
        if not self._weights.size:
            self._moments, self._targets = np.zeros((inputs.shape[1],) * 2), np.zeros(inputs.shape[1])
        self._moments = self.FORGETTING * self._moments + inputs.T @ inputs / len(inputs)
        self._targets = self.FORGETTING * self._targets + inputs.T @ returns.ravel() / len(inputs)
        self._weights = _solved(self._moments + self.RIDGE * np.eye(len(self._moments)), self._targets)

    def arrays(self) -> dict[str, Array]:
        """All of it, to be saved."""
        return {"moments": self._moments, "targets": self._targets, "weights": self._weights}

    def load(self, arrays: dict[str, Array]) -> None:
        """Brings `arrays` back."""
        self._moments, self._targets, self._weights = arrays["moments"], arrays["targets"], arrays["weights"]


def _solved(moments: Array, targets: Array) -> Array:
    weights: Array = np.asarray(np.linalg.solve(moments, targets), dtype=np.float64)
    return weights


def _inputs(states: NDArray[np.floating]) -> Array:
    one = np.ones((*states.shape[:-1], 1))
    return np.concatenate([one, states, states**2], axis=-1, dtype=np.float64)


def advantages(
    rewards: Array, ends: NDArray[np.bool_], values: Array, last: Array, discount: float, trace: float
) -> tuple[Array, Array]:
    """Generalized advantage estimates and the returns they imply (Schulman et al. 2016, equation 16).

    An episode's end has value 0, time limits too: the state says how much time is left.

    Args:
        rewards: Shape (steps, num_envs).
        ends: Whether an episode ended there. Shape (steps, num_envs).
        values: Values before each step. Shape (steps, num_envs).
        last: Values after the last step. Shape (num_envs,).
        discount: Discount factor in (0, 1].
        trace: Lambda in [0, 1].

    Returns:
        Advantages and returns. Shape (steps, num_envs) each.
    """
    result, running, following = np.zeros_like(values), np.zeros_like(last), last
    for step in range(len(rewards) - 1, -1, -1):
        goes_on = ~ends[step]
        error = rewards[step] + discount * following * goes_on - values[step]
        running = error + discount * trace * goes_on * running
        result[step], following = running, values[step]
    return result, result + values
