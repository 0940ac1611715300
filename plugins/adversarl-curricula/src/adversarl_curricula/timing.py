"""When an episode changes, and the prompts that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from adversarl.interfaces.curriculum import World
from adversarl.phrases import phrases_of, prompt_for
from adversarl.types import Axis, Proposal
from adversarl_curricula.ladder import GRID
from adversarl_curricula.options import TimedOptions
from adversarl_curricula.plans import Plan

FORGETTING = 0.05
"""Weight of the newest success in the usual length of a success."""


class Timing:
    """Turns plans into proposals, at the reset or mid-episode.

    Args:
        options: Shares of episodes that change while they run.
        world: Says how long an episode may be, and what it understands.
        axes: Those that plans vary.
        rng: The curriculum's generator.

    Raises:
        GroundingError: The world takes the phrase of an axis for something else.
    """

    def __init__(self, options: TimedOptions, world: World, axes: Sequence[Axis], rng: np.random.Generator) -> None:
        self.options, self.rng, self.phrases = options, rng, phrases_of(world, axes)
        self.waiting = frozenset(axis.name for axis in axes if axis.mid_episode)
        """Axes that can change mid-episode; the others only at a reset."""
        self.limit = world.max_episode_steps
        self.usual_length = self.limit / 2
        """Running mean of the length of successful episodes [control steps]."""

    def observe(self, length: int) -> None:
        """Takes note of the length of a successful episode [control steps]."""
        self.usual_length += FORGETTING * (length - self.usual_length)

    def proposals(self, plan: Plan, why: str) -> tuple[Proposal, ...]:
        """The prompts of an episode."""
        later = {name: percent for name, percent in plan.percents.items() if name in self.waiting}
        if not later or not self._mid_episode(plan):
            return (Proposal(prompt_for(plan.percents, self.phrases), why),)
        at_reset = self._milder(plan, later)
        change = self._change(prompt_for(later, self.phrases), why)
        if not at_reset:
            return (change,)
        because = f"milder at first: it changes at step {change.onset}"
        return (Proposal(prompt_for(at_reset, self.phrases), because), change)

    def _mid_episode(self, plan: Plan) -> bool:
        """One axis alone always holds from the reset on: there are few such episodes, and each is evidence."""
        return plan.kind != "alone" and self.limit > 1 and self.rng.random() < self.options.mid_episode_share

    def _milder(self, plan: Plan, later: Mapping[str, int]) -> dict[str, int]:
        """Conditions at the reset: a part of what comes later, perhaps none of it, and all that cannot come later."""
        part = float(self.rng.random())
        percents = {name: GRID * int(part * percent / GRID) for name, percent in later.items()}
        return {name: value for name in plan.percents if (value := percents.get(name, plan.percents[name])) > 0}

    def _change(self, text: str, why: str) -> Proposal:
        """Draws an onset in the first three quarters of the time a success takes, and perhaps an end."""
        usual = max(2, min(self.limit, round(self.usual_length)))
        onset = int(self.rng.integers(1, max(2, 3 * usual // 4)))
        proposal = Proposal(text, f"{why}; mid-episode, from step {onset}", onset=onset)
        if self.rng.random() >= self.options.brief_share:
            return proposal
        duration = int(self.rng.integers(max(1, usual // 4), usual + 1))
        return replace(proposal, why=f"{proposal.why} for {duration} steps", duration=duration)
