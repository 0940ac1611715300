"""What several commands take, and the plugins that they work with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adversarl.plugins import Plugins

Set = Annotated[list[str] | None, typer.Option("--set", metavar="TABLE.KEY=VALUE", help="Override one key.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PluginFiles = Annotated[list[Path] | None, typer.Option("--plugin", help="Also load this one-file plugin.")]
RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="A TOML file.")]
WhoseBackend = Annotated[Path | None, typer.Option("--recipe", help="Whose backend to ask.")]
BackendName = Annotated[str | None, typer.Option("--backend", help="Backend to ask; mujoco if installed.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the scene and of what is left open.")]
Sheet = Annotated[Path | None, typer.Option("--render", metavar="PNG", help="Write a sheet of pictures.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]

KIND_HELP = "backend, reward, failure, curriculum, learner, suite, tracker or exporter."


@cache
def load_plugins(files: tuple[Path, ...] = ()) -> Plugins:
    """The installed plugins, loaded once a process."""
    from adversarl.plugins import build_plugin_manager

    return build_plugin_manager(files)
