"""The components of a loop, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumStrategy
from adversarl.interfaces.failure import FailureClassifier
from adversarl.interfaces.reward import RewardDetector
from adversarl.trials import SideTrials
from adversarl.watch import WatchOptions

REWARD = "reward"


@dataclass(frozen=True, slots=True)
class Detectors:
    """What scores a loop's steps.

    Attributes:
        reward: Pays, and says when an episode is over.
        verdict: Says at the end of an episode whether it was a success; None leaves it to `reward`.
        monitors: Others that look on, by name.
        watch: What is watched for.
        name: The reward's, for alarms.
    """

    reward: RewardDetector
    verdict: RewardDetector | None = None
    monitors: Mapping[str, RewardDetector] = field(default_factory=dict)
    watch: WatchOptions = field(default_factory=WatchOptions)
    name: str = REWARD

    def all(self) -> dict[str, RewardDetector]:
        """Every detector by the name under which its scalars appear."""
        named = {REWARD: self.reward, **({} if self.verdict is None else {"verdict": self.verdict})}
        return named | {f"monitor/{name}": detector for name, detector in self.monitors.items()}


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a loop."""

    world: PerturbableVectorEnv
    detectors: Detectors
    failure: FailureClassifier
    curriculum: CurriculumStrategy
    trials: SideTrials
