"""``adversarl prompt``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adversarl.cli.output import console, print_json, table
from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.overrides import apply_overrides
from adversarl.plugins import Plugins
from adversarl.recipe import Choice, load_recipe, parse_recipe
from adversarl.types import Grounding

if TYPE_CHECKING:
    from PIL import Image


PICTURE_SIZE = 360
"""Edge of a picture for people [pixel]."""


def show_prompts(
    texts: list[str],
    recipe: Path | None,
    backend: str | None,
    overrides: list[str],
    render: Path | None,
    seed: int,
    plugins: Plugins,
    *,
    as_json: bool,
) -> None:
    """Shows what prompts are grounded to, what was not understood, and perhaps pictures before and after."""
    with opened_world(plugins, recipe, backend, overrides, seed) as world:
        groundings = [world.ground(text) for text in texts]
        if render is not None:
            _render(world, groundings, render, seed)
    if as_json:
        shown = [{**asdict(grounding), "complete": grounding.complete} for grounding in groundings]
        print_json(shown if len(shown) > 1 else shown[0])
    else:
        for grounding in groundings:
            _print(grounding)
        if render is not None:
            console.print(f"wrote {render}", highlight=False, soft_wrap=True)
    sys.exit(not all(grounding.complete for grounding in groundings))


def default_backend(plugins: Plugins, backend: str | None) -> str:
    """The backend asked for, else mujoco if installed, else the built-in one."""
    return backend or ("mujoco" if "mujoco" in plugins.registry.names("backend") else "point-mass")


@contextmanager
def opened_world(
    plugins: Plugins, recipe: Path | None, backend: str | None, overrides: list[str], seed: int
) -> Iterator[PerturbableVectorEnv]:
    """One environment of a recipe's backend, or of a backend with its defaults."""
    if recipe is not None:
        more = [f"backend.use={backend}"] if backend else []
        choice = load_recipe(recipe, plugins.registry, [*overrides, *more])["backend"]
    else:
        keys = {"use": default_backend(plugins, backend), "num_envs": 1}
        choice = chosen_backend(plugins, keys, overrides, "--backend")
    with closing(choice.make().make(seed=seed, num_envs=1)) as world:
        yield world


def chosen_backend(plugins: Plugins, keys: dict[str, Any], overrides: list[str], source: str) -> Choice:
    """A ``[backend]`` table with these keys and without a recipe around it; errors call it `source`."""
    tables: dict[str, Any] = {"backend": keys, "learner": {"use": "random-search"}}
    apply_overrides(tables, overrides, plugins.registry)
    return parse_recipe(tables, plugins.registry, source)["backend"]


def _print(grounding: Grounding) -> None:
    console.print(table(grounding.text, ["words", "taken for"], [list(pair) for pair in grounding.understood]))
    rows = [
        [p.axis, p.target or "", f"{p.intensity:.0%}", "drawn" if p.value is None else str(p.value)]
        for p in grounding.perturbations
    ]
    if grounding.restore:
        console.print("back to nominal first")
    if rows:
        console.print(table("", ["axis", "target", "intensity", "value"], rows))
    if grounding.confidence < 1:
        console.print(f"a guess by meaning, confidence {grounding.confidence:.2f}", style="yellow", highlight=False)
    if grounding.not_understood:
        console.print(f"not understood: {', '.join(grounding.not_understood)}", style="red", highlight=False)
    elif not grounding.complete:
        console.print("it asks for nothing", style="red")


def _render(world: PerturbableVectorEnv, groundings: list[Grounding], path: Path, seed: int) -> None:
    pictures = {"nominal": picture(world, (), seed)}
    for grounding in groundings:
        perturbations = tuple(p.seeded(seed + n) for n, p in enumerate(grounding.perturbations))
        pictures[grounding.text] = picture(world, perturbations, seed)
    save_pictures(path, pictures)


def picture(world: PerturbableVectorEnv, perturbations: Any, seed: int, size: int = PICTURE_SIZE) -> NDArray[np.uint8]:
    """What environment 0 looks like after a reset under some perturbations. Shape (H, W, 3)."""
    world.restore([0])
    world.perturb([0], [perturbations])
    observation, _ = world.reset(seed=seed)
    return people_frame(world, observation, size)


def people_frame(world: PerturbableVectorEnv, observation: Observation, size: int) -> NDArray[np.uint8]:
    """Environment 0 as its world draws it for people, else as its policy sees it. Shape (H, W, 3)."""
    try:
        frame: NDArray[np.uint8] = world.frames([0], size)[0]
    except NotImplementedError:
        frame = observation["image"][0]
    return frame


def save_pictures(path: Path, pictures: dict[str, NDArray[np.uint8]], columns: int = 3, size: int = 240) -> None:
    """Writes titled pictures as a sheet; small ones are enlarged to at least `size` pixels."""
    from PIL import Image

    tiles = [_tile(title, pixels, size) for title, pixels in pictures.items()]
    width, height = tiles[0].width + 4, tiles[0].height + 4
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width - 4, rows * height - 4), "white")
    for n, tile in enumerate(tiles):
        sheet.paste(tile, (n % columns * width, n // columns * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _tile(title: str, pixels: NDArray[np.uint8], size: int) -> Image.Image:
    from PIL import Image, ImageDraw

    image = Image.fromarray(pixels)
    if image.height < size:
        image = image.resize((image.width * size // image.height, size), Image.Resampling.NEAREST)
    tile = Image.new("RGB", (image.width, image.height + 20), "white")
    tile.paste(image, (0, 20))
    ImageDraw.Draw(tile).text((4, 4), title, fill="black")
    return tile
