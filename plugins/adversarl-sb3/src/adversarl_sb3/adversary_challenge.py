"""One proposal of an adversary on its way: handed out to a few episodes, scored when all of them are over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from adversarl.interfaces.trials import Trial
from adversarl.types import Episode, Perturbation
from adversarl_sb3.adversary_menu import Action
from adversarl_sb3.adversary_scores import Outcomes


@dataclass(slots=True)
class Challenge:
    """A proposal and what became of its episodes.

    Attributes:
        observation: What was known when it was drawn. Shape (size,).
        action: Indices into the menu.
        value: The critic's value then.
        log_prob: Logarithm of the action's probability then.
        uniform: Whether the uniform part of the policy drew it.
        left: Episodes it still has to be handed out to.
        running: Episodes under way.
        episodes: Episodes that are over, refused ones included.
        successes: Those of them that the protagonist solved.
        failed: Those that it did not solve, to be tried by the antagonist; without the refused ones.
    """

    observation: list[float]
    action: Action
    value: float
    log_prob: float
    uniform: bool
    left: int
    running: int = 0
    episodes: int = 0
    successes: int = 0
    failed: list[Trial] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether all of its episodes are over."""
        return self.left == 0 and self.running == 0

    def hand_out(self) -> None:
        """One more episode begins with it."""
        self.left -= 1
        self.running += 1

    def take_back(self) -> None:
        """An episode was dropped before it was over."""
        self.left += 1
        self.running -= 1

    def observe(self, episode: Episode) -> None:
        """Takes note of an episode that is over."""
        self.running -= 1
        self.episodes += 1
        self.successes += episode.success
        if not episode.success:
            self.failed.append(Trial(episode.seed, episode.perturbations))

    def refuse(self) -> None:
        """The guard could not solve an episode: it counts as a failure of everyone, and no more are begun."""
        self.running -= 1
        self.episodes += 1
        self.left = 0

    def outcomes(self, rescued: int) -> Outcomes:
        """How its episodes ended; `rescued` failures of the protagonist were solved by the antagonist."""
        return Outcomes(self.episodes, self.successes, self.successes + rescued)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Challenge:
        """Brings `to_json` back."""
        failed = [Trial(one["seed"], tuple(map(_perturbation, one["perturbations"]))) for one in content["failed"]]
        return cls(**{**content, "action": tuple(content["action"]), "failed": failed})


def _perturbation(content: dict[str, Any]) -> Perturbation:
    value = content["value"]
    return Perturbation(**{**content, "value": tuple(value) if isinstance(value, list) else value})
