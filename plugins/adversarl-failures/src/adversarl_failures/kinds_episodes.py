"""Failed episodes with the simulator's label: what a model of kinds of failure is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Outcome, Trial
from adversarl.rollouts import Act, Recorder, Rollouts
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Perturbation
from adversarl_failures.kinds_evidence import resampled
from adversarl_failures.kinds_players import Known, Spoil, players

POLICY = "policy"
"""The player that is the policy of a run."""
MOST_AXES = 3
"""Axes that vary in one episode at most."""
OnEpisode = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed episode.

    Attributes:
        seed: Its reset seed; no two episodes share one.
        axes: Names of the axes that varied.
        player: Who failed, one of `players` or `POLICY`.
        kind: What the simulator calls it.
        frame: Last picture, uint8. Shape (H, W, 3).
        course: Proprioception at `kinds_evidence.MOMENTS`. Shape (MOMENTS, p).
        state: Privileged state at the end. Shape (s,).
    """

    seed: int
    axes: tuple[str, ...]
    player: str
    kind: str
    frame: NDArray[np.uint8]
    course: NDArray[np.float32]
    state: NDArray[np.float32]


class Failures:
    """Plays episodes that fail, under drawn perturbations, and keeps them with their labels.

    A player is drawn the more often, the rarer the kinds of failure are that it brought so far.

    Args:
        world: Where; it has a teacher and names of kinds of failure.
        rng: Of all that is drawn.
        policy: A policy that also plays, unspoilt.
    """

    def __init__(self, world: PerturbableVectorEnv, rng: np.random.Generator, policy: Act | None = None) -> None:
        self.world, self.rng, self.policy = world, rng, policy
        self.seeds: set[int] = set()
        self.kinds: Counter[str] = Counter()
        """Failures of each kind so far."""
        self._players = players(int((world.single_action_space.shape or (0,))[0]))
        self._names = [*self._players, *([POLICY] if policy is not None else [])]
        self._brought = {name: Counter[str]() for name in self._names}
        self._played = dict.fromkeys(self._names, 0)
        self._known = self._watch_the_expert()

    def make(self, episodes: int, axes: Sequence[str], on_episode: OnEpisode = lambda done: None) -> list[Failure]:
        """Plays episodes in each of which one to three of the axes vary, each at an intensity from U[0, 1].

        Args:
            episodes: How many; those that succeed are not kept.
            axes: Names of axes.
            on_episode: Called with the number of episodes played, after every batch.
        """
        found: list[Failure] = []
        for first in range(0, episodes, self.world.num_envs):
            count = min(self.world.num_envs, episodes - first)
            trials = [Trial(self._seed(), self._perturbations(axes)) for _ in range(count)]
            found += self._play(trials)
            on_episode(first + count)
        return found

    def _play(self, trials: Sequence[Trial]) -> list[Failure]:
        names = [str(name) for name in self.rng.choice(self._names, len(trials), p=self._odds())]
        spoils = [self._players[name](self.rng, self._known) if name != POLICY else None for name in names]
        recorder = Recorder(self.world.num_envs)
        outcomes = Rollouts(self.world, Cast(self.world, spoils, self.policy), recorder).play(trials)
        found = []
        for trial, name, outcome in zip(trials, names, outcomes, strict=True):
            self._played[name] += 1
            if not outcome.success:
                found.append(self._failure(trial, name, outcome))
        return found

    def _failure(self, trial: Trial, name: str, outcome: Outcome) -> Failure:
        assert outcome.trace is not None
        kind = self.world.failure_kind(outcome.trace)
        self.kinds[kind] += 1
        self._brought[name][kind] += 1
        axes = tuple(perturbation.axis for perturbation in trial.perturbations)
        trace = outcome.trace
        return Failure(trial.seed, axes, name, kind, trace.frame, resampled(trace.proprio), trace.state[-1])

    def _odds(self) -> list[float]:
        """Probability of each player: how rare its failures are on average, 1 being as frequent as all kinds alike."""
        usual = sum(self.kinds.values()) / max(1, len(self.kinds))
        worth = []
        for name in self._names:
            rarity = sum(n * min(10.0, usual / self.kinds[kind]) for kind, n in self._brought[name].items())
            worth.append((1.0 + rarity) / (1.0 + self._played[name]))
        return [one / sum(worth) for one in worth]

    def _seed(self) -> int:
        seed = int(self.rng.integers(TRAINING_SEEDS))
        while seed in self.seeds:
            seed = int(self.rng.integers(TRAINING_SEEDS))
        self.seeds.add(seed)
        return seed

    def _perturbations(self, axes: Sequence[str]) -> tuple[Perturbation, ...]:
        count = int(self.rng.integers(1, min(MOST_AXES, len(axes)) + 1)) if axes else 0
        chosen = sorted(self.rng.choice(len(axes), count, replace=False).tolist())
        drawn = [(axes[i], float(self.rng.uniform()), int(self.rng.integers(2**31))) for i in chosen]
        return tuple(Perturbation(name, intensity, seed=seed) for name, intensity, seed in drawn)

    def _watch_the_expert(self) -> Known:
        """Its actions in one nominal episode per environment."""
        count = self.world.num_envs
        cast = Cast(self.world, [lambda step, action: action] * count, None)
        outcomes = Rollouts(self.world, cast).play([Trial(self._seed()) for _ in range(count)])
        lengths = [outcome.length for outcome in outcomes]
        courses = tuple(np.array([actions[env] for actions in cast.taken[:n]]) for env, n in enumerate(lengths))
        return Known(self.world.max_episode_steps, max(2, int(np.median(lengths))), courses)


class Cast:
    """Acts for all environments of a world, in each of which one episode begins at the first call.

    Args:
        world: Whose teacher acts.
        spoils: What is made of its actions in each environment; None leaves it to the policy.
        policy: Who then acts.
    """

    def __init__(self, world: PerturbableVectorEnv, spoils: Sequence[Spoil | None], policy: Act | None) -> None:
        self.world, self.spoils, self.policy = world, spoils, policy
        self.taken: list[NDArray[np.float32]] = []
        """Actions of each step so far. Each of Shape (num_envs, a)."""

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Actions in [-1, 1]. Shape (num_envs, a)."""
        actions = self.world.teacher(range(self.world.num_envs))
        left = [env for env, spoil in enumerate(self.spoils) if spoil is None]
        if left and self.policy is not None:
            actions[left] = self.policy(observation)[left]
        for env, spoil in enumerate(self.spoils):
            if spoil is not None:
                actions[env] = spoil(len(self.taken), actions[env])
        self.taken.append(np.clip(actions, -1.0, 1.0))
        return self.taken[-1]
