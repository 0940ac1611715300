"""Whom an adversary compares the policy in training with."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from adversarl.errors import NoPlayer, NoTeacher
from adversarl.interfaces.trials import Player, Services, Trial

log = logging.getLogger(__name__)


class Antagonist:
    """Tries the episodes that the policy failed, from the same seed and under the same perturbations.

    Args:
        player: The scripted teacher, or the policy of another run.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self._services: Services | None = None
        self.away = False
        """Whether it could not be asked, and the user knows."""

    def connect(self, services: Services) -> None:
        """Takes what a run offers; without it nobody can be asked."""
        self._services, self.away = services, False

    def solves(self, trials: Sequence[Trial]) -> list[bool]:
        """Which of the episodes it solves; all of them, and the user is told once, where it cannot be asked."""
        if self._services is None or self.away:
            return self._without("nothing is connected that plays episodes aside", trials)
        try:
            return [outcome.success for outcome in self._services.trials.play(trials, self.player)]
        except NoTeacher:
            return self._without("the world has no scripted teacher; set curriculum.antagonist to a run folder", trials)
        except NoPlayer as error:
            return self._without(str(error), trials)

    def _without(self, reason: str, trials: Sequence[Trial]) -> list[bool]:
        if not self.away:
            self.away = True
            tell = log.info if self._services is None else self._services.notice
            tell(f"regret counts every failure as avoidable, because the {self.player} cannot be asked: {reason}")
        return [True] * len(trials)
