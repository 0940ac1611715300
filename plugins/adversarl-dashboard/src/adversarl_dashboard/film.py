"""An episode played again, with pictures of every step."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adversarl.cli.prompt import people_frame
from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Trial
from adversarl.rollouts import Act, Recorder, Rollouts
from adversarl.schedule import at, next_change
from adversarl.types import Perturbation

SIZE = 320
"""Edge of a picture for people [pixel]."""
NEVER = 2**31 - 1


@dataclass(slots=True)
class Film:
    """What was seen.

    Attributes:
        frames: Pictures by control step; 0 is the reset. Shape (height, width, 3) each.
        length: Control steps played.
        success: Whether the simulator called it solved.
        total_reward: Undiscounted sum of the world's own rewards.
    """

    frames: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    length: int = 0
    success: bool = False
    total_reward: float = 0.0


class _Camera(Recorder):
    """Takes a picture at some steps, or at all where `steps` is None."""

    def __init__(self, world: PerturbableVectorEnv, steps: Sequence[int] | None, size: int) -> None:
        super().__init__(world.num_envs)
        self._world, self._steps, self._size = world, steps, size
        self.film = Film()

    def before(self, observation: Observation, state: NDArray[np.float32]) -> None:
        super().before(observation, state)
        if self.film.length == 0:
            self._shoot(observation)

    def after(self, observation: Observation, state: NDArray[np.float32], rewards: NDArray[np.float64]) -> None:
        super().after(observation, state, rewards)
        self.film.length += 1
        self._shoot(observation)

    def _shoot(self, observation: Observation) -> None:
        if self._steps is None or self.film.length in self._steps:
            self.film.frames[self.film.length] = people_frame(self._world, observation, self._size).copy()


def play(
    world: PerturbableVectorEnv,
    seed: int,
    perturbations: Sequence[Perturbation],
    act: Act | None = None,
    steps: Sequence[int] | None = None,
    size: int = SIZE,
) -> Film:
    """Plays an episode that its seed and its perturbations fix, and films it.

    Args:
        world: Of one environment.
        seed: Reset seed.
        perturbations: What is in force, each from its onset on.
        act: Who acts; None is the world's scripted teacher, or nobody where it has none.
        steps: Control steps to show; None shows all.
        size: Edge of square pictures [pixel].
    """
    camera = _Camera(world, steps, size)
    outcome = Rollouts(world, act or teacher_or_nobody(world), camera).play([Trial(seed, tuple(perturbations))])[0]
    camera.film.success, camera.film.total_reward = outcome.success, outcome.total_reward
    return camera.film


def teacher_or_nobody(world: PerturbableVectorEnv) -> Act:
    """The world's scripted teacher; where it has none, actions of zero. Shape (1, a)."""
    still = np.zeros((world.num_envs, *(world.single_action_space.shape or ())), dtype=np.float32)

    def act(observation: Observation) -> NDArray[np.float32]:
        del observation
        return world.teacher(range(world.num_envs)) if has_teacher(world) else still

    return act


def has_teacher(world: PerturbableVectorEnv) -> bool:
    """Whether the world has a scripted teacher."""
    return type(world).teacher is not PerturbableVectorEnv.teacher


def perturbations_of(row: Mapping[str, Any]) -> tuple[Perturbation, ...]:
    """The perturbations in a row of a journal.

    Raises:
        ValueError: They are spoilt.
    """
    try:
        return tuple(
            Perturbation(**{**one, "value": tuple(v) if isinstance(v := one.get("value"), list) else v})
            for one in row.get("perturbations", ())
        )
    except (TypeError, AttributeError) as error:
        raise ValueError(f"perturbations of episode {row.get('index')} cannot be read: {error}") from None


def changes(perturbations: Sequence[Perturbation], length: int) -> list[int]:
    """Control steps of an episode at which something begins or ends, after its reset."""
    found, step = list[int](), 0
    while (step := next_change(step, perturbations)) <= length and step != NEVER:
        found.append(step)
    return found


def caption(perturbations: Sequence[Perturbation], step: int) -> str:
    """What is in force at a control step."""
    names = [f"{p.axis}{f' of {p.target}' if p.target else ''} {p.intensity:.0%}" for p in at(step, perturbations)]
    return ", ".join(names) or "nominal"


def enlarged(pixels: NDArray[np.uint8]) -> Image.Image:
    """A picture for people: what a world draws small, such as a policy's view, is shown with its pixels."""
    image = Image.fromarray(pixels)
    times = SIZE // image.height
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST) if times > 1 else image


def data_url(pixels: NDArray[np.uint8], quality: int = 82) -> str:
    """A picture as text that a browser shows."""
    file = io.BytesIO()
    enlarged(pixels).save(file, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
