"""What became of the prompts that Claude proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from adversarl.metrics import rate
from adversarl.types import Episode, Rate

LONGEST = 200
"""Most recent episodes kept of each prompt."""
FEWEST = 5
"""Fewest episodes of either half of a prompt's history that are compared."""
SHOWN = 40
"""Most recently proposed prompts that are told and kept."""


@dataclass(slots=True)
class Effect:
    """One prompt: when it was last proposed, the success expected, refusals, and success of its episodes in order."""

    proposed_at: int
    expected: float
    refused: int = 0
    success: list[bool] = field(default_factory=list)

    def line(self, prompt: str) -> str:
        """The same as a line of a table."""
        half = len(self.success) // 2
        early, late = _percent(rate(self.success[:half])), _percent(rate(self.success[half:]))
        change = f"{early} → {late}" if half >= FEWEST else "too few yet"
        refused = f"; refused {self.refused} times as unsolvable" if self.refused else ""
        return (
            f"| {prompt} | {self.expected:.0%} | {interval(rate(self.success))} | {change} | "
            f"episode {self.proposed_at}{refused} |"
        )


def _percent(found: Rate) -> str:
    return f"{found.value:.0%}"


def interval(found: Rate) -> str:
    """A rate with its 95 % interval, such as ``62 % [50, 73] (n=66)``."""
    if not found.n:
        return "not tried yet"
    return f"{100 * found.value:.0f} % [{100 * found.low:.0f}, {100 * found.high:.0f}] (n={found.n})"


class Effects:
    """Success under each prompt that was proposed lately."""

    def __init__(self) -> None:
        self._of: dict[str, Effect] = {}

    def propose(self, prompts: Mapping[str, float], episode: int) -> None:
        """Takes note of prompts and the success expected under them."""
        for prompt, expected in prompts.items():
            known = self._of.pop(prompt, Effect(episode, expected))
            known.proposed_at, known.expected = episode, expected
            self._of[prompt] = known
        for prompt in list(self._of)[:-SHOWN]:
            del self._of[prompt]

    def observe(self, episode: Episode) -> None:
        """Takes note of an episode."""
        for prompt in episode.prompts:
            if prompt in self._of:
                success = self._of[prompt].success
                success.append(episode.success)
                del success[:-LONGEST]

    def refuse(self, prompt: str) -> None:
        """Takes note that the guard refused a prompt."""
        if prompt in self._of:
            self._of[prompt].refused += 1

    def table(self) -> Sequence[str]:
        """Lines of a Markdown table, oldest first; empty where nothing was proposed."""
        if not self._of:
            return ()
        head = "| prompt | you expected | success | first half → second half | last proposed |"
        return (head, "|---|---|---|---|---|", *(effect.line(prompt) for prompt, effect in self._of.items()))

    def state_dict(self) -> list[Any]:
        """JSON-ready."""
        return [[prompt, asdict(effect)] for prompt, effect in self._of.items()]

    def load_state_dict(self, state: Sequence[Any]) -> None:
        """Brings `state_dict` back."""
        self._of = {prompt: Effect(**effect) for prompt, effect in state}
