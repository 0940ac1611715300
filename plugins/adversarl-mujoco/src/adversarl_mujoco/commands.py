"""``adversarl scene``: check, render, view, list and renderers."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    scene.command()(renderers)
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
    renderer: Annotated[Literal["classic", "pbr"], typer.Option(help="Which renderer draws.")] = "classic",
) -> None:
    """Draw a scene with its robots at home."""
    from adversarl.cli.output import console
    from adversarl_mujoco.scenes.picture import picture, write

    write(picture(_load(file), file.name, size=size, camera=camera, seed=seed, renderer=renderer), output)
    console.print(f"wrote {output}", markup=False)


def view(
    file: SceneFile,
    web: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Serve a web page instead; anyone who reaches it sees it."),
    ] = None,
) -> None:
    """Open MuJoCo's viewer, where the objects can be pushed by mouse."""
    from adversarl_mujoco.scenes.viewer import serve, show

    if web is None:
        show(_load(file), str(file))
    else:
        serve(_load(file), str(file), web)


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


def renderers(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A scene or recipe; else the default.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also draw both into this PNG file.")] = None,
    size: Annotated[int, typer.Option(min=16, max=2048, help="Edge of the timed picture [pixel].")] = 84,
    frames: Annotated[int, typer.Option(min=1, help="Frames in each of the timed rounds.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time the renderers classic and pbr on one scene, and draw it by each, side by side."""
    from adversarl.cli.output import console, print_json, table
    from adversarl_mujoco.scenes.compose import compose
    from adversarl_mujoco.scenes.load import load_scene
    from adversarl_mujoco.scenes.picture import write
    from adversarl_mujoco.scenes.timing import RENDERERS, side_by_side, time_renderer

    options = load_scene({}) if file is None else _load(file)
    scene = compose(options, image_size=size)
    timings = [time_renderer(scene, kind, size=size, frames=frames) for kind in RENDERERS]
    if json:
        print_json({t.renderer: {"frame_ms": t.frame, "shadowed_ms": t.shadowed} for t in timings})
    else:
        rows = [[t.renderer, f"{t.frame:.2f}", f"{t.shadowed:.2f}"] for t in timings]
        console.print(table(f"{size}x{size}, one thread", ["renderer", "ms/frame", "ms/frame with shadows"], rows))
    if output is not None:
        write(side_by_side(compose(options), size=480), output)


def _sizes(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{label} {value:g}" for label, value in sizes.items())


def _load(file: Path) -> SceneOptions:
    """The scene of a file; of a recipe, the one that its backend makes, which is the task's if it names none."""
    from adversarl.cli.options import load_plugins
    from adversarl.recipe import parse_recipe, read_toml
    from adversarl_mujoco.backend import Mujoco, MujocoOptions
    from adversarl_mujoco.scenes.errors import SceneError
    from adversarl_mujoco.scenes.load import load_scene

    backend = read_toml(file).get("backend")
    if not isinstance(backend, dict):
        return load_scene(file)
    if isinstance(backend.get("scene"), dict):
        load_scene(backend["scene"], f"{file.name}: [backend.scene]")  # its errors then name the file
    tables = {"backend": backend, "learner": {"use": "random-search"}}
    options = parse_recipe(tables, load_plugins().registry, file.name)["backend"].options
    if not isinstance(options, MujocoOptions):
        raise SceneError(file.name, "[backend] use", f"'{backend['use']}' has no scenes. Give a recipe of 'mujoco'")
    return Mujoco(options).scene_options()
