"""Many run folders of realistic length, rewritten from one real run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from adversarl.plugins import Plugins
from adversarl.recipe import parse_recipe
from adversarl.training import train

RECIPE: dict[str, Any] = {
    "run": {"name": "bench", "total_steps": 20_000},
    "backend": {"use": "point-mass", "num_envs": 4},
    "failure": {"use": "statistics"},
    "curriculum": {"use": "random-prompts"},
    "learner": {"use": "random-search"},
    "evaluation": {"suite": "robustness", "episodes": 20, "per_axis": True},
}


def fill(folder: Path, runs: int, episodes: int, plugins: Plugins) -> None:
    """Makes run folders whose journals repeat those of a real one, numbered through.

    Args:
        folder: Where; it must be there.
        runs: How many.
        episodes: Episodes of each.
        plugins: What is installed.
    """
    real = folder / ".real"
    train(parse_recipe(RECIPE, plugins.registry, "bench dashboard"), plugins, real)
    _benchmark(folder / "benchmark")
    rows = {path.stem: path.read_text().splitlines() for path in real.glob("*.jsonl")}
    times = -(-episodes // len(rows["episodes"]))
    journals = {name: _repeated(lines, times, episodes if name == "episodes" else None) for name, lines in rows.items()}
    for number in range(runs):
        run = folder / f"run-{number:02d}"
        shutil.copytree(real, run, ignore=shutil.ignore_patterns("*.jsonl", "*.parquet"))
        recipe = run / "recipe.toml"
        recipe.write_text(recipe.read_text().replace("\nseed = 0\n", f"\nseed = {number}\n", 1))
        for name, text in journals.items():
            (run / f"{name}.jsonl").write_text(text)
        (run / "summary.json").touch()


def _repeated(lines: list[str], times: int, limit: int | None) -> str:
    """A journal several times over, episodes and steps counted on."""
    first = [json.loads(line) for line in lines]
    spans = {key: max((row[key] for row in first if key in row), default=0) + 1 for key in ("index", "env_steps")}

    def more(row: dict[str, Any], n: int) -> dict[str, Any]:
        return {key: value + n * spans[key] if key in spans else value for key, value in row.items()}

    told = [json.dumps(more(row, n)) for n in range(times) for row in first][:limit]
    return "".join(line + "\n" for line in told)


def _benchmark(folder: Path) -> None:
    """A benchmark's results, with as much in them as the largest suite gives."""
    folder.mkdir()
    levels = (0.0, 0.25, 0.5, 0.75, 1.0)
    names = ["mixed", "mixed-pbr", "prompts", *(f"axis-{number}" for number in range(12))]

    def estimate(value: float) -> dict[str, float]:
        return {"value": value, "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1), "n": 5}

    conditions = []
    for number, name in enumerate(
        ("baseline", "static", "adaptive", "no-dr", "random-prompts", "warm-start", "oracle")
    ):
        points = [{"intensity": level, **estimate(1 - level * (0.9 - 0.1 * number))} for level in levels]
        conditions.append(
            {"name": name, "kind": "recipe", "seeds": list(range(5)), "held_out": True, "leaks": []}
            | {"auc": estimate(0.3 + 0.1 * number), "nominal": estimate(0.95), "env_steps": 40_000}
            | {"curves": dict.fromkeys(names, points)}
        )
    results = {"name": "bench", "suite": "made up for bench dashboard", "curves": names, "conditions": conditions}
    (folder / "results.json").write_text(json.dumps(results))
