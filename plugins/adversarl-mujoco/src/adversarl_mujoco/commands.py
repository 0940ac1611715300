"""``adversarl scene``: check, render, view and list."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adversarl_mujoco.scenes.options import SceneOptions

SceneFile = Annotated[Path, typer.Argument(metavar="FILE", help="A scene's TOML file, or a recipe.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="PNG file to write.")]
Size = Annotated[int, typer.Option(min=16, max=2048, help="Edge of the picture [pixel].")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]


def add(app: typer.Typer) -> None:
    """Adds the commands."""
    scene = typer.Typer(help="Check, draw and look at scenes.", no_args_is_help=True)
    for command in (check, render, view):
        scene.command()(command)
    scene.command("list")(list_types)
    app.add_typer(scene, name="scene")


def check(
    file: SceneFile,
    seed: Seed = 0,
    samples: Annotated[int, typer.Option(min=0, help="Scenes drawn from the randomization.")] = 20,
) -> None:
    """Look for objects that overlap, fall, tip over or cannot be reached."""
    from adversarl.cli.output import console
    from adversarl_mujoco.scenes.check import check as examine

    options = _load(file)
    for warning in examine(options, file.name, seed=seed, samples=samples):
        console.print(f"{file.name}: {warning}", style="yellow", markup=False)
    there = f"{_count(options.objects, 'object')}, {_count(options.robots, 'robot')}, {samples} draws, seed {seed}"
    console.print(f"{file.name}: sound ({there})", markup=False)


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'s'[: len(things) != 1]}"


def render(
    file: SceneFile,
    output: Output,
    camera: Annotated[str | None, typer.Option(help="Camera; the scene's first by default.")] = None,
    size: Size = 640,
    seed: Annotated[int | None, typer.Option(min=0, help="Draw from the randomization; else as written.")] = None,
) -> None:
    """Draw a scene with its robots at home."""
    from adversarl.cli.output import console
    from adversarl_mujoco.scenes.picture import picture, write

    write(picture(_load(file), file.name, size=size, camera=camera, seed=seed), output)
    console.print(f"wrote {output}", markup=False)


def view(file: SceneFile) -> None:
    """Open MuJoCo's viewer, where the objects can be pushed by mouse."""
    from adversarl_mujoco.scenes.viewer import show

    show(_load(file), str(file))


def list_types(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also draw them into this PNG file.")] = None,
    size: Size = 640,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the types of objects with their sizes [m] and masses [kg]."""
    from adversarl.cli.output import console, print_json, table
    from adversarl_mujoco.scenes.kinds import KINDS

    if json:
        print_json({name: {"summary": k.summary, "size": dict(k.sizes), "mass": k.mass} for name, k in KINDS.items()})
    else:
        rows = [[name, _sizes(k.sizes), f"{k.mass:g}", k.summary] for name, k in KINDS.items()]
        console.print(table("", ["type", "size in m, and its default", "mass in kg", "what it is"], rows))
    if output is not None:
        from adversarl_mujoco.scenes.picture import show_case, write

        write(show_case(size), output)
        if not json:
            console.print(f"wrote {output}", markup=False)


def _sizes(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{label} {value:g}" for label, value in sizes.items())


def _load(file: Path) -> SceneOptions:
    """The scene of a file; of a recipe, the one of its ``[backend]``."""
    from adversarl.recipe import read_toml
    from adversarl_mujoco.scenes.load import load_scene

    backend = read_toml(file).get("backend")
    if not isinstance(backend, dict):
        return load_scene(file)
    return load_scene(backend.get("scene", {}), f"{file.name}: [backend.scene]")
