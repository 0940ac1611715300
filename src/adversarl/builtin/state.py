"""The reward detector that believes the simulator."""

from __future__ import annotations

from adversarl.interfaces.reward import RewardDetector, Score, Step


class StateReward(RewardDetector):
    """Passes the simulator's reward and success on."""

    truth = True

    def score(self, step: Step) -> Score:
        """The truth."""
        return Score(step.reward, step.success)
