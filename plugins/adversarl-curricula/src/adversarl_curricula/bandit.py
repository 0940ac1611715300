"""A bandit over conditions: where half succeeds, with a floor and a memory for what was not tried for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from adversarl_curricula.curves import Beliefs, Floats, believe, kernel

REFRESH = 8
"""Pieces of evidence after which beliefs and probabilities are computed anew."""

HOPELESS = 0.5
"""A condition is not sampled as learnable while less than this share of its proposals is thought to be solvable."""

MASTERED = 0.8
"""Success with an axis alone, as a share of that at the easiest condition, from which it need not be held back."""

GUARD_MEMORY = 5
"""Proposals of one condition after which the guard's verdict on it weighs 1/e."""

Part = Literal["uniform", "learnable", "stale"]
Evidence = Literal["outcome", "nominal", "guard"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A condition that was drawn.

    Attributes:
        row: Of the condition.
        column: Of the condition.
        part: Which part of P it comes from.
        waited: Draws since it was last drawn, or since the beginning.
    """

    row: int
    column: int
    part: Part
    waited: int


@dataclass(frozen=True, slots=True)
class BanditRules:
    """How conditions are drawn; see `adversarl_curricula.learnability.LearnabilityOptions`."""

    uniform_share: float
    stale_share: float
    best_share: float
    trusted: float
    memory: float
    bandwidth: float
    hold_back: bool


class Bandit:
    """Sampling for learnability (Rutherford et al. 2024, algorithm 1) over a table of conditions.

    With weight w of a condition in the uniform draw, rho = `uniform_share` and sigma = `stale_share`::

        P = rho w + (1 - rho) ((1 - sigma) P_learnable + sigma P_stale)

    P_learnable is w, restricted to the most learnable conditions, of total weight `best_share`: the published buffer
    holds the K best of N levels drawn uniformly; here a table does, because conditions are few enough to keep evidence
    of each. P_stale is in proportion to the draws since a condition was last drawn (Jiang et al. 2021, section 3.2).

    Evidence is forgotten at a rate of 1 / `memory` per outcome of its row, because the policy changes.

    Args:
        weights: Probability of each condition in the uniform draw; row 0 has all axes together. Shape (rows, columns),
            sums to 1.
        intensities: Of the columns, rising. Shape (columns,), in (0, 1].
        rules: How conditions are drawn.
    """

    def __init__(self, weights: Floats, intensities: Floats, rules: BanditRules) -> None:
        self.weights, self.rules = weights, rules
        self._kernel = kernel(intensities, rules.bandwidth)
        self._keep = 1 - 1 / rules.memory
        self._cumulated = {"uniform": np.cumsum(weights)}
        self._counts = np.zeros((2, *weights.shape))
        self._nominal = np.zeros(2)
        self._guarded = np.zeros((2, *weights.shape))
        self._urgency = self._blamed = np.ones(len(weights))
        self._last = np.zeros(weights.size, np.int64)
        self._draws = 0
        self._standing = np.full(len(weights) - 1, weights.shape[1] - 1)
        self._news: list[tuple[Evidence, int, int, int]] = []
        self._refresh()

    def draw(self, rng: np.random.Generator) -> Choice:
        """Draws a condition from P."""
        kind, where = rng.random(2).tolist()
        rho, sigma = self.rules.uniform_share, self.rules.stale_share
        part: Part = "uniform" if kind < rho else "stale" if kind < rho + (1 - rho) * sigma else "learnable"
        cumulated = np.cumsum(self._staleness()) if part == "stale" else self._cumulated[part]
        index = min(int(np.searchsorted(cumulated, where * cumulated[-1], side="right")), cumulated.size - 1)
        waited = self._draws - int(self._last[index])
        self._draws += 1
        self._last[index] = self._draws
        row, column = divmod(index, self.weights.shape[1])
        return Choice(row, column, part, waited)

    def _staleness(self) -> Floats:
        return np.where(self.weights.ravel() > 0, self._draws + 1.0 - self._last, 0.0)

    def observe(self, evidence: Evidence, row: int = 0, column: int = 0, *, good: bool) -> None:
        """Takes a piece of evidence.

        Args:
            evidence: The ``outcome`` of an episode in which a condition held from reset to end, that of a ``nominal``
                episode, or what the ``guard`` thought of a proposal.
            row: Of the condition.
            column: Of the condition.
            good: Whether the episode succeeded, or the proposal was solvable; the latter counts only where the guard
                refused the condition before.
        """
        if evidence == "guard" and good and not self._guarded[0, row, column]:
            return
        self._news.append((evidence, row, column, int(good)))
        if len(self._news) >= REFRESH:
            for piece in self._news:
                self._count(*piece)
            self._news.clear()
            self._urgency, self._standing = self._blamed, self.reach
            self._refresh()

    def _count(self, evidence: Evidence, row: int, column: int, good: int) -> None:
        if evidence == "outcome":
            self._counts[:, row] *= self._keep
            self._counts[good, row, column] += 1
        elif evidence == "nominal":
            self._nominal *= self._keep
            self._nominal[good] += 1
        else:
            self._guarded[:, row, column] *= 1 - 1 / GUARD_MEMORY
            self._guarded[good, row, column] += 1

    def blame(self, urgency: Floats) -> None:
        """Multiplies the weights of rows among the most learnable conditions, when next refreshed. Shape (rows,)."""
        self._blamed = urgency

    def _refresh(self) -> None:
        in_force = np.arange(self.weights.shape[1]) <= self._standing[:, None]
        self.beliefs: Beliefs = believe(self._counts, self._nominal, self._kernel, in_force)
        mastered = self.beliefs.mean[1:] >= MASTERED * self.beliefs.mean.max()
        limits = np.maximum(mastered.sum(axis=1) - 1, 0)
        self.reach: NDArray[np.int64] = limits if self.rules.hold_back else self._standing
        """Column of the highest intensity of each axis among all: what it masters alone, at least 0, or the last where
        nothing is held back. Shape (rows - 1,)."""
        refused, kept = self._guarded
        solvable = (1 + kept) / (1 + kept + refused)
        self.hopeless: NDArray[np.bool_] = solvable < HOPELESS
        """Which conditions the guard can rarely solve. Shape of `weights`."""
        score = self.beliefs.learnability(self.rules.trusted) * solvable
        self.score: Floats = np.where(self.hopeless, 0.0, score)
        """Learnability of each condition, 0 where it is not solvable. Shape of `weights`, in [0, 0.25]."""
        weights = np.where(self._best(), self.weights * self._urgency[:, None], 0.0)
        self.learnable: Floats = weights / weights.sum() if weights.any() else self.weights
        """P_learnable. Shape of `weights`, sums to 1."""
        self._cumulated["learnable"] = np.cumsum(self.learnable)

    def _best(self) -> NDArray[np.bool_]:
        """Which conditions are the most learnable, and those as good as the last of them. Shape of `weights`."""
        order = np.argsort(-self.score, axis=None, kind="stable")
        reached = int(np.searchsorted(np.cumsum(self.weights.ravel()[order]), self.rules.best_share))
        last = self.score.ravel()[order[min(reached, order.size - 1)]]
        return np.asarray((self.score >= last) & (self.score > 0))

    def probabilities(self) -> Floats:
        """P, the probability of each condition in the next draw. Shape of `weights`, sums to 1."""
        rho, sigma = self.rules.uniform_share, self.rules.stale_share
        stale = self._staleness().reshape(self.weights.shape)
        adaptive = (1 - sigma) * self.learnable + sigma * stale / stale.sum()
        return np.asarray(rho * self.weights + (1 - rho) * adaptive)

    def state_dict(self) -> dict[str, Any]:
        """JSON-ready; what is computed from it is left out."""
        return {
            "counts": self._counts.tolist(),
            "nominal": self._nominal.tolist(),
            "guarded": self._guarded.tolist(),
            "urgency": self._urgency.tolist(),
            "blamed": self._blamed.tolist(),
            "last": self._last.tolist(),
            "standing": self._standing.tolist(),
            "draws": self._draws,
            "news": [list(piece) for piece in self._news],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        for name in ("counts", "nominal", "guarded", "urgency", "blamed"):
            setattr(self, f"_{name}", np.array(state[name], np.float64))
        for name in ("last", "standing"):
            setattr(self, f"_{name}", np.array(state[name], np.int64))
        self._draws = state["draws"]
        self._news = [(evidence, row, column, good) for evidence, row, column, good in state["news"]]
        self._refresh()
