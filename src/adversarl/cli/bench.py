"""``adversarl bench``."""

from __future__ import annotations

from pathlib import Path

from adversarl.bench import bench
from adversarl.cli.output import console, print_json, table
from adversarl.plugins import Plugins
from adversarl.recipe import load_recipe


def show_bench(
    path: Path, overrides: list[str], seconds: float, rounds: int, plugins: Plugins, *, as_json: bool
) -> None:
    """Measures and prints; every figure is a median over the rounds."""
    recipe = load_recipe(path, plugins.registry, overrides)
    with console.status("measuring") if not as_json else _Quiet():
        result = bench(recipe, plugins, seconds=seconds, rounds=rounds)
    if as_json:
        print_json(result)
        return
    rows = [[row["what"], f"{row['per_second']:,.0f}", f"{row['ratio']:.2f}"] for row in result["rows"]]
    costs = [[row["axis"], f"{row['change_us']:,.0f}", f"{row['frame_us']:,.0f}"] for row in result["axes"]]
    console.print(table(f"{path.name}, {result['image']}", ["what", "env steps/s", "to the first row"], rows))
    console.print(table("cost of an axis", ["axis", "change [us]", "each frame [us]"], costs))


class _Quiet:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
