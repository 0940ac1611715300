"""Episodes to show to reward detectors, for their checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.reward import RewardDetector, RewardOptions, Step
from adversarl.testing.fakes import detector_part, make_world

STEPS = 20
"""In as many control steps the teacher of the point mass solves most episodes."""


@dataclass(frozen=True, slots=True)
class Film:
    """An episode of the point mass under its teacher: the first pictures, the task, and the steps."""

    first: NDArray[np.uint8]
    task: str
    steps: tuple[Step, ...]

    @property
    def everywhere(self) -> NDArray[np.bool_]:
        """All environments. Shape (num_envs,)."""
        return np.ones(len(self.first), dtype=bool)


def film(num_envs: int, seed: int = 0, count: int = STEPS) -> Film:
    """Plays episodes of so many control steps, the seed is that of the first environment; the last step ends them."""
    world = make_world(num_envs)
    observation, _ = world.reset(seed=[seed + i for i in range(num_envs)])
    first, steps = np.array(observation["image"]), []
    for number in range(1, count + 1):
        observation, reward, _, _, info = world.step(world.teacher(range(num_envs)))
        ending = np.full(num_envs, number == count)
        steps.append(Step(observation["image"], world.task, np.array(reward), info["success"].copy(), ending))
    world.close()
    return Film(first, world.task, tuple(steps))


@contextmanager
def detector_of(cls: type[RewardDetector], options: RewardOptions) -> Iterator[RewardDetector]:
    """A detector with what it is made of, closed at the end."""
    detector = cls(options)
    detector.assemble(detector_part)
    try:
        yield detector
    finally:
        detector.close()
