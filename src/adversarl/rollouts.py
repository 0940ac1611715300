"""Episodes that are fixed beforehand by seed and perturbations, played one after the other in every environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import NoCritic
from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.trials import Outcome, Trace, Trial
from adversarl.schedule import at, next_change

Act = Callable[[Observation], NDArray[np.float32]]
Values = Callable[[Observation, NDArray[np.float32]], NDArray[np.float64]]
OnEpisode = Callable[[int, int], None]
IDLE = -1


def critic_of(learner: Learner) -> Values:
    """What estimates values for a learner.

    Raises:
        NoCritic: It has no critic; better told before a run begins than at its first step.
    """
    if getattr(learner.values, "__func__", None) is Learner.values:
        raise NoCritic(type(learner).__name__)
    return learner.values


class Recorder:
    """Keeps what a `Trace` needs of the running episode of every environment.

    Args:
        num_envs: Number of environments.
        critic: Values of observations and states, where they are wanted.
    """

    def __init__(self, num_envs: int, critic: Values | None = None) -> None:
        self._critic = critic
        self._rows: list[list[tuple[NDArray[np.float32], NDArray[np.float32], float, float]]] = [
            [] for _ in range(num_envs)
        ]
        self._values = np.zeros(num_envs)

    def before(self, observation: Observation, state: NDArray[np.float32]) -> None:
        """Takes the critic's values of what the policy is about to act on."""
        if self._critic is not None:
            self._values = self._critic(observation, state)

    def after(self, observation: Observation, state: NDArray[np.float32], rewards: NDArray[np.float64]) -> None:
        """Takes what a step led to, before any reset."""
        for env, row in enumerate(self._rows):
            values = float(self._values[env])
            row.append((observation["proprio"][env].copy(), state[env].copy(), float(rewards[env]), values))

    def finish(self, env: int, frame: NDArray[np.uint8]) -> Trace:
        """The trace of an environment's episode, which is over."""
        proprio, state, rewards, values = zip(*self._rows[env], strict=True)
        self._rows[env] = []
        estimates = np.array(values) if self._critic is not None else None
        return Trace(frame.copy(), np.array(proprio), np.array(state), np.array(rewards), estimates)

    def state_dict(self) -> list[Any]:
        """The running episodes; picklable."""
        return [list(rows) for rows in self._rows]

    def load_state_dict(self, state: list[Any]) -> None:
        """Brings `state_dict` back."""
        self._rows = [list(rows) for rows in state]

    def forget(self, envs: Sequence[int] | NDArray[np.intp]) -> None:
        """Drops what was kept of episodes that are not going to be finished."""
        for env in envs:
            self._rows[env] = []


class Rollouts:
    """Plays trials in a world, each environment taking the next one when it is free.

    An episode depends on its seed, its perturbations and the actions alone, so two policies are judged on the same
    ones and the number of environments does not matter. The world is restored to nominal at the end.

    Args:
        world: Where.
        act: Actions for all environments. Shape (num_envs, a), in [-1, 1].
        recorder: Keeps traces; None keeps none.
    """

    def __init__(self, world: PerturbableVectorEnv, act: Act, recorder: Recorder | None = None) -> None:
        self.world, self.act, self.recorder = world, act, recorder
        self.env_steps = 0
        """Steps of environments that played a trial."""
        n = world.num_envs
        self._playing, self._length, self._total = np.full(n, IDLE), np.zeros(n, dtype=np.int64), np.zeros(n)
        self._next_change = np.zeros(n, dtype=np.int64)

    def play(self, trials: Sequence[Trial], on_episode: OnEpisode = lambda done, total: None) -> list[Outcome]:
        """Plays all trials; outcomes are in their order. `on_episode` is called with (finished, total) after each."""
        outcomes: dict[int, Outcome] = {}
        queue = list(reversed(range(len(trials))))
        free: NDArray[Any] = np.ones(self.world.num_envs, dtype=bool)
        while len(outcomes) < len(trials):
            if free.any():
                observation = self._deal(trials, queue, free)
            observation, ended = self._step(observation, trials)
            free = ended[0] | ended[1]
            for env in np.flatnonzero(free & (self._playing != IDLE)):
                outcomes[int(self._playing[env])] = self._outcome(env, observation, success=bool(ended[0, env]))
                on_episode(len(outcomes), len(trials))
        self.world.restore(range(self.world.num_envs))
        return [outcomes[index] for index in range(len(trials))]

    def _deal(self, trials: Sequence[Trial], queue: list[int], free: NDArray[Any]) -> Observation:
        """Resets free environments into their next trials; those without one idle in the nominal world."""
        indices = np.flatnonzero(free)
        self._playing[indices] = [queue.pop() if queue else IDLE for _ in indices]
        self._length[indices], self._total[indices] = 0, 0.0
        if self.recorder is not None:
            self.recorder.forget(indices)
        seeds: list[int | None] = [None] * self.world.num_envs
        for env in indices:
            seeds[env] = trials[self._playing[env]].seed if self._playing[env] != IDLE else 0
        self._put_in_force(indices, trials)
        return self.world.reset(seed=seeds, options={"reset_mask": free})[0]

    def _put_in_force(self, envs: NDArray[np.intp], trials: Sequence[Trial]) -> None:
        wanted = [trials[self._playing[env]].perturbations if self._playing[env] != IDLE else () for env in envs]
        self.world.restore(envs)
        self.world.perturb(envs, [at(int(self._length[e]), ps) for e, ps in zip(envs, wanted, strict=True)])
        self._next_change[envs] = [next_change(int(self._length[e]), ps) for e, ps in zip(envs, wanted, strict=True)]

    def _step(self, observation: Observation, trials: Sequence[Trial]) -> tuple[Observation, NDArray[np.bool_]]:
        """Changes worlds whose time has come, and acts; returns (success, time over) as Shape (2, num_envs)."""
        if self.recorder is not None:
            self.recorder.before(observation, self.world.state())
        actions = self.act(observation)
        due = np.flatnonzero(self._next_change <= self._length)
        if due.size:
            self._put_in_force(due, trials)
        observation, reward, terminated, truncated, info = self.world.step(actions)
        if self.recorder is not None:
            self.recorder.after(observation, self.world.state(), reward)
        self._length += 1
        self._total += reward
        self.env_steps += int(np.count_nonzero(self._playing != IDLE))
        over = terminated | truncated
        return observation, np.array([over & info["success"], over])

    def _outcome(self, env: np.intp, observation: Observation, *, success: bool) -> Outcome:
        trace = None if self.recorder is None else self.recorder.finish(int(env), observation["image"][env])
        return Outcome(success, int(self._length[env]), float(self._total[env]), trace)
