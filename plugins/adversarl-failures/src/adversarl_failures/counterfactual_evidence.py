"""What paired episodes, one with a condition and one without it, say about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import lru_cache
from math import comb, inf
from typing import Any

from adversarl.metrics import wilson
from adversarl.types import Rate
from adversarl_failures.counterfactual_cases import Arm, arm_from_json, arm_to_json
from adversarl_failures.history import Condition


@lru_cache(maxsize=4096)
def evidence_value(harmed: int, helped: int) -> float:
    """How strongly pairs that differ speak for harm, as an e-value.

    Of n pairs that differ, b fail with the condition alone and c without it alone. Where the condition makes no
    difference both are equally likely (McNemar 1947), and the mean over p ~ U(1/2, 1) of the likelihood ratio
    2^n p^b (1 - p)^c, which is sum_{i <= b} C(n + 1, i) / ((n + 1) C(n, b)), is a nonnegative martingale that starts
    at 1 (Robbins 1970). It ever reaches 1 / alpha with a probability of at most alpha (Ville 1939): whoever looks
    after every pair, or stops when it suits, is not misled more often.
    """
    n = harmed + helped
    tail = _ways(n + 1, min(harmed, helped))
    over = tail if harmed <= helped else 2 ** (n + 1) - tail
    under = (n + 1) * comb(n, harmed)
    return over / under if over.bit_length() - under.bit_length() < 1000 else inf


def _ways(n: int, most: int) -> int:
    """How many subsets of n things have at most so many of them: sum_{i <= most} C(n, i)."""
    term = total = 1
    for i in range(most):
        term = term * (n - i) // (i + 1)
        total += term
    return total


@dataclass(slots=True)
class Tally:
    """Pairs of one question.

    Attributes:
        harmed: Failed with the condition, solved without it.
        helped: Solved with it, failed without it.
        failed: Failed both ways.
        solved: Solved both ways.
        low: Lowest intensity of the pairs that were harmed; 1 if none was.
        high: Highest one; 0 if none was.
    """

    harmed: int = 0
    helped: int = 0
    failed: int = 0
    solved: int = 0
    low: float = 1.0
    high: float = 0.0

    def add(self, with_it: bool, without_it: bool, intensity: float) -> None:
        """Counts a pair by the successes of both."""
        if with_it:
            self.solved, self.helped = self.solved + without_it, self.helped + (not without_it)
        elif without_it:
            self.harmed += 1
            self.low, self.high = min(self.low, intensity), max(self.high, intensity)
        else:
            self.failed += 1

    def join(self, other: Tally) -> None:
        """Adds another tally."""
        self.harmed, self.helped = self.harmed + other.harmed, self.helped + other.helped
        self.failed, self.solved = self.failed + other.failed, self.solved + other.solved
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    @property
    def pairs(self) -> int:
        """All of them."""
        return self.harmed + self.helped + self.failed + self.solved

    @property
    def value(self) -> float:
        """Their `evidence_value`."""
        return evidence_value(self.harmed, self.helped)

    @property
    def vanishing(self) -> Rate:
        """Of the pairs that fail with the condition, those that are solved without it."""
        return wilson(self.harmed, self.harmed + self.failed)

    @property
    def appearing(self) -> Rate:
        """Of the pairs that are solved without the condition, those that fail with it."""
        return wilson(self.harmed, self.harmed + self.solved)


class Evidence:
    """Tallies of the most recent reports; older ones are about a policy that is no more.

    Args:
        memory: How many reports count.
    """

    def __init__(self, memory: int) -> None:
        self._reports: deque[dict[Arm, Tally]] = deque(maxlen=memory)
        self._total: dict[Arm, Tally] = {}

    def begin(self) -> None:
        """Starts a report's evidence; the oldest may drop out."""
        self._reports.append({})
        self._sum()

    def _sum(self) -> None:
        self._total = {}
        for report in self._reports:
            for arm, tally in report.items():
                self._total.setdefault(arm, Tally()).join(tally)

    def add(self, arm: Arm, with_it: bool, without_it: bool, intensity: float) -> None:
        """Counts a pair in the current report."""
        for tallies in (self._reports[-1], self._total):
            tallies.setdefault(arm, Tally()).add(with_it, without_it, intensity)

    def tally(self, arms: Iterable[Arm]) -> Tally:
        """All pairs of some questions."""
        total = Tally()
        for arm in arms:
            if arm in self._total:
                total.join(self._total[arm])
        return total

    def conditions(self) -> set[Condition]:
        """All that something is known about."""
        return {arm.condition for arm in self._total}

    def of(self, condition: Condition) -> Tally:
        """Pairs about a condition that can blame it: those of episodes that were not chosen because they failed.

        Played again, an episode that failed can only get better, whatever is changed in it.
        """
        return self.tally([Arm(condition, "keep"), Arm(condition, "move")])

    def state_dict(self) -> list[Any]:
        """JSON-ready."""
        return [[[arm_to_json(a), list(astuple(t))] for a, t in report.items()] for report in self._reports]

    def load_state_dict(self, state: list[Any]) -> None:
        """Brings `state_dict` back."""
        self._reports.clear()
        for report in state:
            self._reports.append({arm_from_json(arm): Tally(*tally) for arm, tally in report})
        self._sum()
