"""To be written: the reward detector `goal-image`."""

from __future__ import annotations

from adversarl.interfaces.reward import RewardDetector, Score, Step


class GoalImage(RewardDetector):
    """To be written."""

    def score(self, step: Step) -> Score:
        """To be written."""
        raise NotImplementedError
