"""Stable-Baselines3's buffers with a generator of their own instead of numpy's global one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import DictReplayBuffer, DictRolloutBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples, DictRolloutBufferSamples

from adversarl_sb3.checkpoint import Arrays


class SeededRolloutBuffer(DictRolloutBuffer):
    """On-policy buffer; the order of minibatches comes from `rng`."""

    def __init__(self, *args: Any, rng: np.random.Generator, **kwargs: Any) -> None:
        self.rng = rng
        super().__init__(*args, **kwargs)

    def flatten(self) -> None:
        """Lines up environments one after the other: all arrays get the shape (steps * environments, …)."""
        if self.generator_ready:
            return
        self.observations = {key: self.swap_and_flatten(array) for key, array in self.observations.items()}
        for name in ("actions", "values", "log_probs", "advantages", "returns"):
            setattr(self, name, self.swap_and_flatten(getattr(self, name)))
        self.generator_ready = True

    def get(self, batch_size: int | None = None) -> Generator[DictRolloutBufferSamples, None, None]:  # type: ignore[override]
        """Minibatches in random order."""
        self.flatten()
        total = self.buffer_size * self.n_envs
        order = self.rng.permutation(total)
        for start in range(0, total, batch_size or total):
            yield self._get_samples(order[start : start + (batch_size or total)])


class SeededReplayBuffer(DictReplayBuffer):
    """Off-policy buffer; samples come from `rng`, and it can be saved as plain arrays."""

    def __init__(self, *args: Any, rng: np.random.Generator, **kwargs: Any) -> None:
        self.rng = rng
        super().__init__(*args, **kwargs)

    def sample(self, batch_size: int, env: Any = None) -> DictReplayBufferSamples:  # type: ignore[override]
        """Transitions drawn with replacement."""
        del env
        rows = self.rng.integers(self.buffer_size if self.full else self.pos, size=batch_size)
        columns = self.rng.integers(self.n_envs, size=batch_size)
        now = {key: self.to_torch(array[rows, columns], copy=False) for key, array in self.observations.items()}
        after = {key: self.to_torch(array[rows, columns], copy=False) for key, array in self.next_observations.items()}
        # A time limit is not an end: the target bootstraps beyond it (SB3 issue #284).
        ends = self.dones[rows, columns] * (1 - self.timeouts[rows, columns])
        return DictReplayBufferSamples(
            observations=now,
            actions=self.to_torch(self.actions[rows, columns]),
            next_observations=after,
            dones=self.to_torch(ends).reshape(-1, 1),
            rewards=self.to_torch(self.rewards[rows, columns]).reshape(-1, 1),
        )

    _PLAIN = ("actions", "rewards", "dones", "timeouts")

    def state(self) -> Arrays:
        """All transitions held, for a checkpoint."""
        used = self.buffer_size if self.full else self.pos
        arrays = {name: getattr(self, name)[:used] for name in self._PLAIN}
        arrays |= {f"now.{key}": array[:used] for key, array in self.observations.items()}
        arrays |= {f"next.{key}": array[:used] for key, array in self.next_observations.items()}
        return arrays | {"position": np.array([self.pos, self.full])}

    def load_state(self, arrays: Arrays) -> None:
        """Brings `state` back."""
        position = arrays.pop("position")
        self.pos, self.full = int(position[0]), bool(position[1])
        for name, stored in arrays.items():
            kind, _, key = name.partition(".")
            target = (
                {"now": self.observations, "next": self.next_observations}[kind][key] if key else getattr(self, name)
            )
            target[: len(stored)] = stored
