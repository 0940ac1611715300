"""Between two episodes: what the curriculum proposes, what the world makes of it, and whether it can be solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pluggy

from adversarl.guard import Guard
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumStrategy, Slot
from adversarl.interfaces.trials import Trial, Trials
from adversarl.schedule import NEVER, Entry, Schedule
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import FailureReport, Grounding, Perturbation, Proposal


class Planning:
    """Turns proposals into schedules.

    Args:
        world: What grounds prompts.
        curriculum: What proposes.
        trials: What the guard tries proposals with.
        hook: Whose lifecycle hooks are called.
        rng: Draws what a prompt leaves open.
    """

    def __init__(
        self,
        world: PerturbableVectorEnv,
        curriculum: CurriculumStrategy,
        trials: Trials,
        hook: pluggy.HookRelay,
        rng: np.random.Generator,
    ) -> None:
        self.world, self.curriculum, self.hook, self.rng = world, curriculum, hook, rng
        self.guard = Guard(curriculum.options.guard, curriculum.options.guard_attempts, trials)
        self._waiting = frozenset(axis.name for axis in world.axes if axis.mid_episode)
        self._groundings: dict[str, Grounding] = {}

    def plan(self, slots: Sequence[Slot], seeds: Sequence[int], report: FailureReport) -> list[tuple[Schedule, int]]:
        """A schedule and a reset seed for each episode about to start.

        What the guard refuses is proposed anew; after `guard_attempts` refusals an episode is left nominal.

        Args:
            slots: The episodes.
            seeds: Reset seeds drawn for them; a proposal may replace one.
            report: The latest failure report.
        """
        plans = [(Schedule(), seed) for seed in seeds]
        waiting = list(range(len(slots)))
        for _ in range(self.guard.attempts):
            for index in waiting:
                plans[index] = self._propose(slots[index], seeds[index], report)
            trials = [Trial(seed, schedule.experienced(NEVER)) for schedule, seed in (plans[i] for i in waiting)]
            verdicts = self.guard.solvable(trials)
            waiting = [index for index, fine in zip(waiting, verdicts, strict=True) if not fine]
            for index in waiting:
                self._refuse(slots[index], plans[index][0])
                plans[index] = (Schedule(), seeds[index])
            if not waiting:
                break
        for slot, (schedule, _) in zip(slots, plans, strict=True):
            for entry in schedule.entries:
                self.hook.adversarl_prompt(env=slot.env, episode=slot.episode, proposal=entry.proposal)
        return plans

    def _propose(self, slot: Slot, seed: int, report: FailureReport) -> tuple[Schedule, int]:
        proposals = self.curriculum.propose(slot, report)
        given = proposals[0].seed if proposals else None
        return Schedule([self._ground(proposal) for proposal in proposals]), seed if given is None else given

    def _refuse(self, slot: Slot, schedule: Schedule) -> None:
        for entry in schedule.entries:
            self.hook.adversarl_prompt_refused(
                env=slot.env, episode=slot.episode, env_steps=slot.env_steps, entry=entry, player=self.guard.player
            )
        self.curriculum.refuse(slot)

    def _ground(self, proposal: Proposal) -> Entry:
        """Grounds a prompt; what it leaves open is drawn anew for every episode."""
        known = proposal.grounding
        if known is not None:
            return Entry(proposal, self._timed(known.perturbations, proposal), known.not_understood, known.restore)
        if proposal.perturbations is not None:
            return Entry(proposal, self._timed(proposal.perturbations, proposal))
        grounding = self._understand(proposal.text)
        seeds = self.rng.integers(TRAINING_SEEDS, size=len(grounding.perturbations)).tolist()
        drawn = [p.seeded(seed) for p, seed in zip(grounding.perturbations, seeds, strict=True)]
        return Entry(proposal, self._timed(drawn, proposal), grounding.not_understood, grounding.restore)

    def _understand(self, text: str) -> Grounding:
        if text not in self._groundings:
            if len(self._groundings) >= 4096:
                self._groundings.clear()
            self._groundings[text] = self.world.ground(text)
        return self._groundings[text]

    def _timed(self, perturbations: Sequence[Perturbation], proposal: Proposal) -> tuple[Perturbation, ...]:
        """Gives perturbations their proposal's times; an axis that only acts at a reset begins there."""
        waits, duration = self._waiting, proposal.duration
        return tuple(
            replace(p, onset=proposal.onset if p.axis in waits else 0, duration=duration) for p in perturbations
        )
