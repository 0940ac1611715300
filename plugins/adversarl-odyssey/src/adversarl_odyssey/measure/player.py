"""Plays episodes in a world whose service is disturbed, and keeps account of each of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.errors import AdversarlError, NoTeacher
from adversarl.interfaces.backend import PerturbableVectorEnv

PROMPT_RATE = 0.02
"""Chance that an environment's conditions change in the middle of an episode, per step."""


@dataclass
class Ledger:
    """What became of episodes.

    Attributes:
        begun: Episodes that were reset.
        finished: Those that ended by success, failure or the time limit.
        renewed: Those that ended early since their world was not the one any more; pure worlds do that.
        stopped: Those that were under way when the service refused for good, or when the world was closed.
        cut: Those that ended early for no such reason.
        prompts: Changes of conditions.
        steps: Steps of all environments.
        failures: Errors that must not happen.
        refusals: Times at which the service refused for good.
    """

    begun: int = 0
    finished: int = 0
    renewed: int = 0
    stopped: int = 0
    cut: int = 0
    prompts: int = 0
    steps: int = 0
    failures: list[str] = field(default_factory=list)
    refusals: int = 0

    @property
    def lost(self) -> int:
        """Episodes that nobody knows the end of, once no world is open."""
        return self.begun - self.finished - self.renewed - self.stopped


class Player:
    """Plays in one world until it is told to stop or the service refuses for good.

    Args:
        world: Where; it is closed by who made it.
        ledger: Where episodes are counted.
        texts: Prompts, drawn at random.
        rng: Draws everything.
        pause_s: Least time of a step [s].
        renews: Whether the world may end episodes early because a stream was renewed.
    """

    def __init__(
        self,
        world: PerturbableVectorEnv,
        ledger: Ledger,
        texts: Sequence[str],
        rng: np.random.Generator,
        pause_s: float,
        *,
        renews: bool,
    ) -> None:
        self._world, self._ledger, self._texts, self._rng = world, ledger, texts, rng
        self._pause_s, self._renews = pause_s, renews
        self._lengths = np.zeros(world.num_envs, dtype=int)
        self._running = np.zeros(world.num_envs, dtype=bool)

    def play(self, stop: threading.Event, refusable: Callable[[], bool]) -> None:
        """Plays.

        Args:
            stop: Set from another thread.
            refusable: Whether the service may refuse for good now.
        """
        try:
            self._begin(np.ones(self._world.num_envs, dtype=bool))
            while not stop.is_set() and not self._world.exhausted:
                self._step()
        except AdversarlError as error:
            self._note(error, refusable())
        except Exception as error:
            self._note(error, allowed=False)
        else:
            if self._world.exhausted:
                self._note(AdversarlError(self._world.exhausted), refusable())
        self._ledger.stopped += int(self._running.sum())
        self._running[:] = False

    def _note(self, error: Exception, allowed: bool) -> None:
        if allowed:
            self._ledger.refusals += 1
        else:
            self._ledger.failures.append(f"{type(error).__name__}: {error}")

    def _begin(self, mask: NDArray[np.bool_]) -> None:
        envs = np.flatnonzero(mask)
        self._world.restore(envs)
        for env in envs:
            if self._rng.random() < 0.7:
                self._prompt(int(env))
        seeds = [int(self._rng.integers(2**31)) if chosen else None for chosen in mask]
        self._ledger.begun += len(envs)
        self._running |= mask
        self._lengths[mask] = 0
        self._world.reset(seed=seeds, options={"reset_mask": mask})

    def _prompt(self, env: int) -> None:
        text = self._texts[int(self._rng.integers(len(self._texts)))]
        self._world.perturb([env], [self._world.ground(text).perturbations])
        self._ledger.prompts += 1

    def _step(self) -> None:
        begun = time.monotonic()
        for env in range(self._world.num_envs):
            if self._rng.random() < PROMPT_RATE:
                self._prompt(env)
        _, _, terminated, truncated, info = self._world.step(self._actions())
        self._ledger.steps += self._world.num_envs
        self._lengths += 1
        done = terminated | truncated
        if done.any():
            self._count(done, terminated, info)
            self._begin(done)
        time.sleep(max(0.0, begun + self._pause_s - time.monotonic()))

    def _actions(self) -> NDArray[np.float32]:
        """The teacher's in the first half of the environments, where there is one; else random ones."""
        world = self._world
        actions = self._rng.uniform(-1, 1, world.action_space.shape or ()).astype(np.float32)
        taught = np.arange((world.num_envs + 1) // 2)
        try:
            actions[taught] = world.teacher(taught)
        except NoTeacher:
            pass
        return actions

    def _count(self, done: NDArray[np.bool_], terminated: NDArray[np.bool_], info: dict[str, Any]) -> None:
        for env in np.flatnonzero(done):
            early = not terminated[env] and self._lengths[env] < self._world.max_episode_steps
            if early and self._renews:
                self._ledger.renewed += 1
            else:
                self._ledger.finished += 1
                self._ledger.cut += bool(early)
            self._running[env] = False
