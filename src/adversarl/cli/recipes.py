"""``adversarl recipes check|show``."""

from __future__ import annotations

from pathlib import Path

from adversarl.cli.output import console, print_json
from adversarl.plugins import Plugins
from adversarl.recipe import load_recipe


def check_recipes(paths: list[Path], overrides: list[str], plugins: Plugins) -> None:
    """Validates recipes; the first one that fails ends the command."""
    for path in paths:
        load_recipe(path, plugins.registry, overrides)
        console.print(f"{path}: ok", highlight=False)


def show_recipe(path: Path, overrides: list[str], plugins: Plugins, *, as_json: bool) -> None:
    """Prints a recipe with every default."""
    recipe = load_recipe(path, plugins.registry, overrides)
    if as_json:
        print_json(recipe.resolved())
    else:
        console.print(recipe.to_toml(), markup=False, highlight=False, soft_wrap=True)
