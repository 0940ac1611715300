"""Pictures of runs that are training: the worlds of their last episodes, drawn beside them."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adversarl_dashboard.readers.files import part
from adversarl_dashboard.readers.runs import Run

if TYPE_CHECKING:
    from adversarl.interfaces.backend import PerturbableVectorEnv
    from adversarl_dashboard.film import Film
    from adversarl_dashboard.studio import Studio

EVERY_S = 15.0
"""A run's pictures are drawn anew at most so often [s], so that training keeps the machine."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Pictures of an episode, perhaps still being drawn.

    Attributes:
        row: The episode, as in ``episodes.jsonl``.
        film: Its first and middle frame.
        asked_at: When it was asked for, by a monotonic clock [s].
    """

    row: dict[str, Any]
    film: Future[Film]
    asked_at: float


class Previews:
    """The newest pictures of each run; drawn aside, so that no page waits."""

    def __init__(self) -> None:
        self._shown: dict[Path, Preview] = {}
        self._coming: dict[Path, Preview] = {}

    def look(self, run: Run, studio: Studio) -> Preview | None:
        """What there is to see of a run; None before its first episode.

        The last pictures stay until newer ones are drawn.
        """
        coming = self._coming.get(run.path)
        if coming is not None and coming.film.done():
            self._shown[run.path] = self._coming.pop(run.path)
            coming = None
        shown = self._shown.get(run.path)
        rows = run.last("episodes", 1)
        if rows and coming is None and self._due(shown, rows[0]):
            row = rows[0]
            coming = Preview(row, studio.submit(lambda world: stills(world, row)), time.monotonic())
            self._coming[run.path] = coming
        return shown or coming

    def _due(self, shown: Preview | None, row: dict[str, Any]) -> bool:
        if shown is None:
            return True
        return shown.row != row and time.monotonic() - shown.asked_at > EVERY_S


def stills(world: PerturbableVectorEnv, row: dict[str, Any]) -> Film:
    """The first and the middle frame of an episode, the teacher acting; its length is known when it was played once."""
    from adversarl_dashboard.film import perturbations_of, play

    seed, perturbations = int(row["seed"]), perturbations_of(row)
    length = play(world, seed, perturbations, steps=()).length
    return play(world, seed, perturbations, steps=(0, length // 2))


def backend_of(run: Run) -> dict[str, Any]:
    """The run's table ``[backend]``."""
    return part(run.recipe, "backend")
