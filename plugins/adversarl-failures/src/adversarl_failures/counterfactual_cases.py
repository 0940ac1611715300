"""Failed episodes as cases: what was in force, and what to re-play to learn whether it mattered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from adversarl.interfaces.trials import Trial
from adversarl.types import Axis, Episode, Perturbation
from adversarl_failures.history import Condition


class Arm(NamedTuple):
    """One question about a condition.

    Attributes:
        condition: The condition.
        kind: ``remove`` takes it alone out of the episode: is it necessary for the failure? ``keep`` puts it alone
            into a nominal episode: is it sufficient? Where two causes would each do, removing one changes nothing;
            where only both together do, neither alone brings the failure back.
    """

    condition: Condition
    kind: Literal["remove", "keep"]


@dataclass(eq=False, slots=True)
class Case:
    """A failed episode.

    Attributes:
        trial: What repeats it.
        parts: The perturbations of each condition that was in force; several where it began more than once.
        other: Reset seed of the training episode before it, whatever became of that; None if there was none.
        tested: Questions already asked of it; each is asked once, so that no episode counts twice.
    """

    trial: Trial
    parts: dict[Condition, tuple[Perturbation, ...]]
    other: int | None = None
    tested: set[Arm] = field(default_factory=set)

    @property
    def nominal(self) -> Trial | None:
        """Where its conditions are kept alone: in its own seed; where one was alone anyway, in another one."""
        seed = self.trial.seed if len(self.parts) > 1 else self.other
        return None if seed is None else Trial(seed)

    def arms(self) -> Iterator[Arm]:
        """What can be asked of it."""
        for condition in self.parts:
            yield Arm(condition, "remove")
            if self.nominal is not None:
                yield Arm(condition, "keep")

    def pair(self, arm: Arm) -> tuple[Trial, Trial]:
        """The episodes to compare: with the condition, and without it."""
        own = self.parts[arm.condition]
        if arm.kind == "keep" and self.nominal is not None:
            return Trial(self.nominal.seed, own), self.nominal
        rest = tuple(p for p in self.trial.perturbations if p not in own)
        return self.trial, Trial(self.trial.seed, rest)

    def intensity(self, condition: Condition) -> float:
        """The highest intensity at which the condition was in force."""
        return max(p.intensity for p in self.parts[condition])

    def to_json(self) -> list[Any]:
        """``[seed, perturbations, seed of the episode before, questions asked]``."""
        tested = sorted(map(arm_to_json, self.tested), key=str)
        return [self.trial.seed, [asdict(p) for p in self.trial.perturbations], self.other, tested]


class Cases:
    """The most recent failed episodes in which something was perturbed.

    Args:
        axes: The world's axes; a perturbation of an axis' default target has the target None.
        window: How many are kept.
    """

    def __init__(self, axes: Iterable[Axis], window: int) -> None:
        self._defaults = {axis.name: axis.targets[0] if axis.targets else None for axis in axes}
        self._cases: deque[Case] = deque(maxlen=window)
        self._previous: int | None = None

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases)

    def __len__(self) -> int:
        return len(self._cases)

    def add(self, episode: Episode) -> None:
        """Looks at an episode; one that was solved or nominal is no case, nor one that is known already."""
        case = self._case(Trial(episode.seed, episode.perturbations), self._previous)
        self._previous = episode.seed
        if not episode.success and case.parts and all(case.trial != known.trial for known in self._cases):
            self._cases.append(case)

    def _case(self, trial: Trial, previous: int | None) -> Case:
        parts: dict[Condition, tuple[Perturbation, ...]] = {}
        for perturbation in trial.perturbations:
            if perturbation.intensity > 0:
                condition = self._condition(perturbation)
                parts[condition] = (*parts.get(condition, ()), perturbation)
        return Case(trial, parts, None if previous == trial.seed else previous)

    def _condition(self, perturbation: Perturbation) -> Condition:
        default = self._defaults.get(perturbation.axis)
        return perturbation.axis, None if perturbation.target == default else perturbation.target

    def state_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"previous": self._previous, "cases": [case.to_json() for case in self._cases]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self._previous = state["previous"]
        self._cases.clear()
        for seed, perturbations, other, tested in state["cases"]:
            case = self._case(Trial(seed, tuple(map(_perturbation, perturbations))), other)
            case.tested.update(map(arm_from_json, tested))
            self._cases.append(case)


def arm_to_json(arm: Arm) -> list[Any]:
    """``[axis, target, kind]``."""
    return [*arm.condition, arm.kind]


def arm_from_json(row: list[Any]) -> Arm:
    """Brings `arm_to_json` back."""
    axis, target, kind = row
    return Arm((axis, target), kind)


def _perturbation(row: dict[str, Any]) -> Perturbation:
    value = row["value"]
    return Perturbation(**{**row, "value": tuple(value) if isinstance(value, list) else value})
