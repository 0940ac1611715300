"""Sampling for learnability: the default adaptive curriculum of the literature, over axes and intensities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.metrics import wilson
from adversarl.phrases import chosen_axes
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_curricula.bandit import Bandit, BanditRules, Choice
from adversarl_curricula.curves import Floats
from adversarl_curricula.options import TimedOptions
from adversarl_curricula.plans import Plan
from adversarl_curricula.rules import TOGETHER
from adversarl_curricula.timing import Timing


class LearnabilityOptions(TimedOptions):
    """Options of `Learnability`; a condition is one axis, or all axes together, at one intensity."""

    grid: Literal[5, 10, 20, 25, 50] = Field(10, description="Distance of the intensities of conditions [percent].")
    together_share: float = Field(
        0.65,
        ge=0,
        le=1,
        description="Share of the uniform draw in which all axes vary at once, at one intensity; in the rest one axis "
        "varies alone. It also weighs the learnable conditions.",
    )
    uniform_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of episodes whose condition is drawn uniformly; 1 without hold_back never adapts.",
    )
    stale_share: float = Field(
        0.1, ge=0, le=1, description="Share of the other episodes drawn by the time since a condition was last tried."
    )
    best_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Share of the uniform draw that counts as most learnable: the rest of the episodes comes from it.",
    )
    trusted: int = Field(
        20,
        ge=1,
        description="Episodes from which a success rate is trusted (standard error at most 0.11); below, optimism "
        "explores.",
    )
    memory: float = Field(
        100, gt=1, description="Episodes of one axis, or of all together, after which evidence weighs 1/e."
    )
    bandwidth: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Distance in intensity [1] at which an episode counts as evidence with weight exp(-1/2).",
    )
    hold_back: bool = Field(
        True,
        description="Whether, with all axes together, no axis exceeds what mostly succeeds alone, so that one that is "
        "too hard does not keep the others down. Nothing is held back where no axis is ever tried alone.",
    )


class Learnability(CurriculumStrategy):
    """Asks most often for the conditions under which about half of the episodes succeed.

    A `Bandit` keeps the success rate p of each condition and favours those with the highest p (1 - p): what always
    succeeds is learnt and what always fails cannot be learnt yet, while the gradient of a policy's success is largest
    in between (Rutherford et al. 2024). Conditions are one axis at one intensity, and all axes together at one
    intensity, which is what the standard evaluation measures. Half of the episodes stay uniform draws.

    With all axes together no axis exceeds what it is thought to master alone, so that one axis that is too hard does
    not hide what can be learnt about the others. An axis alone is never held back: that is how its limit is found out.

    Among the learnable conditions of single axes, those that the failure report blames are drawn more often, in
    proportion to 1 plus the blamed effect. What the guard refuses again and again is not sampled as learnable until
    the uniform or the stale draw finds it solvable. Episodes that change while they run are no evidence of a condition.
    """

    Options: ClassVar[type[CurriculumOptions]] = LearnabilityOptions
    options: LearnabilityOptions

    def __init__(self, options: LearnabilityOptions, world: World, rng: np.random.Generator) -> None:
        """Checks that the world understands the axes' phrases.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
            GroundingError: The world takes the phrase of an axis for something else.
        """
        super().__init__(options, world, rng)
        axes = chosen_axes(world, options.axes)
        self._names = tuple(axis.name for axis in axes)
        self.rows = (TOGETHER, *self._names) if len(axes) > 1 else (TOGETHER,)
        self.percents = tuple(range(options.grid, 101, options.grid))
        self.bandit = Bandit(self._weights(), np.array(self.percents) / 100, _rules(options))
        self._timing = Timing(options, world, axes, rng)
        self._pending: dict[int, tuple[int, int, int, bool]] = {}
        self._report: FailureReport | None = None

    def _weights(self) -> Floats:
        """Probability of each condition in the uniform draw. Shape (rows, columns)."""
        rows, columns = len(self.rows), len(self.percents)
        if rows == 1:
            return np.full((1, columns), 1 / columns)
        share = self.options.together_share
        each = np.array([share, *[(1 - share) / (rows - 1)] * (rows - 1)]) / columns
        return np.repeat(each[:, None], columns, axis=1)

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal at the reset, or a milder one at the reset and one mid-episode."""
        if report is not self._report:
            self._report = report
            self.bandit.blame(self._urgency(report))
        choice = self.bandit.draw(self.rng)
        plan = self._plan(choice)
        proposals = self._timing.proposals(plan, self._why(choice, plan))
        at_reset = all(p.onset == 0 and p.duration is None for p in proposals)
        self._pending[slot.env] = (slot.episode, choice.row, choice.column, at_reset)
        return proposals

    def _plan(self, choice: Choice) -> Plan:
        """The conditions, in percent."""
        percent = self.percents[choice.column]
        if choice.row > 0:
            name = self.rows[choice.row]
            return Plan("alone", {name: percent}, name, percent, near_ceiling=True)
        reach = self.bandit.reach.tolist() or [choice.column]
        held = {name: min(percent, self.percents[most]) for name, most in zip(self._names, reach, strict=True)}
        return Plan("together", held, "", percent, near_ceiling=True)

    def _urgency(self, report: FailureReport) -> Floats:
        effects = dict.fromkeys(self.rows, 0.0)
        for mode in report.modes:
            if mode.axis in effects:
                effects[mode.axis] = max(mode.effect, effects[mode.axis])
        return 1 + np.array(list(effects.values()))

    def _why(self, choice: Choice, plan: Plan) -> str:
        row, column = choice.row, choice.column
        held = sum(percent < plan.percent for percent in plan.percents.values())
        kept = f", {held} of them held at what succeeds alone" if held else ""
        what = f"{self.rows[row]} at {plan.percent} %{kept}"
        if choice.part == "uniform":
            return f"{what}: drawn uniformly, as {100 * self.options.uniform_share:.0f} % of the episodes are"
        if choice.part == "stale":
            return f"{what}: not tried for {choice.waited} episodes"
        score = self.bandit.score
        rank = 1 + int((score > score[row, column]).sum())
        place = "the most learnable" if rank == 1 else f"number {rank} by learnability"
        return f"{self._success(row, column)} at {what}: {place} of {score.size} conditions"

    def _success(self, row: int, column: int) -> str:
        mean, n = self.bandit.beliefs.mean[row, column], round(float(self.bandit.beliefs.n[row, column]))
        if n == 0:
            return "success is unknown"
        rate = wilson(round(mean * n), n)
        return f"success {100 * mean:.0f} % [{100 * rate.low:.0f}, {100 * rate.high:.0f}] of the last {n} near it"

    def observe(self, episode: Episode) -> None:
        """Counts the outcome for the condition that held, or for none."""
        index, row, column, held = self._pending.pop(episode.env, (-1, 0, 0, False))
        if episode.success:
            self._timing.observe(episode.length)
        if episode.clean:
            self.bandit.observe("nominal", good=episode.success)
        elif index == episode.index:
            self.bandit.observe("guard", row, column, good=True)
            if held:
                self.bandit.observe("outcome", row, column, good=episode.success)

    def refuse(self, slot: Slot) -> None:
        """Counts a proposal that the guard could not solve; its episode says nothing about the condition."""
        index, row, column, _ = self._pending.pop(slot.env, (-1, 0, 0, False))
        if index == slot.episode:
            self.bandit.observe("guard", row, column, good=False)

    def scalars(self) -> dict[str, float]:
        """Believed success with all axes together, where it is one half, entropy, and what the guard refuses.

        ``curriculum/p/together/50`` is the success rate at 50 %. ``curriculum/half/AXIS`` is the highest intensity at
        which it is at least one half, in [0, 1]. ``curriculum/entropy`` is that of the draw [nat], and
        ``curriculum/unsolvable`` the number of conditions that the guard can rarely solve.
        """
        means, known = self.bandit.beliefs.mean, {}
        for percent, p in zip(self.percents, means[0].tolist(), strict=True):
            known[f"curriculum/p/together/{percent}"] = p
        names = ("together", *self.rows[1:])
        for name, count in zip(names, (means >= 0.5).sum(axis=1).tolist(), strict=True):
            known[f"curriculum/half/{name}"] = self.percents[count - 1] / 100 if count else 0.0
        known["curriculum/entropy"] = _entropy(self.bandit.probabilities())
        known["curriculum/unsolvable"] = float(self.bandit.hopeless.sum())
        return known

    def state_dict(self) -> dict[str, Any]:
        """The bandit, running episodes and the usual length of a success; JSON-ready."""
        return {
            "bandit": self.bandit.state_dict(),
            "pending": [[env, *condition] for env, condition in self._pending.items()],
            "usual_length": self._timing.usual_length,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.bandit.load_state_dict(state["bandit"])
        self._pending = {env: (index, row, column, held) for env, index, row, column, held in state["pending"]}
        self._timing.usual_length = state["usual_length"]
        self._report = None


def _rules(options: LearnabilityOptions) -> BanditRules:
    return BanditRules(
        uniform_share=options.uniform_share,
        stale_share=options.stale_share,
        best_share=options.best_share,
        trusted=options.trusted,
        memory=options.memory,
        bandwidth=options.bandwidth,
        hold_back=options.hold_back and options.together_share < 1,
    )


def _entropy(probabilities: Floats) -> float:
    """Shannon entropy [nat]."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log(positive)).sum())
