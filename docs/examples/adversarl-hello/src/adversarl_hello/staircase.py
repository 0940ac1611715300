"""Curriculum ``hello``: a weighted up-down staircase on one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot
from adversarl.types import Episode, FailureReport, Proposal


class StaircaseOptions(CurriculumOptions):
    """Options of `Staircase`."""

    prompt: str = Field("dim the light", description="What to ask for; the strength is added as a percentage.")
    step: float = Field(0.02, gt=0, le=0.3, description="Rise of the intensity after a success [1].")


class Staircase(CurriculumStrategy):
    """Up by one step after a success, down by three after a failure: settles where three in four succeed.

    Kaernbach, "Simple adaptive testing with the weighted up-down method", Perception & Psychophysics 49, 1991.
    """

    Options = StaircaseOptions
    options: StaircaseOptions
    intensity = 0.0

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """The prompt at the present intensity."""
        text = f"{self.options.prompt} at {100 * self.intensity:.0f} %"
        return [Proposal(text, f"recent success is {report.success.value:.0%}")]

    def observe(self, episode: Episode) -> None:
        """Moves the intensity, unless the episode was one of the clean share."""
        if not episode.clean:
            change = self.options.step if episode.success else -3 * self.options.step
            self.intensity = min(1.0, max(0.0, self.intensity + change))

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"intensity": self.intensity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings it back."""
        self.intensity = state["intensity"]
