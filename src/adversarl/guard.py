"""The guard of solvability: what nobody can solve teaches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from adversarl.errors import NoPlayer, NoTeacher
from adversarl.interfaces.trials import Trial, Trials


class Guard:
    """Lets another player try proposed episodes first.

    A minimax adversary is drawn to what cannot be solved at all (Dennis et al. 2020); an episode that the player does
    not solve from the same seed is not trained on. A scripted teacher sees the privileged state, so it vouches for the
    physics of an episode, not for whether its pictures still show what is needed.

    Args:
        player: Who tries; ``none`` lets everything pass.
        attempts: Proposals tried for one episode.
        trials: Plays them.
    """

    def __init__(self, player: Literal["none", "teacher", "antagonist"], attempts: int, trials: Trials) -> None:
        self.player, self.attempts, self._trials = player, attempts, trials
        self.tried = 0
        self.unsolvable = 0

    def solvable(self, proposed: Sequence[Trial]) -> list[bool]:
        """Whether the player solves each episode; nominal ones pass untried.

        Raises:
            NoPlayer: The world has no teacher.
        """
        if self.player == "none":
            return [True] * len(proposed)
        perturbed = [trial for trial in proposed if trial.perturbations]
        try:
            outcomes = iter(self._trials.play(perturbed, self.player))
        except NoTeacher as error:
            remedy = 'Set curriculum.guard to "none", or to "antagonist" with the folder of a run as antagonist'
            raise NoPlayer("scripted teacher in this world", remedy) from error
        verdicts = [not trial.perturbations or next(outcomes).success for trial in proposed]
        self.tried += len(perturbed)
        self.unsolvable += verdicts.count(False)
        return verdicts

    def scalars(self) -> dict[str, float]:
        """How many proposals were tried, and how many nobody could solve."""
        if self.player == "none":
            return {}
        return {"curriculum/guard_tried": self.tried, "curriculum/guard_unsolvable": self.unsolvable}

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"tried": self.tried, "unsolvable": self.unsolvable}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings the counts back."""
        self.tried, self.unsolvable = state["tried"], state["unsolvable"]
