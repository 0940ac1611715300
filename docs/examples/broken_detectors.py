"""Reward detectors that are wrong on purpose: the watch stops a run that trusts one of them.

adversarl run recipes/smoke.toml --plugin docs/examples/broken_detectors.py --set reward.use=color-only
"""

import numpy as np

from adversarl import hookimpl
from adversarl.detection import FrameDetector, Judgement


def sure(yes):
    """Certainty: 0.99 where yes, else 0.01, for success and progress alike."""
    probability = np.where(yes, 0.99, 0.01)
    return Judgement(probability, probability)


class AlwaysYes(FrameDetector):
    """Calls everything a success."""

    def judge(self, frames, task):
        return sure(np.ones(len(frames), dtype=bool))


class NeverYes(FrameDetector):
    """Calls nothing a success."""

    def judge(self, frames, task):
        return sure(np.zeros(len(frames), dtype=bool))


class ColorOnly(FrameDetector):
    """Takes red in the upper half of the picture for a lifted cube; one that lies far away is there too."""

    def judge(self, frames, task):
        red, green, blue = np.moveaxis(frames[:, : frames.shape[1] // 2].astype(int), -1, 0)
        share = (red - np.maximum(green, blue) > 40).mean(axis=(1, 2))
        return sure(share > 0.004)


@hookimpl
def adversarl_register(add):
    add.reward("always-yes", f"{__name__}:AlwaysYes", "Wrong on purpose: everything is a success")
    add.reward("never-yes", f"{__name__}:NeverYes", "Wrong on purpose: nothing is a success")
    add.reward("color-only", f"{__name__}:ColorOnly", "Wrong on purpose: sees the color, not the lift")
