"""What an adversary is rewarded for: functions of how the episodes of one proposal ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Objective = Literal["regret", "learnability", "minimax"]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the episodes of one proposal ended.

    Attributes:
        episodes: Their number, at least 1; one that the guard refused counts, as a failure of everyone.
        successes: How many the protagonist solved.
        solvable: How many the protagonist or the antagonist solved, each from the same seed.
    """

    episodes: int
    successes: int
    solvable: int


def regret(outcomes: Outcomes) -> float:
    r"""Best return less the protagonist's return, averaged over the episodes, in [0, 1].

    :math:`\frac{1}{k} \sum_i \max(U_i^A, U_i^P) - U_i^P` with returns U that are 1 for a success and 0 otherwise, so
    that worlds with different reward scales count alike. Dennis et al. 2020 (PAIRED, equation 4), in the flexible form
    in which the best of both players stands for the optimum: no antagonist is needed where the protagonist succeeds.
    """
    return (outcomes.solvable - outcomes.successes) / outcomes.episodes


def learnability(outcomes: Outcomes) -> float:
    """Unbiased estimate of p (1 - p) from k episodes with s successes: s (k - s) / (k (k - 1)), in [0, 1/2].

    Rutherford et al. 2024 (sampling for learnability). A single episode is 0 or 1 whatever p is; 0 is returned, which
    happens only where the guard refused the first episode and nobody is known to solve it.
    """
    k, s = outcomes.episodes, outcomes.successes
    return s * (k - s) / (k * (k - 1)) if k > 1 else 0.0


def minimax(outcomes: Outcomes) -> float:
    """Share of failures, in [0, 1]: the ablation, which is drawn to what nobody can solve (Dennis et al. 2020)."""
    return 1 - outcomes.successes / outcomes.episodes


SCORES: Mapping[Objective, Callable[[Outcomes], float]] = {
    "regret": regret,
    "learnability": learnability,
    "minimax": minimax,
}
