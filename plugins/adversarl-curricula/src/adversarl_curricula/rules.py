"""Failure modes to prompts: adaptive, but never harder than what can be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import chosen_axes
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_curricula.ladder import Ladder, LadderRules
from adversarl_curricula.options import RulesOptions
from adversarl_curricula.plans import Plan, Planner
from adversarl_curricula.reasons import why
from adversarl_curricula.timing import Timing

TOGETHER = "all axes together"
"""Name of the ladder of all axes; no axis can have it, because axes are in kebab case."""


class Rules(CurriculumStrategy):
    """Asks for what the policy is about to be able to do, most often where it is weakest.

    Each axis has a `Ladder`, and so have all axes together. An episode varies all axes at one intensity, one axis
    alone, or a few of them; axes are drawn by learnability p (1 - p) near their ceiling plus the effect that the
    failure report blames on them, mixed with a uniform draw so that none is forgotten. Half of the episodes are near a
    ceiling, where success is uncertain, the rest below it; intensities beyond the ceiling are a small share, because an
    adversary that only makes the policy fail teaches less than plain randomization (Dennis et al. 2020).

    With all axes together no axis exceeds what it has mastered alone, one step below its own ceiling, so that one axis
    that is still too hard does not keep the others down. Axes that were not held back rise with all axes together:
    those successes had them at full intensity and more besides.

    Some episodes start milder and change while they run, within the time that a successful episode usually takes.
    Only episodes whose conditions held from reset to end move a ladder.
    """

    Options: ClassVar[type[CurriculumOptions]] = RulesOptions
    options: RulesOptions

    def __init__(self, options: RulesOptions, world: World, rng: np.random.Generator) -> None:
        """Checks that the world understands the axes' phrases.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
            GroundingError: The world takes the phrase of an axis for something else.
        """
        super().__init__(options, world, rng)
        axes = chosen_axes(world, options.axes)
        step = round(100 * options.step)
        moves = (options.raise_at, options.lower_at, step)
        self.together = Ladder(LadderRules(options.together_window, *moves), round(100 * options.together_start))
        alone = LadderRules(options.alone_window, *moves)
        self.alone = {axis.name: Ladder(alone, round(100 * options.alone_start)) for axis in axes}
        self._planner = Planner(options, self.together, self.alone, rng)
        self._timing = Timing(options, world, axes, rng)
        self._pending: dict[int, str] = {}

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal at the reset, or a milder one at the reset and one mid-episode."""
        self._pending.pop(slot.env, None)
        plan = self._planner.draw(report)
        proposals = self._timing.proposals(plan, self._why(plan, report))
        if plan.near_ceiling and all(p.onset == 0 for p in proposals):
            self._pending[slot.env] = TOGETHER if plan.kind == "together" else plan.axis
        return proposals

    def _why(self, plan: Plan, report: FailureReport) -> str:
        return why(plan, self.together if plan.kind in ("together", "reach") else self.alone[plan.axis], report)

    def observe(self, episode: Episode) -> None:
        """Moves the ladder that the episode was evidence for."""
        ladder = self._pending.pop(episode.env, None)
        if episode.success:
            self._timing.observe(episode.length)
        if ladder is None or episode.clean:
            return
        if ladder == TOGETHER:
            self._observe_together(episode.success)
        else:
            self.alone[ladder].observe(episode.success)

    def refuse(self, slot: Slot) -> None:
        """Forgets what was proposed: an episode that is left nominal instead is evidence for no ladder."""
        self._pending.pop(slot.env, None)

    def _observe_together(self, success: bool) -> None:
        before = self.together.ceiling
        if self.together.observe(success):
            for ladder in self.alone.values():
                if ladder.mastered >= before:
                    ladder.lift(self.together.ceiling + ladder.rules.step)

    def scalars(self) -> dict[str, float]:
        """Ceilings as intensities in [0, 1], under ``curriculum/ceiling/``."""
        ceilings = {"together": self.together.ceiling} | {name: one.ceiling for name, one in self.alone.items()}
        return {f"curriculum/ceiling/{name}": ceiling / 100 for name, ceiling in ceilings.items()}

    def state_dict(self) -> dict[str, Any]:
        """Ladders, running episodes and the usual length of a success; JSON-ready."""
        return {
            "together": self.together.state_dict(),
            "alone": {name: ladder.state_dict() for name, ladder in self.alone.items()},
            "pending": [[env, ladder] for env, ladder in self._pending.items()],
            "usual_length": self._timing.usual_length,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.together.load_state_dict(state["together"])
        for name, ladder in self.alone.items():
            ladder.load_state_dict(state["alone"][name])
        self._pending = {env: ladder for env, ladder in state["pending"]}
        self._timing.usual_length = state["usual_length"]
