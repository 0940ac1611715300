"""From the table and the facts to ``results.json`` and the report."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adversarl.errors import AdversarlError
from adversarl.manifest import manifest
from adversarl.plugins import Plugins
from adversarl.runs import read_json, read_rows, write_json
from adversarl.types import Cell
from adversarl_benchmark.analysis import analyze
from adversarl_benchmark.benchmark import Benchmark
from adversarl_benchmark.collect import cells_text
from adversarl_benchmark.conditions import ORACLE, WARM_START
from adversarl_benchmark.distance import cell_frames, training_frames, visual_distance
from adversarl_benchmark.films import Film, failure_films
from adversarl_benchmark.frames import suite_frames
from adversarl_benchmark.plan import now
from adversarl_benchmark.report import Media, write_report

TRAINING_PICTURES = 240
"""Pictures of each condition's training, over all of its seeds."""
Rows = Sequence[Mapping[str, Any]]


def publish(benchmark: Benchmark, rows: Rows, facts: Rows) -> tuple[dict[str, Any], Path]:
    """Writes ``results.json``, ``report.html`` and ``report.md``; returns the results and the page."""
    cells = benchmark.suite.cells((), 0)
    plan = {
        **benchmark.plan.to_json(),
        "suite": benchmark.spec.name,
        "created": now(),
        "provenance": provenance(benchmark),
    }
    results = analyze(rows, facts, plan=plan, visual_distance=_distance(benchmark, rows, cells))
    results["cells"] = cells_text(rows)
    results["recipes"] = {name: recipe.to_toml() for name, recipe in benchmark.recipes.items()}
    results["recipes"][ORACLE] = next(reversed(results["recipes"].values()))
    write_json(benchmark.folder / "results.json", results)
    return results, write_report(results, _media(benchmark, rows, cells), benchmark.folder)


def provenance(benchmark: Benchmark) -> dict[str, Any]:
    """Versions, machine, renderer and source of the first run's making, and what is different by now."""
    made = [
        read_json(folder / "manifest.json") for _, _, folder in benchmark.runs if (folder / "manifest.json").exists()
    ]
    today = manifest()
    versions = {tuple(one["versions"].items()) for one in made}
    return {
        **(made[0] if made else today),
        **({"runs_made_with_other_versions": len(versions) - 1} if len(versions) > 1 else {}),
        "processor": _processor(),
        "commit": _commit(),
        **_drawing(benchmark.plugins),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    """The commit of the directory that the command is given in; empty where that is no repository."""
    try:
        words = ["git", "rev-parse", "--short=12", "HEAD"]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _drawing(plugins: Plugins) -> dict[str, str]:
    """What the plugins' examinations say of renderers."""
    found: dict[str, str] = {}

    def check(name: str, ok: bool, detail: str) -> None:
        if ok and any(word in name.lower() for word in ("gl", "vulkan", "render")):
            found[name] = detail

    for implementation in plugins.manager.hook.adversarl_doctor.get_hookimpls():
        try:
            implementation.function(check)
        except Exception as error:  # an examination that fails is no reason to have no report
            found[implementation.plugin_name] = str(error)
    return found


def _outcomes(rows: Rows) -> dict[tuple[str, int, str, float], list[bool]]:
    """Successes by condition, seed, curve and intensity, in the order of episodes."""
    found: dict[tuple[str, int, str, float], list[bool]] = {}
    for row in sorted(rows, key=lambda row: row["episode"]):
        key = (row["condition"], row["seed"], row["curve"], row["intensity"])
        found.setdefault(key, []).append(row["success"])
    return found


def _distance(benchmark: Benchmark, rows: Rows, cells: Sequence[Cell]) -> dict[str, Any] | None:
    """Visual distance of every cell from the training of every condition that has runs here."""
    success: dict[tuple[str, str, float], list[float]] = {}
    for (name, _, curve, intensity), good in _outcomes(rows).items():
        success.setdefault((name, curve, intensity), []).append(float(np.mean(good)))
    folders: dict[str, list[Path]] = {}
    for condition, _, folder in benchmark.runs:
        if (folder / "summary.json").exists() and read_rows(folder / "episodes.jsonl"):
            folders.setdefault(condition.name, []).append(folder)
    training = {}
    for name, several in folders.items():
        each = max(1, TRAINING_PICTURES // len(several))
        training[name] = np.concatenate([training_frames(one, benchmark.plugins, each) for one in several])
    if not training:
        return None
    tests = cell_frames(next(reversed(benchmark.recipes.values())), cells)
    return visual_distance(training, tests, {key: float(np.mean(rates)) for key, rates in success.items()})


def _media(benchmark: Benchmark, rows: Rows, cells: Sequence[Cell]) -> Media:
    sentences = [prompt.text for curve in benchmark.spec.curves for prompt in curve.prompts]
    frames, notes = suite_frames(next(reversed(benchmark.recipes.values())), cells, sentences=sentences)
    return Media(frames, _films(benchmark, rows, cells), notes)


def _films(benchmark: Benchmark, rows: Rows, cells: Sequence[Cell]) -> list[Film]:
    """Two failures of every recipe's first run, and one of every control's."""
    outcomes, films, filmed = _outcomes(rows), list[Film](), set[str]()
    for condition, seed, folder in benchmark.runs:
        mine = {key[2:]: good for key, good in outcomes.items() if key[:2] == (condition.name, seed)}
        if not mine or condition.name in filmed or condition.name == WARM_START:
            continue
        filmed.add(condition.name)
        count = 2 if condition.kind == "recipe" else 1
        try:
            films += failure_films(folder, condition.name, cells, mine, benchmark.plugins, count=count)
        except AdversarlError:  # a run of which only the results are left
            continue
    return films
