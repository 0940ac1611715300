"""Prioritized level replay: worlds worth learning from are repeated, new ones are tried aside."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from adversarl.errors import NoPlayer
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot, World
from adversarl.interfaces.trials import Services, Trace, Trial
from adversarl.types import Episode, FailureReport, Proposal
from adversarl_curricula.levels import Level, LevelBuffer, LevelMaker, LevelOptions
from adversarl_curricula.scores import discounted_return, learnability, maximum_monte_carlo, positive_value_loss

log = logging.getLogger(__name__)

PLAIN = "there is no policy to try new levels with, so they are trained on as they come (plain PLR)"


class PlrOptions(LevelOptions):
    """Keys of a ``[curriculum]`` table with ``use = "plr"``; symbols are those of Jiang et al. 2021."""

    score: Literal["learnability", "pvl", "maxmc"] = Field(
        "learnability",
        description="What makes a level worth repeating: p(1 - p) of its success rate, positive value loss, or the "
        "highest return so far minus the critic's values. The last two need a learner with a critic, such as ppo.",
    )
    robust: bool = Field(
        True, description="New levels are played aside and only replayed ones trained on; false trains on both."
    )
    replay_probability: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of replays among all levels sampled, p. Robust, an episode of training costs "
        "(1 - p) / p * trials_per_level episodes aside.",
    )
    trials_per_level: int | None = Field(
        None, ge=1, le=100, description="Reset seeds of a level. Default: 4 for learnability, 1 for pvl and maxmc."
    )
    buffer_size: int = Field(128, ge=1, le=100_000, description="Most levels kept.")
    candidates: int = Field(
        16, ge=1, le=10_000, description="New levels played aside at once; replays begin when as many are known."
    )
    beta: float = Field(0.3, gt=0, le=100, description="Temperature of the ranks; lower repeats the best more often.")
    rho: float = Field(0.3, ge=0, le=1, description="Share of replays drawn by staleness instead of score.")
    gamma: float = Field(0.99, ge=0, le=1, description="Discount per control step, that of the learner.")
    gae_lambda: float = Field(0.95, ge=0, le=1, description="Bias against variance of advantages in pvl.")

    @property
    def seeds(self) -> int:
        """Reset seeds of a level."""
        return self.trials_per_level or (4 if self.score == "learnability" else 1)

    @model_validator(mode="after")
    def _consistent(self) -> PlrOptions:
        if self.candidates > self.buffer_size:
            raise ValueError("candidates must not exceed buffer_size. Lower it, or raise buffer_size")
        if self.score == "learnability" and self.seeds < 2:
            raise ValueError("learnability of one trial is always 0. Set trials_per_level to 2 or more")
        return self


class Plr(CurriculumStrategy):
    """Repeats levels by score and staleness (Jiang et al. 2021a, "Prioritized Level Replay").

    A `Level` is one perturbed world and a few reset seeds. An episode repeats exactly from its seed, and the policy
    acts deterministically in trials, so a single one either succeeds or not: the success rate p of a level is that
    over its seeds, from the latest result of each, while pvl and maxmc are means over them. A replay draws one seed.

    Robust PLR (Jiang et al. 2021b, "Replay-Guided Adversarial Environment Design", PLR-perp) does not train on new
    levels: the current policy plays them aside. As many are drawn between two replays as there (geometric in p), but
    they wait until `candidates` are together, because many trials at once are faster. Plain PLR trains on new levels,
    and keeps one once it was played from each of its seeds; so does robust PLR where no policy can play aside.

    Where a time limit ends an episode, pvl takes the value before the last step for the one after it, which a trace
    does not have; where success ends it, that is 0. Without values, as where nobody watches, scores stay as they were.
    """

    Options: ClassVar[type[CurriculumOptions]] = PlrOptions
    options: PlrOptions

    def __init__(self, options: PlrOptions, world: World, rng: np.random.Generator) -> None:
        """Asks for traces with values if the score needs them.

        Raises:
            PerturbationError: The options name an axis that the world does not have.
        """
        super().__init__(options, world, rng)
        self.traces = self.values = options.score != "learnability"
        self.buffer = LevelBuffer(options.buffer_size, options.beta, options.rho)
        self._maker = LevelMaker(options, world, options.seeds, rng)
        self._services: Services | None = None
        self._plain = not options.robust
        self._trace: Trace | None = None
        self._new: dict[int, Level] = {}
        self._running: dict[int, tuple[int, int]] = {}
        self._waiting = 0
        self._counts = dict.fromkeys(("sampled", "drawn", "replayed", "trained_new"), 0)

    def connect(self, services: Services) -> None:
        """Takes the trials that new levels are tried with."""
        self._services = services

    def propose(self, slot: Slot, report: FailureReport) -> Sequence[Proposal]:
        """One proposal that repeats a level, or in plain PLR perhaps a new one."""
        self._running.pop(slot.env, None)
        if not self._plain:
            self._scout()
        level, index, why = self._begin() if self._plain and self._wants_new() else self._replay()
        self._sample(level)
        self._running[slot.env] = (level.number, index)
        return (level.proposal(index, why),)

    def _wants_new(self) -> bool:
        too_few = len(self.buffer.levels) < self.options.candidates
        return too_few or self.rng.random() >= self.options.replay_probability

    def _sample(self, level: Level) -> None:
        self._counts["sampled"] += 1
        level.sampled = self._counts["sampled"]

    def _replay(self) -> tuple[Level, int, str]:
        level = self.buffer.draw(self._counts["sampled"], self.rng)
        self._counts["replayed"] += 1
        age = self._counts["sampled"] - level.sampled
        rank = f"rank {self.buffer.rank(level)} of {len(self.buffer.levels)}"
        why = f"replayed: {self.options.score} {level.score:.3f}, {rank}, staleness {age}"
        return level, int(self.rng.integers(len(level.seeds))), why

    def _begin(self) -> tuple[Level, int, str]:
        """The next reset seed of a level that was not yet played from each, or the first of a new level."""
        self._counts["trained_new"] += 1
        running = set(self._running.values())
        for level in self._new.values():
            for index, result in enumerate(level.results):
                if result is None and (level.number, index) not in running:
                    return level, index, f"new level, trial {index + 1} of {len(level.seeds)}"
        level = self._draw()
        self._new[level.number] = level
        return level, 0, f"new level, trial 1 of {len(level.seeds)}"

    def _draw(self) -> Level:
        level = self._maker.draw(self._counts["drawn"])
        self._counts["drawn"] += 1
        return level

    def _scout(self) -> None:
        """Draws as many new levels as come before the next replay, and plays them when there are enough."""
        self._waiting += int(self.rng.geometric(self.options.replay_probability)) - 1
        if not self.buffer.levels:
            self._waiting = max(self._waiting, self.options.candidates)
        while self._waiting >= self.options.candidates and not self._plain:
            self._waiting -= self.options.candidates
            self._try([self._draw() for _ in range(self.options.candidates)])

    def _try(self, levels: Sequence[Level]) -> None:
        """Lets the policy play new levels aside, and keeps those worth it."""
        trials = [Trial(seed, level.perturbations) for level in levels for seed in level.seeds]
        try:
            if self._services is None:
                raise NoPlayer("policy", "")
            outcomes = iter(self._services.trials.play(trials, trace=self.traces, values=self.values))
        except NoPlayer:
            self._fall_back()
            return
        for level in levels:
            for index, outcome in zip(range(len(level.seeds)), outcomes, strict=False):
                truncated = not outcome.success and outcome.length >= self.world.max_episode_steps
                self._take(level, index, outcome.trace, success=outcome.success, truncated=truncated)
            self._sample(level)
            self.buffer.insert(level)

    def _fall_back(self) -> None:
        self._plain = True
        say = log.warning if self._services is None else self._services.notice
        say(f"{PLAIN}; nor is there a critic, so all levels score 0" if self.values else PLAIN)

    def watch(self, episode: Episode, trace: Trace) -> None:
        """Keeps the trace until the episode is observed."""
        self._trace = trace

    def observe(self, episode: Episode) -> None:
        """Scores the level that was played."""
        trace, self._trace = self._trace, None
        number, index = self._running.pop(episode.env, (-1, 0))
        level = self.buffer.levels.get(number) or self._new.get(number)
        if level is None or episode.clean:
            return
        truncated = episode.truncated and not episode.success
        self._take(level, index, trace, success=episode.success, truncated=truncated)
        if number in self._new and level.complete:
            self.buffer.insert(self._new.pop(number))

    def _take(self, level: Level, index: int, trace: Trace | None, *, success: bool, truncated: bool) -> None:
        """Takes the result of an episode from a level's reset seed into its score."""
        if self.options.score == "learnability":
            level.results[index] = float(success)
        elif trace is not None and trace.values is not None:
            level.results[index] = self._regret(level, index, trace.rewards, trace.values, truncated=truncated)
        elif level.results[index] is None:
            level.results[index] = 0.0
        known = [result for result in level.results if result is not None]
        level.score = learnability(known) if self.options.score == "learnability" else sum(known) / len(known)

    def _regret(
        self, level: Level, index: int, rewards: NDArray[np.float64], values: NDArray[np.float64], *, truncated: bool
    ) -> float:
        gamma = self.options.gamma
        if self.options.score == "pvl":
            end = float(values[-1]) if truncated else 0.0
            return positive_value_loss(rewards, values, end, gamma, self.options.gae_lambda)
        achieved, before = discounted_return(rewards, gamma), level.highest[index]
        highest = achieved if before is None else max(before, achieved)
        level.highest[index] = highest
        return maximum_monte_carlo(highest, values)

    def refuse(self, slot: Slot) -> None:
        """Drops the level: nobody can solve it."""
        number, _ = self._running.pop(slot.env, (-1, 0))
        self.buffer.levels.pop(number, None)
        self._new.pop(number, None)

    def scalars(self) -> dict[str, float]:
        """Levels known, their mean score, and what was sampled so far, under ``curriculum/plr/``."""
        levels = self.buffer.levels.values()
        mean = sum(level.score for level in levels) / max(len(levels), 1)
        known = {"levels": float(len(levels)), "mean_score": mean}
        return {f"curriculum/plr/{name}": value for name, value in {**known, **self._counts}.items()}

    def state_dict(self) -> dict[str, Any]:
        """Levels, running episodes and counts; JSON-ready."""
        return {
            "levels": [level.to_json() for level in self.buffer.levels.values()],
            "new": [level.to_json() for level in self._new.values()],
            "running": [[env, *running] for env, running in self._running.items()],
            "waiting": self._waiting,
            "plain": self._plain,
            "counts": dict(self._counts),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Brings `state_dict` back."""
        self.buffer.levels = {one["number"]: Level.from_json(one) for one in state["levels"]}
        self._new = {one["number"]: Level.from_json(one) for one in state["new"]}
        self._running = {env: (number, index) for env, number, index in state["running"]}
        self._waiting, self._plain = state["waiting"], state["plain"]
        self._counts = dict(state["counts"])
