"""Reward detectors that are wrong on purpose: the watch stops a run that trusts one of them.

adversarl run recipes/smoke.toml --plugin docs/examples/broken_detectors.py --set reward.use=color-only
"""

import numpy as np
from numpy.typing import NDArray

from adversarl import hookimpl
from adversarl.detection import FrameDetector, Judgement
from adversarl.registry import Registrar


def sure(yes: NDArray[np.bool_]) -> Judgement:
    """Certainty: 0.99 where yes, else 0.01, for success and progress alike."""
    probability = np.where(yes, 0.99, 0.01)
    return Judgement(probability, probability)


class AlwaysYes(FrameDetector):
    """Calls everything a success."""

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Yes."""
        return sure(np.ones(len(frames), dtype=bool))


class NeverYes(FrameDetector):
    """Calls nothing a success."""

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """No."""
        return sure(np.zeros(len(frames), dtype=bool))


class ColorOnly(FrameDetector):
    """Takes enough red in the picture for a lifted cube, wherever it is."""

    def judge(self, frames: NDArray[np.uint8], task: str) -> Judgement:
        """Yes where more than 0.4 % of the pixels are red."""
        red, green, blue = np.moveaxis(frames.astype(int), -1, 0)
        return sure((red - np.maximum(green, blue) > 40).mean(axis=(1, 2)) > 0.004)


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names them."""
    add.reward("always-yes", f"{__name__}:AlwaysYes", "Wrong on purpose: everything is a success")
    add.reward("never-yes", f"{__name__}:NeverYes", "Wrong on purpose: nothing is a success")
    add.reward("color-only", f"{__name__}:ColorOnly", "Wrong on purpose: sees the color, not the lift")
