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
