"""Which causes a calibration injects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adversarl.seeding import generator
from adversarl.types import Axis
from adversarl_failures.calibration.mixture import Mixture
from adversarl_failures.calibration.policy import Causes

Kind = Literal["single", "pair", "companion", "clean"]


@dataclass(frozen=True, slots=True)
class Injected:
    """One trial of a calibration: a policy with these causes plays one window of episodes.

    Attributes:
        kind: One cause, two, one that mostly comes with a harmless axis, or none.
        causes: They, with the intensity above which the policy fails.
        seed: Path of names that seeds its episodes.
        companions: The cause and the harmless axis that it mostly comes with; empty for the other kinds.
    """

    kind: Kind
    causes: Causes
    seed: tuple[str | int, ...]
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Design:
    """A calibration.

    Attributes:
        trials: Trials of each axis alone, as many with a second cause, and with a companion.
        clean: Trials without any cause, for each axis.
        episodes: Episodes of a trial.
        limit: Time limit of an episode [control steps].
        base: Share of episodes in which the policy fails on its own.
        thresholds: Range in which the intensity lies above which a cause makes the policy fail.
        mixture: How the episodes are perturbed.
        seed: Root of all that is drawn.
    """

    trials: int = 1
    clean: int = 1
    episodes: int = 300
    limit: int = 50
    base: float = 0.1
    thresholds: tuple[float, float] = (0.2, 0.6)
    mixture: Mixture = field(default_factory=Mixture)
    seed: int = 0

    def injected(self, axes: Sequence[Axis]) -> Iterator[Injected]:
        """All trials: every axis alone, in a pair and with a companion, then those without a cause."""
        names = [axis.name for axis in axes]
        for number in range(self.trials):
            for name in names:
                both = (name, *self._other(name, names, number))
                yield self._trial("single", [name], (name, number))
                yield self._trial("pair", both, (name, number))
                yield self._trial("companion", [name], (name, number), both)
        for number in range(self.clean):
            for name in names:
                yield self._trial("clean", [], (name, number))

    def _other(self, name: str, names: Sequence[str], number: int) -> list[str]:
        others = [other for other in names if other != name]
        return [str(generator(self.seed, "other", name, number).choice(others))] if others else []

    def _trial(
        self, kind: Kind, causes: Sequence[str], path: tuple[str | int, ...], companions: tuple[str, ...] = ()
    ) -> Injected:
        rng = generator(self.seed, "thresholds", kind, *path)
        thresholds = {cause: float(rng.uniform(*self.thresholds)) for cause in causes}
        return Injected(kind, thresholds, (kind, *path), companions)
