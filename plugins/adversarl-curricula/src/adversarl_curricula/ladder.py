"""A ceiling on intensity that follows what the policy can do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

GRID = 5
"""Intensities are drawn in multiples of this [percent], so that prompts repeat and their grounding can be cached."""


@dataclass(frozen=True, slots=True)
class LadderRules:
    """When a ladder moves: at these success rates over `window` episodes, by `step` [percent]."""

    window: int
    raise_at: float
    lower_at: float
    step: int


class Ladder:
    """The highest intensity that is practised, in whole percent, raised and lowered by evidence from near it.

    It is one boundary of automatic domain randomization (Akkaya et al. 2019, algorithm 1): outcomes near the boundary
    are kept, a mean of at least `raise_at` over `window` of them widens the range by `step`, one of at most `lower_at`
    narrows it, and either forgets them. Unlike there, outcomes in between roll on, and a decision is taken as soon as
    the rest of the window could not change it.

    Args:
        rules: When it moves.
        ceiling: Where it starts [percent].
    """

    def __init__(self, rules: LadderRules, ceiling: int) -> None:
        self.rules = rules
        self.ceiling = ceiling
        self.outcomes: deque[int] = deque(maxlen=rules.window)
        self.moved: tuple[int, int, int] | None = None
        """The ceiling before the last move [percent], and the successes and episodes that decided it."""

    @property
    def learnability(self) -> float:
        """4 p (1 - p) of the success rate p near the ceiling, in (0, 1]; highest where half succeeds.

        Rutherford et al. 2024 (sampling for learnability). One success and one failure are added, which makes it 1
        before there is evidence.
        """
        p = (sum(self.outcomes) + 1) / (len(self.outcomes) + 2)
        return 4 * p * (1 - p)

    @property
    def mastered(self) -> int:
        """One step below the ceiling, or the top once the ceiling is there [percent]."""
        return 100 if self.ceiling == 100 else max(GRID, self.ceiling - self.rules.step)

    def observe(self, success: bool) -> bool:
        """Takes an outcome from near the ceiling; returns whether that raised it."""
        self.outcomes.append(int(success))
        window, successes = self.rules.window, sum(self.outcomes)
        # Rates of whole windows, as they are written down: 0.7 * 10 and 1 - 0.7 are rounded.
        if successes / window >= self.rules.raise_at:
            return self._move(self.rules.step)
        if (window - (len(self.outcomes) - successes)) / window <= self.rules.lower_at:
            self._move(-self.rules.step)
        return False

    def lift(self, ceiling: int) -> None:
        """Raises the ceiling to at least this [percent] on evidence from elsewhere."""
        if self.ceiling < ceiling:
            self.ceiling = min(ceiling, 100)
            self.outcomes.clear()
            self.moved = None

    def _move(self, by: int) -> bool:
        lowest = min(self.rules.step, self.ceiling)
        target = min(100, max(lowest, self.ceiling + by))
        if target == self.ceiling:
            return False
        self.moved = (self.ceiling, sum(self.outcomes), len(self.outcomes))
        self.ceiling = target
        self.outcomes.clear()
        return True

    def state_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        moved = None if self.moved is None else list(self.moved)
        return {"ceiling": self.ceiling, "outcomes": list(self.outcomes), "moved": moved}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.ceiling = state["ceiling"]
        self.outcomes = deque(state["outcomes"], maxlen=self.rules.window)
        moved = state["moved"]
        self.moved = None if moved is None else (moved[0], moved[1], moved[2])
