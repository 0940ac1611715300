"""``adversarl dashboard`` and ``adversarl bench dashboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_dashboard(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("dashboard")(dashboard)


def dashboard(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Folder of runs, or one run.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen to.")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen to; others than 127.0.0.1 open it to a network.")] = (
        "127.0.0.1"
    ),
    allow_run: Annotated[
        bool, typer.Option("--allow-run", help="Also offer to resume runs; without it nothing is ever written.")
    ] = False,
) -> None:
    """Watch runs as they train, compare them, replay episodes and try prompts, in a browser."""
    from adversarl.cli.output import console
    from adversarl_dashboard.server import Settings, check_folder, check_port, is_loopback, serve

    check_folder(folder)
    check_port(host, port)
    if not is_loopback(host):
        more = ", and resume runs" if allow_run else ""
        console.print(
            f"warning: everybody who reaches {host} can read these runs{more}; there is no password", style="yellow"
        )
    shown = f"[{host}]" if ":" in host else host
    console.print(f"dashboard of {folder} on http://{shown}:{port}; Ctrl-C ends it", markup=False, soft_wrap=True)
    serve(Settings(folder.resolve(), allow_run), host, port)


def add_bench(app: typer.Typer) -> None:
    """Adds the benchmark."""
    app.command("dashboard")(bench_dashboard)


def bench_dashboard(
    runs: Annotated[int, typer.Option(min=1, help="Run folders that are made for it.")] = 50,
    episodes: Annotated[int, typer.Option(min=100, help="Episodes of each.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="Visits to each page.")] = 5,
    screenshots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Measure nothing: write pictures of every page there.")
    ] = None,
    of: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of runs that the pictures show.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how long the pages of the dashboard take in Chromium, or make their pictures."""
    from adversarl.cli.options import load_plugins
    from adversarl.cli.output import console, print_json, table
    from adversarl_dashboard.bench.measure import measure
    from adversarl_dashboard.bench.shots import shoot
    from adversarl_dashboard.server import check_folder

    if screenshots is not None:
        check_folder(of)
        for path in shoot(of, screenshots):
            console.print(f"wrote {path}", highlight=False, soft_wrap=True)
        return
    result = measure(runs, episodes, rounds, load_plugins())
    if json:
        print_json(result)
        return
    rows = [
        [row["page"], *(f"{row[key]:.2f}" for key in ("first_s", "median_s", "worst_s"))] for row in result["pages"]
    ]
    console.print(
        table(f"{runs} runs of {episodes:,} episodes", ["page", "first [s]", "median [s]", "worst [s]"], rows)
    )
    console.print(f"load of the machine before: {result['load_average']:.1f}", highlight=False)
