"""The last pictures of failed episodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from adversarl.interfaces.trials import Trace
from adversarl.types import Episode
from adversarl_claude.frames import blocks, png


class Album:
    """Keeps the most recent failures, each as a caption and a picture.

    Args:
        size: How many.
    """

    def __init__(self, size: int) -> None:
        self._pages: deque[tuple[str, str]] = deque(maxlen=size)

    def add(self, episode: Episode, trace: Trace) -> None:
        """Keeps the last picture of an episode if it failed."""
        if not episode.success:
            self._pages.append((caption(episode), png(trace.frame)))

    def pages(self) -> Sequence[dict[str, Any]]:
        """Blocks of a message, oldest first."""
        return [block for page in self._pages for block in blocks(*page)]

    def state_dict(self) -> list[Any]:
        """JSON-ready."""
        return [list(page) for page in self._pages]

    def load_state_dict(self, state: Sequence[Any]) -> None:
        """Brings `state_dict` back."""
        self._pages.clear()
        self._pages.extend((text, picture) for text, picture in state)


def caption(episode: Episode) -> str:
    """What was in force in a failed episode, in one line."""
    changes = ", ".join(f"{p.axis} at {p.intensity:.0%}" for p in episode.perturbations) or "nothing changed"
    ending = "the time was up" if episode.truncated else "it ended early"
    return f"Last picture of failed episode {episode.index} ({changes}; {ending} after {episode.length} steps):"
