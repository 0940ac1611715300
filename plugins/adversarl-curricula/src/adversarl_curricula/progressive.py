"""From nominal to hard in stages that are written down beforehand."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.phrases import chosen_axes, understood
from adversarl.types import Episode, FailureReport, Perturbation, Proposal
from adversarl_curricula.stages import ProgressiveOptions, Stage


class Progressive(CurriculumStrategy):
    """Goes through stages, each with a strength of domain randomization and a share of target-like episodes.

    A simulated episode draws every axis independently from U[0, strength], as `uniform` does; in a mixed stage the
    strength is one of those of the earlier stages. The share `real_share` shows the target domain instead: the real
    scene as `real_prompts` describe it, or the nominal world.

    A stage ends when enough of its last episodes succeeded, or when its budget of episodes or environment steps is
    spent. Stages come one after the other and never return. Episodes that began in an earlier stage count for none.
    """

    Options: ClassVar[type[CurriculumOptions]] = ProgressiveOptions
    options: ProgressiveOptions

    def __init__(self, options: ProgressiveOptions, world: World, rng: np.random.Generator) -> None:
        """Checks axes and prompts.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
            GroundingError: A prompt of the real scene that the world does not understand completely.
        """
        super().__init__(options, world, rng)
        self._names = tuple(axis.name for axis in chosen_axes(world, options.axes))
        for prompt in options.real_prompts:
            understood(world, prompt)
        self.stage = 0
        """Index of the current stage."""
        self._began: int | None = None
        self._episodes = 0
        self._outcomes: deque[int] = deque(maxlen=self.current.window)
        self._because = "the run begins with it"
        self._pending: dict[int, tuple[int, int]] = {}

    @property
    def current(self) -> Stage:
        """The current stage."""
        return self.options.stages[self.stage]

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """The real scene, a draw of the stage's strength, or nothing where either is nominal."""
        if self._began is None:
            self._began = slot.env_steps
        self._pending[slot.env] = (slot.episode, self.stage)
        if self.rng.random() < self.current.real_share:
            return tuple(Proposal(prompt, self._why("as the real scene")) for prompt in self.options.real_prompts)
        strength = self._strength()
        return (self._randomized(strength),) if strength > 0 else ()

    def _strength(self) -> float:
        strength = self.current.strength
        if strength != "mixed":
            return strength
        earlier = [stage.strength for stage in self.options.stages[: self.stage] if stage.strength != "mixed"]
        return earlier[int(self.rng.integers(len(earlier)))]

    def _randomized(self, strength: float) -> Proposal:
        intensities = (strength * self.rng.uniform(size=len(self._names))).tolist()
        seeds = self.rng.integers(2**31, size=len(self._names)).tolist()
        drawn = zip(self._names, intensities, seeds, strict=True)
        perturbations = tuple(Perturbation(name, intensity, seed=seed) for name, intensity, seed in drawn)
        text = "randomize " + ", ".join(f"{p.axis} {p.intensity:.0%}" for p in perturbations)
        return Proposal(text, self._why(f"{len(perturbations)} axes up to {100 * strength:.0f} %"), perturbations)

    def _why(self, what: str) -> str:
        place = f"stage {self.stage + 1} of {len(self.options.stages)}, {self.current.name}"
        n = len(self._outcomes)
        evidence = f"{sum(self._outcomes)} of its last {n} succeeded" if n else "none of its episodes has finished"
        return f"{what}: {place}, {self._because}; {evidence}"

    def observe(self, episode: Episode) -> None:
        """Counts an episode of the current stage, and goes on when that ends it."""
        index, stage = self._pending.pop(episode.env, (-1, -1))
        if episode.clean or index != episode.index or stage != self.stage:
            return
        self._episodes += 1
        self._outcomes.append(int(episode.success))
        because = self._reason_to_go_on(episode.env_steps)
        if because is not None and self.stage + 1 < len(self.options.stages):
            self.stage += 1
            self._because, self._began, self._episodes = because, episode.env_steps, 0
            self._outcomes = deque(maxlen=self.current.window)

    def _reason_to_go_on(self, env_steps: int) -> str | None:
        stage, done, n = self.current, sum(self._outcomes), len(self._outcomes)
        if stage.until_success is not None and n == stage.window and done / n >= stage.until_success:
            return f"reached because {done} of the last {n} episodes of stage {stage.name} succeeded"
        if stage.until_episodes is not None and self._episodes >= stage.until_episodes:
            return f"reached because stage {stage.name} had its {self._episodes} episodes"
        steps = env_steps - (self._began or 0)
        if stage.until_steps is not None and steps >= stage.until_steps:
            return f"reached because stage {stage.name} had its {steps} environment steps"
        return None

    def refuse(self, slot: Slot) -> None:
        """An episode that the guard leaves nominal counts for no stage."""
        self._pending.pop(slot.env, None)

    def scalars(self) -> dict[str, float]:
        """Index of the current stage from 0, and the success rate over its window once it is full."""
        full = len(self._outcomes) == self.current.window
        success = {"curriculum/stage_success": sum(self._outcomes) / len(self._outcomes)} if full else {}
        return {"curriculum/stage": float(self.stage)} | success

    def state_dict(self) -> dict[str, Any]:
        """The stage, what it has seen, and running episodes; JSON-ready."""
        return {
            "stage": self.stage,
            "began": self._began,
            "episodes": self._episodes,
            "outcomes": list(self._outcomes),
            "because": self._because,
            "pending": [[env, index, stage] for env, (index, stage) in self._pending.items()],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.stage, self._began, self._episodes = state["stage"], state["began"], state["episodes"]
        self._outcomes = deque(state["outcomes"], maxlen=self.current.window)
        self._because = state["because"]
        self._pending = {env: (index, stage) for env, index, stage in state["pending"]}
