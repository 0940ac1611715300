"""``adversarl axes``: what a world can vary, and the published ways of varying it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.cli.output import console, print_json, table
from adversarl.cli.prompt import people_frame, picture, save_pictures
from adversarl.errors import NoTeacher, PerturbationError
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.presets import Preset
from adversarl.types import Axis, Perturbation

INTENSITIES = (0.0, 0.5, 1.0)
TILE = 180
"""Edge of one picture of a sheet [pixel]."""
STEPS = 12
"""Control steps of the teacher before the picture of an axis that changes how things move, not how they look."""


def list_axes(world: PerturbableVectorEnv, group: str | None, render: Path | None, seed: int, *, as_json: bool) -> None:
    """Lists axes and presets, and perhaps draws a sheet of every axis at 0, 1/2 and 1."""
    axes = [axis for axis in world.axes if group in (None, axis.group)]
    if not axes:
        raise PerturbationError("group", str(group), sorted({axis.group for axis in world.axes}))
    if as_json:
        print_json({"axes": [asdict(axis) for axis in axes], "presets": [asdict(p) for p in world.presets]})
    else:
        _print(axes, world.presets)
    if render is not None:
        pictures: dict[str, NDArray[np.uint8]] = {}
        for axis in axes:
            pictures |= sheet(world, axis, seed, TILE)
        _save(render, pictures, 4 * len(INTENSITIES), TILE, quiet=as_json)


def show_axis(world: PerturbableVectorEnv, name: str, render: Path | None, seed: int, *, as_json: bool) -> None:
    """Shows one axis, or one preset."""
    known: dict[str, Axis | Preset] = {p.name: p for p in world.presets} | {axis.name: axis for axis in world.axes}
    if name not in known:
        raise PerturbationError("axis or preset", name, known)
    chosen = known[name]
    if as_json:
        print_json(asdict(chosen))
    else:
        _print_one(chosen)
    if render is not None:
        pictures = sheet(world, chosen, seed, 2 * TILE) if isinstance(chosen, Axis) else samples(world, chosen, seed)
        _save(render, pictures, len(INTENSITIES), 2 * TILE, quiet=as_json)


def _print(axes: list[Axis], presets: tuple[Preset, ...]) -> None:
    for group in dict.fromkeys(axis.group for axis in axes):
        rows = [[a.name, a.bound, ", ".join(a.targets)] for a in axes if a.group == group]
        console.print(table(f"{group}: {len(rows)} axes", ["axis", "at intensity 1", "targets"], rows))
    described = [[preset.name, str(len({r.axis for r in preset.ranges})), preset.summary] for preset in presets]
    if described:
        console.print(table("presets", ["preset", "axes", "what"], described))


def _print_one(chosen: Axis | Preset) -> None:
    if isinstance(chosen, Axis):
        fields = {**asdict(chosen), "targets": ", ".join(chosen.targets), "mid_episode": str(chosen.mid_episode)}
        console.print(table(chosen.name, ["", ""], [[k.replace("_", " "), v] for k, v in fields.items() if v]))
        return
    rows = [[r.axis, "" if r.value is None else str(r.value), f"{r.high:.0%}"] for r in chosen.ranges]
    console.print(table(f"{chosen.name}: {chosen.summary}", ["axis", "value", "intensity up to"], rows))
    console.print(f"source: {chosen.source}", highlight=False)


def sheet(world: PerturbableVectorEnv, axis: Axis, seed: int, size: int) -> dict[str, NDArray[np.uint8]]:
    """Titled pictures of one axis at `INTENSITIES`, everything else alike. Each of Shape (size, size, 3)."""
    return {
        f"{axis.name} {intensity:g}": _picture(
            world, axis, (Perturbation(axis.name, intensity, seed=seed),), seed, size
        )
        for intensity in INTENSITIES
    }


def samples(world: PerturbableVectorEnv, preset: Preset, seed: int, number: int = 6) -> dict[str, NDArray[np.uint8]]:
    """Titled pictures of draws from a preset: of each axis one of its ranges, intensity uniform below its bound."""
    rng = np.random.default_rng(seed)
    pictures = {"nominal": picture(world, (), seed, 2 * TILE)}
    for index in range(1, number):
        ranges = {r.axis: r for r in rng.permutation(np.array(preset.ranges, dtype=object))}
        drawn = [
            Perturbation(r.axis, float(rng.uniform(0, r.high)), value=r.value, seed=int(rng.integers(2**31)))
            for r in ranges.values()
            if r.axis in {axis.name for axis in world.axes}
        ]
        pictures[f"{preset.name}, draw {index}"] = picture(world, tuple(drawn), seed, 2 * TILE)
    return pictures


def _picture(world: PerturbableVectorEnv, axis: Axis, asked: Any, seed: int, size: int) -> NDArray[np.uint8]:
    """The scene after a reset; after some steps of the teacher for dynamics; as the policy sees it for sensors."""
    frame = picture(world, asked, seed, size)
    if axis.group not in ("dynamics", "sensor"):
        return frame
    observation: Any = None
    for _ in range(STEPS):
        observation = world.step(_action(world))[0]
    if axis.group == "sensor":
        seen: NDArray[np.uint8] = observation["image"][0]
        return seen
    return people_frame(world, observation, size)


def _action(world: PerturbableVectorEnv) -> NDArray[np.float32]:
    """The teacher's, or none at all where there is no teacher. Shape (1, a)."""
    try:
        return world.teacher([0])
    except NoTeacher:
        return np.zeros(world.action_space.shape or (), np.float32)


def _save(path: Path, pictures: dict[str, NDArray[np.uint8]], columns: int, size: int, *, quiet: bool) -> None:
    save_pictures(path, pictures, columns, size)
    if not quiet:
        console.print(f"wrote {path}", highlight=False, soft_wrap=True)
