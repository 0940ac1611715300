"""Failed episodes as cases: what was in force, and what to re-play to learn whether it mattered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from adversarl.interfaces.trials import Trial
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Axis, Episode, Perturbation
from adversarl_failures.history import Condition

Kind = Literal["keep", "move", "remove"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Arm(NamedTuple):
    """One question about a condition.

    Attributes:
        condition: The condition.
        kind: ``remove`` takes it alone out of the failed episode: does the failure vanish? ``keep`` puts it alone into
            a nominal episode: is it sufficient? ``move`` puts all that the episode had into a fresh one, with it and
            without it: is it necessary? Where two causes would each do, removing one changes nothing; where only both
            together do, neither alone brings the failure back.
    """

    condition: Condition
    kind: Kind


@dataclass(eq=False, slots=True)
class Case:
    """A failed episode.

    Attributes:
        trial: What repeats it.
        parts: The perturbations of each condition that was in force; several where it began more than once.
        fresh: Reset seed of the first of its fresh episodes. A failure that a curriculum repeats has others each time,
            or what was found once would count again.
        tested: Questions already asked of it; each is asked once, so that no episode counts twice.
    """

    trial: Trial
    parts: dict[Condition, tuple[Perturbation, ...]]
    fresh: int
    tested: set[Arm] = field(default_factory=set)

    def arms(self) -> Iterator[Arm]:
        """What can be asked of it."""
        for condition in self.parts:
            yield from (Arm(condition, kind) for kind in KINDS)

    def pair(self, arm: Arm) -> tuple[Trial, Trial]:
        """The episodes to compare: with the condition, and without it.

        It is kept and moved in fresh episodes, each of its own: the failed one was chosen, and where the others of its
        conditions do nothing, what is kept there is the same episode over again.
        """
        own = self.parts[arm.condition]
        seed = self.trial.seed if arm.kind == "remove" else (self.fresh + KINDS.index(arm.kind)) % TRAINING_SEEDS
        if arm.kind == "keep":
            return Trial(seed, own), Trial(seed)
        rest = tuple(p for p in self.trial.perturbations if p not in own)
        return Trial(seed, self.trial.perturbations), Trial(seed, rest)

    def intensity(self, condition: Condition) -> float:
        """The highest intensity at which the condition was in force."""
        return max(p.intensity for p in self.parts[condition])

    def to_json(self) -> list[Any]:
        """``[seed, perturbations, fresh seed, questions asked]``."""
        tested = sorted(map(arm_to_json, self.tested), key=str)
        return [self.trial.seed, [asdict(p) for p in self.trial.perturbations], self.fresh, tested]


class Cases:
    """The most recent failed episodes in which something was perturbed.

    Args:
        axes: The world's axes; a perturbation of an axis' default target has the target None.
        window: How many are kept.
    """

    def __init__(self, axes: Iterable[Axis], window: int) -> None:
        self._defaults = {axis.name: axis.targets[0] if axis.targets else None for axis in axes}
        self._cases: deque[Case] = deque(maxlen=window)

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases)

    def __len__(self) -> int:
        return len(self._cases)

    def add(self, episode: Episode) -> None:
        """Takes a failed episode; one that is known already, or nominal, teaches nothing new."""
        fresh = (episode.seed + 2 * episode.index + 1) % TRAINING_SEEDS
        case = self._case(Trial(episode.seed, episode.perturbations), fresh)
        if case.parts and all(case.trial != known.trial for known in self._cases):
            self._cases.append(case)

    def _case(self, trial: Trial, fresh: int) -> Case:
        parts: dict[Condition, tuple[Perturbation, ...]] = {}
        for perturbation in trial.perturbations:
            if perturbation.intensity > 0:
                condition = self._condition(perturbation)
                parts[condition] = (*parts.get(condition, ()), perturbation)
        return Case(trial, parts, fresh)

    def _condition(self, perturbation: Perturbation) -> Condition:
        default = self._defaults.get(perturbation.axis)
        return perturbation.axis, None if perturbation.target == default else perturbation.target

    def state_dict(self) -> list[Any]:
        """JSON-ready."""
        return [case.to_json() for case in self._cases]

    def load_state_dict(self, state: list[Any]) -> None:
        """Brings `state_dict` back."""
        self._cases.clear()
        for seed, perturbations, fresh, tested in state:
            case = self._case(Trial(seed, tuple(map(_perturbation, perturbations))), fresh)
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
