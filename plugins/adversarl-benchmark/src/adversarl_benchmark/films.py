"""Failures as short films: episodes of the held-out suite, played once more."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adversarl.cli.evaluate import load_run
from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Trial
from adversarl.plugins import Plugins
from adversarl.rollouts import Act, Rollouts
from adversarl.types import Cell
from adversarl_benchmark.frames import Key, shown, world_like

HERTZ = 20
"""Control steps per second of the worlds that come with the project."""


@dataclass(frozen=True, slots=True)
class Film:
    """One failed episode.

    Attributes:
        condition: Whose policy.
        seed: The run's.
        curve: What is varied.
        intensity: How much, in [0, 1].
        episode: Index within the cell.
        webp: The animation.
        still: Its last picture, as WebP.
    """

    condition: str
    seed: int
    curve: str
    intensity: float
    episode: int
    webp: bytes
    still: bytes


def failure_films(
    folder: Path,
    condition: str,
    cells: Sequence[Cell],
    outcomes: Mapping[Key, Sequence[bool]],
    plugins: Plugins,
    *,
    count: int = 2,
    size: int = 160,
) -> list[Film]:
    """Plays failed episodes of a run again and films them.

    The policy is deterministic and an episode is fixed by seed and perturbations, so it fails again; one that does
    not, because a batch of one is rounded otherwise than a batch of many, is left out.

    Args:
        folder: The run folder.
        condition: The run's condition, to be told.
        cells: The suite's.
        outcomes: Success per episode by curve and intensity.
        plugins: What is installed.
        count: How many films, each of another curve.
        size: Edge of the pictures [pixel].

    Raises:
        RunFolderError: The folder holds no run with a checkpoint.
    """
    recipe, loop, learner = load_run(folder, plugins, [])
    films: list[Film] = []
    with closing(loop):
        for cell, index in telling(cells, outcomes):
            if len(films) == count:
                break
            with closing(world_like(recipe, cell.world, 1)) as world:
                trial = Trial(cell.seeds[index], cell.perturbations[index])
                success, pictures = film(world, learner.act, trial, size)
            if not success:
                written = encode(pictures), encode(pictures[-1:])
                films.append(Film(condition, recipe.run.seed, cell.axis, cell.intensity, index, *written))
    return films


def telling(cells: Sequence[Cell], outcomes: Mapping[Key, Sequence[bool]]) -> list[tuple[Cell, int]]:
    """Of each curve the first failed episode at the mildest intensity that fails; the mildest curves first.

    What fails after a small change says more than what fails after a large one. Curves of equal intensity come in
    the order of how often they fail there.
    """
    chosen: dict[str, tuple[float, float, Cell, int]] = {}
    for cell in sorted(cells, key=lambda cell: cell.intensity):
        success = outcomes.get((cell.axis, cell.intensity), ())
        if cell.axis not in chosen and not all(success):
            rate = sum(success) / len(success)
            chosen[cell.axis] = cell.intensity, rate, cell, list(success).index(False)
    ranked = sorted(chosen.values(), key=lambda row: row[:2])
    return [(cell, index) for _, _, cell, index in ranked]


def film(world: PerturbableVectorEnv, act: Act, trial: Trial, size: int) -> tuple[bool, list[NDArray[np.uint8]]]:
    """Plays one episode in a world of one environment.

    Returns:
        Whether it succeeded, and a picture before every control step, each of Shape (size, size, 3).
    """
    pictures: list[NDArray[np.uint8]] = []

    def acts(observation: Observation) -> Any:
        pictures.append(shown(world, [0], observation["image"], size)[0].copy())
        return act(observation)

    outcome = Rollouts(world, acts).play([trial])[0]
    return outcome.success, pictures


def encode(pictures: Sequence[NDArray[np.uint8]], quality: int = 60) -> bytes:
    """An animated WebP at 20 Hz that rests for a second on its last picture and begins again."""
    images = [Image.fromarray(picture) for picture in pictures]
    held = [1000 // HERTZ] * (len(images) - 1) + [1000]
    out = io.BytesIO()
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], duration=held, loop=0, quality=quality)
    return out.getvalue()
