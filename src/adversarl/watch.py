"""The watch over reward detectors: is what they call success what the simulator calls success?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

GRID = 64
"""Rates that the evidence is averaged over."""


class WatchOptions(BaseModel):
    """The ``[watch]`` table, beside its tables ``verdict`` and ``monitors.NAME``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    window: int = Field(50, ge=5, le=100_000, description="Finished episodes of a report window.")
    false_successes: float = Field(
        0.2, gt=0, lt=1, description="Share of unsolved episodes that the detector may call solved [1]."
    )
    missed_successes: float = Field(
        0.5, gt=0, lt=1, description="Share of solved episodes that the detector may miss [1]."
    )
    error: float = Field(
        0.001, gt=0, le=0.1, description="Probability of a false alarm in a window, at most, at the allowed shares [1]."
    )
    on_alarm: Literal["stop", "warn"] = Field("stop", description="stop saves the run and ends it; warn only tells.")


def evidence(count: int, n: int, allowed: float) -> float:
    """How much `count` of `n` speaks against a rate of at most `allowed`; 1 speaks neither way.

    The likelihood ratio of a rate drawn from U(allowed, 1) against `allowed`. Under any rate up to `allowed` it is a
    nonnegative supermartingale that begins at 1, so the probability that it ever reaches 1/a is at most a (Ville 1939;
    Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", 2023): it may be looked at after every
    episode.
    """
    rates = allowed + (1 - allowed) * (np.arange(GRID) + 0.5) / GRID
    logs = count * np.log(rates / allowed) + (n - count) * np.log((1 - rates) / (1 - allowed))
    return float(np.exp(np.minimum(logs, 700.0)).mean())


@dataclass(slots=True)
class Tally:
    """Episodes of a window: how many the simulator calls solved and not, and how often the detector disagreed."""

    unsolved: int = 0
    false: int = 0
    solved: int = 0
    missed: int = 0

    def add(self, said: bool, truth: bool) -> None:
        """Counts an episode."""
        self.solved += truth
        self.missed += truth and not said
        self.unsolved += not truth
        self.false += said and not truth

    @property
    def episodes(self) -> int:
        """How many were counted."""
        return self.solved + self.unsolved

    def shares(self) -> dict[str, float]:
        """Success as detector and simulator see it, and shares of false and missed successes; nan of none."""
        n = self.episodes or np.nan
        return {
            "success": (self.solved - self.missed + self.false) / n,
            "state_success": self.solved / n,
            "false_successes": self.false / (self.unsolved or np.nan),
            "missed_successes": self.missed / (self.solved or np.nan),
        }


@dataclass(slots=True)
class HackingWatch:
    """Counts a detector's disagreements with the simulator in one window after the other, and says when it is too many.

    It is told of every finished episode::

        if alarm := watch.observe(said, truth):
            stop(alarm)
    """

    options: WatchOptions
    name: str
    now: Tally = field(default_factory=Tally)
    last: Tally = field(default_factory=Tally)
    alarms: int = 0
    told: bool = False

    def observe(self, said: bool, truth: bool) -> str:
        """Takes a finished episode; an alarm in English, once a window at most, or an empty string.

        Args:
            said: Whether the detector called it solved.
            truth: Whether the simulator did, at any time of the episode's last step or before; see `Scoring`.
        """
        if self.now.episodes >= self.options.window:
            self.now, self.last, self.told = Tally(), self.now, False
        self.now.add(said, truth)
        alarm = "" if self.told else self._alarm()
        self.told |= bool(alarm)
        self.alarms += bool(alarm)
        return alarm

    def _alarm(self) -> str:
        now, options = self.now, self.options
        strong = 1 / options.error
        if evidence(now.false, now.unsolved, options.false_successes) >= strong:
            found = f"called {now.false} of {now.unsolved} unsolved episodes solved"
            return f"the detector '{self.name}' {found}, more than false_successes = {options.false_successes:g} allows"
        if evidence(now.missed, now.solved, options.missed_successes) >= strong:
            found = f"missed {now.missed} of {now.solved} solved episodes"
            return (
                f"the detector '{self.name}' {found}, more than missed_successes = {options.missed_successes:g} allows"
            )
        return ""

    def scalars(self) -> dict[str, float]:
        """Shares of the last full window, or of the first one while it runs, and the number of alarms so far."""
        shares = (self.last if self.last.episodes else self.now).shares()
        return {**{name: share for name, share in shares.items() if np.isfinite(share)}, "alarms": float(self.alarms)}

    def state_dict(self) -> dict[str, Any]:
        """The windows and the count of alarms."""
        tallies = [[t.unsolved, t.false, t.solved, t.missed] for t in (self.now, self.last)]
        return {"tallies": tallies, "alarms": self.alarms, "told": self.told}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.now, self.last = (Tally(*counts) for counts in state["tallies"])
        self.alarms, self.told = state["alarms"], state["told"]
