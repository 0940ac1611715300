"""Failure classifier `counterfactual`: failed episodes again, with one perturbation removed, or with it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adversarl.errors import NoPlayer
from adversarl.interfaces.failure import FailureOptions
from adversarl.interfaces.trials import Services
from adversarl.metrics import rate
from adversarl.types import Axis, Episode, FailureMode, Rate
from adversarl_failures.blame import BlameOptions, Blames
from adversarl_failures.counterfactual_cases import Arm, Cases
from adversarl_failures.counterfactual_evidence import Evidence, Tally
from adversarl_failures.experiments import Experiments
from adversarl_failures.history import Condition, Table


class CounterfactualOptions(BlameOptions):
    """Options of `Counterfactual`."""

    budget: int = Field(2_000, ge=0, description="Most environment steps that a report spends on re-runs.")
    memory: int = Field(20, ge=1, description="Reports after which what re-runs found is dropped.")
    cases: int = Field(100, ge=1, description="Most recent failed episodes that are re-run.")
    precision: float = Field(
        0.1, gt=0, lt=0.5, description="Half width of the 95 % interval of a share at which re-runs for it end."
    )


class Counterfactual(Blames):
    """Re-runs failed episodes of training with the current policy, without its exploration, to see what they hang on.

    Pairs of episodes that differ in one condition (axis and target) alone say what the condition does. It is kept alone
    in a nominal episode of a fresh seed; all perturbations are moved to another one, and it alone is left out; and,
    once it did harm in these, it is removed from the failed episode itself, which says what share of the failures
    vanish with it. A condition is a failure mode if its pairs of the first two kinds fail with it so much more often
    than without it that their `evidence_value` reaches the number of conditions / `alpha` (Bonferroni), whatever the
    order of experiments. Those of the third kind do not count for that: where failures come and go by chance, one that
    is played again with anything changed vanishes as often. Failure modes are ranked by the lower bound of the effect:
    failures with the condition, times the share of them that it decides.

    Limits: a report that found nothing may have had too little budget or too few failures; among three causes of which
    any two suffice, none is found. Warm-start episodes, which a teacher plays in part, do not count.
    """

    Options: ClassVar[type[FailureOptions]] = CounterfactualOptions
    options: CounterfactualOptions

    def __init__(self, options: CounterfactualOptions, axes: Sequence[Axis]) -> None:
        super().__init__(options, axes)
        self._services: Services | None = None
        self._warned = False
        self._cases = Cases(self.axes, options.cases)
        self._evidence = Evidence(options.memory)

    def connect(self, services: Services) -> None:
        """Takes what plays episodes again; without it nothing is blamed."""
        self._services = services

    def observe(self, episode: Episode) -> None:
        """Takes note of a finished episode of training, and keeps a failed one."""
        super().observe(episode)
        if episode.phase == "train" and not episode.success:
            self._cases.add(episode)

    def _experiment(self, table: Table) -> None:
        if self._services is None:
            return
        trials, budget = self._services.trials, self.options.budget
        try:
            if budget < 2 * trials.world.max_episode_steps:
                steps = trials.world.max_episode_steps
                self._warn(f"failure.budget = {budget} is less than two episodes of {steps} steps: nothing is re-run")
            Experiments(
                trials,
                self._cases,
                self._evidence,
                precision=self.options.precision,
                needed=self._needed(),
                suspicion=_suspicion(table),
            ).run(budget)
        except NoPlayer as error:
            self._warn(f"failures are counted, but not explained: {error}")

    def _warn(self, text: str) -> None:
        """Says what keeps it from working, once."""
        if self._services is not None and not self._warned:
            self._services.notice(text)
        self._warned = True

    def _conditions(self) -> set[Condition]:
        """Those that are, or were, in question."""
        return {condition for case in self._cases for condition in case.parts} | self._evidence.conditions()

    def _needed(self) -> float:
        """The e-value that blames a condition."""
        return max(1, len(self._conditions())) / self.options.alpha

    def _modes(self, table: Table) -> tuple[FailureMode, ...]:
        """Re-runs failed episodes; then the conditions that re-runs of this and recent reports blame."""
        self._evidence.begin()
        if len(self._cases):
            self._experiment(table)
        needed, found = self._needed(), list[tuple[float, FailureMode]]()
        for condition in sorted(self._conditions(), key=str):
            if self._evidence.of(condition).value >= needed:
                found.append(self._mode(condition, table))
        found.sort(key=lambda item: -item[0])
        return tuple(mode for _, mode in found[: self.options.max_modes])

    def _mode(self, condition: Condition, table: Table) -> tuple[float, FailureMode]:
        """The lower bound of the effect, and the failure mode."""
        removed, kept, moved = (self._evidence.tally([Arm(condition, kind)]) for kind in ("remove", "keep", "move"))
        both = self._evidence.of(condition)
        success = _success(condition, both, table)
        share = max(removed.vanishing, kept.appearing, moved.vanishing, key=lambda rate: rate.low)
        failing = 1 - success.value if success.n else 1.0
        sentence = _sentence(condition, removed.vanishing, kept.appearing)
        mode = FailureMode(*condition, (both.low, both.high), success, failing * share.value, sentence)
        return failing * share.low, mode

    def state_dict(self) -> dict[str, Any]:
        """Cases, evidence, windows and counters; JSON-ready."""
        own = {"cases": self._cases.state_dict(), "evidence": self._evidence.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        super().load_state_dict(state)
        self._cases.load_state_dict(state["cases"])
        self._evidence.load_state_dict(state["evidence"])


def _suspicion(table: Table) -> dict[Condition, float]:
    """Correlation over the observed episodes of each condition's intensity with failure; 0 where one is constant."""
    failed = ~table.success[table.usable]
    return {
        condition: _correlation(table.intensities[table.usable, index], failed.astype(float))
        for index, condition in enumerate(table.conditions)
    }


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 2 or not a.std() or not b.std():
        return 0.0
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))


def _success(condition: Condition, evidence: Tally, table: Table) -> Rate:
    """Success of observed episodes in which the condition had an intensity that the evidence comes from."""
    if condition not in table.conditions:
        return rate([])
    intensity = table.intensities[:, table.conditions.index(condition)]
    return rate(table.success[(intensity >= evidence.low) & (intensity <= evidence.high)].tolist())


def _sentence(condition: Condition, vanishing: Rate, appearing: Rate) -> str:
    axis, target = condition
    what, parts = f"{axis} ({target})" if target else axis, list[str]()
    if vanishing.n:
        parts.append(f"{_percent(vanishing)} of {vanishing.n} failures with {what} vanish when it alone is removed")
    if appearing.n:
        parts.append(f"{what} alone makes {_percent(appearing)} of {appearing.n} episodes fail that are solved without")
    return "; ".join(parts)


def _percent(share: Rate) -> str:
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
