"""Doing nothing, as components: the baseline of every comparison."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumStrategy, Slot
from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.metrics import rate
from adversarl.types import Axis, Episode, FailureReport, Proposal


class NoCurriculum(CurriculumStrategy):
    """Never asks for anything: training without randomization."""

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """Nothing."""
        del slot, report
        return ()


class NoFailureOptions(FailureOptions):
    """Options of `NoFailure`."""

    window: int = Field(100, ge=1, description="Most recent episodes that the success rates are taken over.")


class NoFailure(FailureClassifier):
    """Counts successes over recent episodes, and over recent unperturbed ones; blames no condition."""

    Options: ClassVar[type[NoFailureOptions]] = NoFailureOptions
    options: NoFailureOptions

    def __init__(self, options: NoFailureOptions, axes: Sequence[Axis]) -> None:
        super().__init__(options, axes)
        self._episodes = 0
        self._recent: deque[bool] = deque(maxlen=options.window)
        self._nominal: deque[bool] = deque(maxlen=options.window)

    def observe(self, episode: Episode) -> None:
        """Counts an episode."""
        self._episodes += 1
        self._recent.append(episode.success)
        if not episode.perturbations:
            self._nominal.append(episode.success)

    def report(self) -> FailureReport:
        """Both success rates with their intervals."""
        return FailureReport(self._episodes, rate(self._recent), rate(self._nominal))

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"episodes": self._episodes, "recent": list(self._recent), "nominal": list(self._nominal)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings the counts back."""
        self._episodes = state["episodes"]
        self._recent = deque(state["recent"], maxlen=self.options.window)
        self._nominal = deque(state["nominal"], maxlen=self.options.window)
