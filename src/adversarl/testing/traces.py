"""Playing a world and comparing what happened, for the checks of backends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Backend, BackendOptions, Observation, PerturbableVectorEnv

SEEDS = (11, 12)
"""Reset seeds of the two environments that checks play in."""

ENVS = len(SEEDS)
Change = Callable[[PerturbableVectorEnv], None]


@dataclass(frozen=True, slots=True)
class Frame:
    """What can be seen of all environments after a reset or a step; reward is zero after a reset."""

    image: NDArray[np.uint8]
    proprio: NDArray[np.float32]
    state: NDArray[np.float32]
    reward: NDArray[np.float64]

    def same(self, other: Frame, env: int | slice = slice(None)) -> bool:
        """Whether two frames are equal bit for bit in one environment, or in all."""
        return all(np.array_equal(a[env], b[env]) for a, b in zip(self._arrays(), other._arrays(), strict=True))

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.image, self.proprio, self.state, self.reward


@contextmanager
def world_of(
    cls: type[Backend], options: BackendOptions, num_envs: int = ENVS, seed: int = 0
) -> Iterator[PerturbableVectorEnv]:
    """A world that is closed at the end."""
    world = cls(options).make(seed=seed, num_envs=num_envs)
    try:
        yield world
    finally:
        world.close()


def look(world: PerturbableVectorEnv, observation: Observation, reward: NDArray[Any] | None = None) -> Frame:
    """A copy of what is visible, because worlds may reuse their arrays."""
    zeros = np.zeros(world.num_envs)
    return Frame(
        np.array(observation["image"]),
        np.array(observation["proprio"]),
        np.array(world.state()),
        np.array(zeros if reward is None else reward),
    )


def actions_for(world: PerturbableVectorEnv, steps: int) -> NDArray[np.float32]:
    """The same random actions in every environment. Shape (steps, num_envs, a)."""
    size = (world.single_action_space.shape or (0,))[0]
    drawn = np.random.default_rng(0).uniform(-1, 1, (steps, 1, size))
    return np.repeat(drawn, world.num_envs, axis=1).astype(np.float32)


def play(
    world: PerturbableVectorEnv,
    steps: int,
    changes: Mapping[int, Change] | None = None,
    seeds: Sequence[int] = SEEDS,
) -> list[Frame]:
    """Resets with seeds and plays fixed actions; changes happen before the step of their number, -1 is the reset."""
    changes = changes or {}
    changes.get(-1, _leave)(world)
    frames = [look(world, world.reset(seed=list(seeds))[0])]
    for number, action in enumerate(actions_for(world, steps)):
        changes.get(number, _leave)(world)
        observation, reward, *_ = world.step(action)
        frames.append(look(world, observation, reward))
    return frames


def follow(world: PerturbableVectorEnv, steps: int) -> list[Frame]:
    """Goes on from where the world is with fixed actions."""
    return [look(world, *world.step(action)[:2]) for action in actions_for(world, steps)]


def same(first: Sequence[Frame], second: Sequence[Frame], env: int | slice = slice(None)) -> bool:
    """Whether two traces are equal bit for bit."""
    return len(first) == len(second) and all(a.same(b, env) for a, b in zip(first, second, strict=True))


def digest(frames: Sequence[Frame]) -> str:
    """SHA-256 of a trace."""
    sha = hashlib.sha256()
    for frame in frames:
        for array in (frame.image, frame.proprio, frame.state, frame.reward):
            sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def _leave(world: PerturbableVectorEnv) -> None:
    del world
