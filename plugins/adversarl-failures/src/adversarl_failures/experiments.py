"""Which episodes to re-play next, within a budget of environment steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from adversarl.interfaces.trials import Trial, Trials
from adversarl.metrics import wilson
from adversarl_failures.counterfactual_cases import Arm, Case, Cases
from adversarl_failures.counterfactual_evidence import Evidence
from adversarl_failures.history import Condition

BATCH = 8
"""Pairs planned at a time: enough to fill a world of several environments, few enough to learn from each other."""


class Pair(NamedTuple):
    """A comparison: a question asked of a case, with the condition and without it."""

    arm: Arm
    case: Case
    with_it: Trial
    without_it: Trial


class Experiments:
    """The experiments of one report, in which the policy stands still and no episode is played twice.

    Next comes the question whose answer may matter most: the highest upper bound of the share of its pairs that were
    harmed (optimism in the face of uncertainty, Lai and Robbins 1985), at first that of the more suspicious and then of
    the more frequent condition. It is asked of the case that takes fewest new episodes, and of those of the newest:
    where pairs can blame, the choice never depends on what is known of their outcome, so no condition profits from it.
    Whether a failure vanishes without a condition is asked once that did harm elsewhere, and of failures that come
    again.

    Args:
        trials: Plays the episodes.
        cases: The failed episodes.
        evidence: What was found so far; grows.
        precision: Half width of the 95 % interval of that share at which a question is settled, unless the condition
            did harm, but less often than it takes to blame it.
        needed: The e-value that it takes.
        suspicion: How suspicious each condition is.
    """

    def __init__(
        self,
        trials: Trials,
        cases: Cases,
        evidence: Evidence,
        *,
        precision: float,
        needed: float,
        suspicion: Mapping[Condition, float],
    ) -> None:
        self._trials, self._evidence, self._precision, self._needed = trials, evidence, precision, needed
        self._most_steps = trials.world.max_episode_steps
        self._known: dict[Trial, bool] = {}
        self._open: dict[Arm, list[Pair]] = {}
        asked = Counter(arm for case in cases for arm in case.arms())
        self._rank = {a: (-suspicion.get(a.condition, 0.0), -n, str(a.condition), a.kind) for a, n in asked.items()}
        for case in reversed(list(cases)):
            for arm in case.arms():
                if arm not in case.tested:
                    self._open.setdefault(arm, []).append(Pair(arm, case, *case.pair(arm)))

    def run(self, budget: int) -> None:
        """Plays until what is left of the budget [environment steps] might not suffice for one more pair."""
        while batch := self._batch(budget // self._most_steps):
            before = self._trials.env_steps
            self._play(batch)
            budget -= self._trials.env_steps - before

    def _play(self, batch: list[Pair]) -> None:
        new = list(dict.fromkeys(trial for pair in batch for trial in self._new(pair, self._known)))
        outcomes = self._trials.play(new)
        self._known |= {trial: outcome.success for trial, outcome in zip(new, outcomes, strict=True)}
        for arm, case, with_it, without_it in batch:
            case.tested.add(arm)
            self._evidence.add(arm, self._known[with_it], self._known[without_it], case.intensity(arm.condition))

    def _batch(self, most: int) -> list[Pair]:
        """The next pairs; at most `most` of their episodes are still to be played."""
        batch, planned, waiting = list[Pair](), set[Trial](), Counter[Arm]()
        while len(batch) < BATCH and (pair := self._next(planned, waiting)) is not None:
            planned.update(self._new(pair, self._known))
            if len(planned) > most:
                break
            self._open[pair.arm].remove(pair)
            batch.append(pair)
            waiting[pair.arm] += 1
        return batch

    def _next(self, planned: set[Trial], waiting: Counter[Arm]) -> Pair | None:
        known = self._known.keys() | planned
        arms = [arm for arm in self._open if self._worth(arm)]
        for arm in sorted(arms, key=lambda a: (-self._promise(a, waiting[a]), self._rank[a])):
            pairs = [pair for pair in self._open[arm] if arm.kind != "remove" or not self._known.get(pair.with_it)]
            if pairs:
                return min(pairs, key=lambda pair: len(self._new(pair, known)))
        return None

    def _promise(self, arm: Arm, waiting: int) -> float:
        """Upper bound of the share that is harmed, as if the pairs that wait were not."""
        tally = self._evidence.tally([arm])
        return wilson(tally.harmed, tally.pairs + waiting).high

    def _worth(self, arm: Arm) -> bool:
        """Whether a question is not settled, and has a point."""
        tally, both = self._evidence.tally([arm]), self._evidence.of(arm.condition)
        if arm.kind == "remove" and not both.harmed:
            return False
        share = wilson(tally.harmed, tally.pairs)
        decided = not both.harmed or both.value >= self._needed
        return not decided or (share.high - share.low) / 2 > self._precision

    @staticmethod
    def _new(pair: Pair, known: Collection[Trial]) -> list[Trial]:
        return [trial for trial in (pair.with_it, pair.without_it) if trial not in known]
