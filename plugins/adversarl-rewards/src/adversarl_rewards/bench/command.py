"""``adversarl bench rewards``: what reward detectors are worth on frames whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adversarl.cli.options import BackendName, Json, PluginFiles, Set, load_plugins

if TYPE_CHECKING:
    from adversarl.plugins import Plugins
    from adversarl_rewards.bench.run import Request, Show


def add_rewards(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("rewards")(rewards)


def rewards(
    detector: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[LABEL=]NAME", help="Only this detector; may be repeated. All that are usable by default."
        ),
    ] = None,
    recipe: Annotated[Path | None, typer.Option(help="Whose backend, and whose detectors' keys.")] = None,
    backend: BackendName = None,
    overrides: Set = None,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes of each axis at each intensity.")] = 8,
    axis: Annotated[
        list[str] | None, typer.Option(help="Only this axis; may be repeated. All visual ones by default.")
    ] = None,
    intensity: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Only this intensity; may be repeated. By quarters by default."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything.")] = 0,
    frames: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Read the frames from this file, or write them to it.")
    ] = None,
    max_frames: Annotated[
        int | None, typer.Option(min=1, help="Ask about so many frames at most, drawn from all conditions alike.")
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.json", help="Results on the same frames to stand beside these; may be repeated."),
    ] = None,
    plots: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write pictures of the results.")] = None,
    json: Json = False,
    plugin: PluginFiles = None,
) -> None:
    """Measure reward detectors against the simulator, frame by frame, under every visual axis.

    A detector's keys are set by its name, such as --set classifier.model=pick.pt; those of the world by the table,
    such as --set backend.task=stack. Frames are the same for the same seed, and none that anything is trained on.
    """
    from adversarl.cli.prompt import default_backend
    from adversarl_rewards.bench.frames import INTENSITIES
    from adversarl_rewards.bench.run import Request

    plugins = load_plugins(tuple(plugin or ()))
    request = Request(
        tuple(detector or ()),
        recipe,
        default_backend(plugins, backend),
        (*(overrides or ()), *([f"backend.use={backend}"] if backend and recipe else [])),
        tuple(axis or ()),
        INTENSITIES if intensity is None else tuple(intensity),
        episodes,
        seed,
        frames,
        max_frames,
    )
    found = _measured(request, plugins, beside or [], plots)
    _present(found, plots, as_json=json)
    if found["stopped"]:
        raise typer.Exit(130)


def _measured(request: Request, plugins: Plugins, beside: list[Path], plots: Path | None) -> dict[str, Any]:
    import torch

    from adversarl_rewards.bench.beside import load, together
    from adversarl_rewards.bench.plots import check
    from adversarl_rewards.bench.run import benchmark, rounded

    torch.set_num_threads(1)
    if plots is not None:
        check()
    earlier = [(path, load(path)) for path in beside]
    with _progress() as (show, notice):
        found = rounded(benchmark(request, plugins, show, notice))
    return together(found, earlier)


@contextmanager
def _progress() -> Iterator[tuple[Show, Any]]:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    errors = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:

        def show(phase: str) -> Any:
            task = progress.add_task(phase, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield show, lambda text: errors.print(text, markup=False, highlight=False)


def _present(found: dict[str, Any], plots: Path | None, *, as_json: bool) -> None:
    from adversarl.cli.output import console, print_json

    if as_json:
        print_json(found)
    else:
        _print(found)
    if plots is not None:
        from adversarl_rewards.bench.plots import plot

        written = plot(found, plots)
        if not as_json:
            for path in written:
                console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def _print(found: dict[str, Any]) -> None:
    from adversarl.cli.output import console, table
    from adversarl_rewards.bench import show

    design, frames = found["design"], found["frames"]
    if found["detectors"]:
        title = (
            f"{design['task']}: {frames['n']:,} frames of {frames['episodes']:,} episodes, {len(design['axes'])} axes"
        )
        console.print(table(title, show.QUALITY, show.quality(found)))
        console.print(table("balanced accuracy by intensity", *show.intensities(found)))
        console.print(
            table("what they take; progress: rank correlation with the true one", show.COSTS, show.costs(found))
        )
        console.print(table("balanced accuracy where it is worst", show.CELLS, show.worst(found)))
    else:
        console.print("nothing to measure", style="yellow")
    for text in show.remarks(found):
        console.print(text, style="yellow", highlight=False, markup=False)
