"""From run folders to the one results table, and to the facts about every run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.recipe import Recipe
from adversarl.runs import read_json, read_rows
from adversarl_benchmark.conditions import ORACLE, Condition
from adversarl_benchmark.leakage import leaks
from adversarl_benchmark.spec import SuiteSpec

TABLE = "episodes.parquet"
COLUMNS = (
    "condition",
    "kind",
    "seed",
    "suite",
    "curve",
    "intensity",
    "episode",
    "reset_seed",
    "success",
    "total_reward",
    "env_steps",
)
FEWEST, PROMPTS = 5, 12
"""Prompts of a run are told that came at least so often, and at most so many of them."""


def evaluation_of(folder: Path, suite: str, episodes: int, player: str = "") -> dict[str, Any] | None:
    """A run's evaluation on a suite by its latest policy, if it was made with so many episodes, else None."""
    path = folder / "evaluations.json"
    entry = read_json(path).get(", ".join(part for part in (suite, player) if part)) if path.exists() else None
    summary = folder / "summary.json"
    if entry is None or not summary.exists() or entry["options"]["episodes"] != episodes:
        return None
    fits = entry["env_steps"] == read_json(summary)["env_steps"] and not entry["options"]["curves"]
    return dict(entry) if fits else None


def rows_of(
    condition: str, kind: str, seed: int, suite: str, evaluation: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Rows of the results table, one per episode."""
    for cell in evaluation["cells"]:
        episodes = zip(cell["seeds"], cell["success"], cell["total_reward"], strict=True)
        for index, (reset_seed, success, total_reward) in enumerate(episodes):
            values = (
                *(condition, kind, seed, suite, cell["axis"], cell["intensity"], index, reset_seed),
                *(success, total_reward, evaluation["env_steps"]),
            )
            yield dict(zip(COLUMNS, values, strict=True))


def update_table(path: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Writes the results table; rows of runs that are not among the new ones stay, so that it only grows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = {(row["condition"], row["seed"]) for row in rows}
    old = pq.read_table(path).to_pylist() if path.exists() else []
    everything = [row for row in old if (row["condition"], row["seed"]) not in made] + rows
    everything.sort(key=lambda row: (row["condition"], row["seed"]))
    draft = path.with_name(f".{path.name}")
    pq.write_table(pa.Table.from_pylist(everything), draft)
    draft.replace(path)
    return everything


def facts_of(
    condition: Condition, seed: int, folder: Path, recipe: Recipe, spec: SuiteSpec, world: PerturbableVectorEnv
) -> dict[str, Any]:
    """What is known of a finished run besides its evaluation."""
    summary = read_json(folder / "summary.json")
    costs = [value for name, value in summary["curriculum"].items() if name.endswith("cost_usd")]
    return {
        "condition": condition.name,
        "kind": condition.kind,
        "seed": seed,
        "env_steps": summary["env_steps"],
        "warm_start_env_steps": summary["warm_start_env_steps"],
        "trial_env_steps": summary["trial_env_steps"],
        "set_up_time_s": summary["set_up_time_s"],
        "wall_clock_s": summary["wall_clock_s"],
        "cost_usd": float(sum(costs)),
        "hand_written_lines": hand_written_lines(recipe, world),
        "leaks": leaks(folder, recipe.resolved(), spec, world),
        "learning": _learning(folder),
        "prompts": _prompts(folder),
    }


def oracle_facts() -> dict[str, Any]:
    """The same of the scripted expert, which is not trained and sees no picture."""
    nothing = dict.fromkeys(("env_steps", "warm_start_env_steps", "trial_env_steps", "hand_written_lines"), 0)
    unknown = {"set_up_time_s": None, "wall_clock_s": None, "cost_usd": 0.0}
    silent = {"nominal": {"n": 0, "successes": 0}, "prompts": [], "different": 0}
    empty = {"leaks": [], "learning": [], "prompts": silent}
    return {"condition": ORACLE, "kind": "control", "seed": 0, **nothing, **unknown, **empty}


def hand_written_lines(recipe: Recipe, world: PerturbableVectorEnv) -> int:
    """Lines that a person wrote to say how this condition varies the world.

    The ``use`` of ``[curriculum]``, every key of it that is not a default, every further item of lists, and where it
    names a preset, that one's ranges.
    """
    options = recipe["curriculum"].options
    lines = 1
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if value != field.get_default(call_default_factory=True):
            lines += max(1, len(value)) if isinstance(value, tuple | list) else 1
            lines += next((len(one.ranges) for one in world.presets if one.name == value), 0)
    return lines


def _learning(folder: Path) -> list[dict[str, Any]]:
    """Evaluations along the way: successes of the perturbed episodes by environment steps of training."""
    known = read_json(folder / "evaluation.json")
    points: dict[int, list[bool]] = {}
    for one in known.values():
        points[one["env_steps"]] = [good for cell in one["cells"] if cell["intensity"] > 0 for good in cell["success"]]
    return [{"env_steps": steps, "success": success} for steps, success in sorted(points.items())]


def _prompts(folder: Path) -> dict[str, Any]:
    """How episodes of training ended under the prompts that came most often, and without any."""
    outcomes = {row["index"]: row for row in read_rows(folder / "episodes.jsonl") if row["phase"] == "train"}
    by_text: dict[str, list[bool]] = {}
    for row in read_rows(folder / "curriculum.jsonl"):
        episode = outcomes.get(row["episode"])
        if episode is not None and row["took_effect"] is not None:
            by_text.setdefault(row["text"], []).append(episode["success"])
    repeated = [item for item in by_text.items() if len(item[1]) >= FEWEST]
    often = sorted(repeated, key=lambda item: (-len(item[1]), item[0]))[:PROMPTS]
    clean = [row["success"] for row in outcomes.values() if not row["perturbations"]]
    return {
        "nominal": {"n": len(clean), "successes": sum(clean)},
        "prompts": [{"text": text, "n": len(good), "successes": sum(good)} for text, good in often],
        "different": len(by_text),
    }


def cells_text(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every cell's outcomes, ``condition/seed/curve/intensity`` to a string of 1 and 0, in the order of episodes."""
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: row["episode"]):
        key = f"{row['condition']}/{row['seed']}/{row['curve']}/{json.dumps(row['intensity'])}"
        found.setdefault(key, []).append("1" if row["success"] else "0")
    return {key: "".join(outcomes) for key, outcomes in sorted(found.items())}
