"""What held-out scenes look like: the first frames of a suite's episodes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adversarl.errors import NoVulkan
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.recipe import Recipe
from adversarl.types import Cell, Perturbation

Start = tuple[int, tuple[Perturbation, ...]]
"""Reset seed and perturbations of an episode."""
Key = tuple[str, float]
"""Curve and intensity."""
BATCH = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """The first picture of one held-out episode.

    Attributes:
        intensity: Of its cell, in [0, 1].
        picture: RGB. Shape (size, size, 3).
        text: The sentence that was said to the world, where the curve is one of sentences.
    """

    intensity: float
    picture: NDArray[np.uint8]
    text: str = ""


def world_like(recipe: Recipe, keys: Mapping[str, Any], num_envs: int) -> PerturbableVectorEnv:
    """The world of a recipe in which some keys of ``[backend]`` differ.

    Raises:
        NoVulkan: They ask for the physically based renderer, which cannot work here.
    """
    choice = recipe["backend"].changed(keys, recipe.source, "evaluation")
    world: PerturbableVectorEnv = choice.make().make(seed=recipe.run.seed, num_envs=num_envs)
    return world


def by_world(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells of each world, in order."""
    places: dict[str, list[Cell]] = {}
    for cell in cells:
        places.setdefault(json.dumps(dict(cell.world), sort_keys=True), []).append(cell)
    return list(places.values())


def first_frames(world: PerturbableVectorEnv, starts: Sequence[Start], size: int | None = None) -> NDArray[np.uint8]:
    """What is seen at the start of episodes with everything in force that is in force at some time of them.

    Args:
        world: Where; it is nominal afterwards.
        starts: The episodes.
        size: Edge of pictures for people [pixel]; None takes what the policy sees.

    Returns:
        RGB. Shape (len(starts), h, w, 3).
    """
    pictures = [_seen(world, starts[at : at + world.num_envs], size) for at in range(0, len(starts), world.num_envs)]
    world.restore(range(world.num_envs))
    return np.concatenate(pictures)


def _seen(world: PerturbableVectorEnv, starts: Sequence[Start], size: int | None) -> NDArray[np.uint8]:
    everyone, here = range(world.num_envs), range(len(starts))
    world.restore(everyone)
    world.perturb(here, [[replace(p, onset=0, duration=None) for p in wanted] for _, wanted in starts])
    seeds = [*(seed for seed, _ in starts), *([0] * (world.num_envs - len(starts)))]
    image = world.reset(seed=seeds)[0]["image"]
    return np.array(image[: len(starts)] if size is None else shown(world, here, image, size))


def shown(
    world: PerturbableVectorEnv, indices: Sequence[int], image: NDArray[np.uint8], size: int
) -> NDArray[np.uint8]:
    """Pictures for people; of a world that has none, what the policy sees, enlarged.

    Args:
        world: Where.
        indices: Of which environments.
        image: What the policies of all environments see. Shape (num_envs, h, w, 3).
        size: Edge of the pictures [pixel].

    Returns:
        RGB. Shape (len(indices), size, size, 3).
    """
    try:
        return world.frames(indices, size)
    except NotImplementedError:
        seen = [Image.fromarray(image[index]).resize((size, size), Image.Resampling.NEAREST) for index in indices]
        return np.array([np.asarray(one) for one in seen])


def suite_frames(
    recipe: Recipe, cells: Sequence[Cell], *, sentences: Sequence[str] = (), size: int = 128
) -> tuple[dict[str, list[Frame]], list[str]]:
    """The first frame of the first episode of every cell, so that along a curve only the intensity changes.

    Every curve begins with the same scene with nothing changed. One whose episodes take turns with sentences has
    frames of each of them.

    Args:
        recipe: Of one of the runs; its ``[backend]`` makes the worlds.
        cells: The suite's.
        sentences: What the episodes of the curve ``prompts`` are told in turn.
        size: Edge of the pictures [pixel].

    Returns:
        Frames by curve, and sentences about worlds that cannot be shown here.
    """
    frames: dict[str, list[Frame]] = {}
    notes = []
    for group in by_world(cells):
        try:
            with closing(world_like(recipe, group[0].world, BATCH)) as world:
                for curve, frame in _of_world(world, group, sentences, size):
                    frames.setdefault(curve, []).append(frame)
        except NoVulkan as error:
            names = ", ".join(sorted({cell.axis for cell in group}))
            notes.append(f"No frames of {names}: {error}")
    order = list(dict.fromkeys(cell.axis for cell in cells))
    return {curve: frames[curve] for curve in order if curve in frames}, notes


def _of_world(
    world: PerturbableVectorEnv, cells: Sequence[Cell], sentences: Sequence[str], size: int
) -> Iterator[tuple[str, Frame]]:
    wanted: dict[tuple[str, str, float], Start] = {}
    for cell in cells:
        told = sentences[: len(cell.seeds)] if cell.axis == "prompts" else ()
        for index, text in enumerate(told or ("",)):
            wanted.setdefault((cell.axis, text, 0.0), (cell.seeds[index], ()))
            wanted[cell.axis, text, cell.intensity] = cell.seeds[index], cell.perturbations[index]
    pictures = first_frames(world, list(wanted.values()), size)
    for (curve, text, intensity), picture in zip(wanted, pictures, strict=True):
        yield curve, Frame(intensity, picture, text)
