"""Trials: episodes played aside, in a world of their own, to find something out rather than to train."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.types import Perturbation

Player = Literal["policy", "teacher", "antagonist"]
"""Who acts: the policy in training without exploration, the world's scripted expert, or a policy of another run."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How one episode of T control steps went.

    Attributes:
        frame: The last picture, uint8. Shape (H, W, 3).
        proprio: Proprioception after each step. Shape (T, p).
        state: Privileged state after each step, see `PerturbableVectorEnv.state`. Shape (T, s).
        rewards: Reward of each step. Shape (T,).
        values: The critic's value before each step; None unless asked for. Shape (T,).
    """

    frame: NDArray[np.uint8]
    proprio: NDArray[np.float32]
    state: NDArray[np.float32]
    rewards: NDArray[np.float64]
    values: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One episode to be played: reset seed, and perturbations with their own onsets and durations."""

    seed: int
    perturbations: tuple[Perturbation, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a `Trial`: success by the simulator's truth, control steps, undiscounted return."""

    success: bool
    length: int
    total_reward: float
    trace: Trace | None = None


class Trials(ABC):
    """Plays trials; failure classifiers and curricula are given one by `connect`.

    They call it so::

        again, without = trials.play([Trial(e.seed, e.perturbations), Trial(e.seed, e.perturbations[1:])])

    A trial depends on its seed, its perturbations and the player alone, so nothing of it has to be kept for a resume.
    """

    env_steps: int
    """Environment steps of all trials so far; a run reports them beside those of training."""
    world: PerturbableVectorEnv
    """A world like those that the trials are played in, to be asked about its task, limits and kinds of failure;
    it is not to be stepped."""

    @abstractmethod
    def play(
        self, trials: Sequence[Trial], player: Player = "policy", *, trace: bool = False, values: bool = False
    ) -> list[Outcome]:
        """Plays episodes, in the order given.

        Args:
            trials: The episodes.
            player: Who acts.
            trace: Whether to fill `Outcome.trace`.
            values: Whether to fill `Trace.values` too.

        Raises:
            NoTeacher: The player is the teacher and the world has none.
            NoPlayer: The player is a policy and there is none.
            NoCritic: Values are asked for and the learner has no critic.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """What a failure classifier or a curriculum may use while a run goes on.

    Attributes:
        trials: Plays episodes aside.
        folder: The run folder; None where the loop is not part of a run.
        notice: Tells the user something that happened, in one sentence; shown live and kept in ``notices.jsonl``.
    """

    trials: Trials
    folder: Path | None = None
    notice: Callable[[str], None] = lambda text: None
