"""Runs that begin where another run's warm start ended, so that conditions of a comparison share it.

During a warm start no curriculum is asked and no failure is explained: all that it leaves behind depends on the tables
of `SHARED` and on the seed alone. A run that takes it over writes the journals that it would have written itself.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from adversarl.errors import RunFolderError
from adversarl.interfaces.learner import Learner
from adversarl.loop import ClosedLoop
from adversarl.recipe import Recipe, read_toml
from adversarl.runs import RunFolder, latest_checkpoint, read_json

SHARED = ("backend", "reward", "watch", "learner")
"""Tables on which a warm start depends."""


def adopt_warm_start(
    source: Path, folder: RunFolder, recipe: Recipe, loop: ClosedLoop, learner: Learner
) -> dict[str, Any]:
    """Puts loop, learner and journals where another run's warm start left them.

    Args:
        source: Its run folder, made with ``run.total_steps = 0``.
        folder: The new run's, still empty.
        recipe: The new run's.
        loop: The new run's; curriculum and failure classifier stay as they are.
        learner: The new run's.

    Returns:
        What ``meta.json`` of the checkpoint holds.

    Raises:
        RunFolderError: The other run has no such checkpoint, or its warm start was another one.
    """
    checkpoint = latest_checkpoint(source)
    meta = read_json(checkpoint / "meta.json") if checkpoint else {}
    if checkpoint is None or meta["phase"] != "train":
        advice = f"Make one with: adversarl run RECIPE --set run.total_steps=0 --out {source}"
        raise RunFolderError(source, f"has no finished warm start to begin from. {advice}")
    _check_alike(source, recipe)
    snapshot, own = pickle.loads((checkpoint / "loop.pkl").read_bytes()), loop.snapshot()  # our own file
    snapshot["components"] = [snapshot["components"][0], *own["components"][1:]]
    loop.rewind({**snapshot, "recorder": own["recorder"]})
    learner.load(checkpoint / "learner")
    if learner.env_steps:
        problem = f"has trained for {learner.env_steps} steps after its warm start. Begin from one with total_steps = 0"
        raise RunFolderError(source, problem)
    folder.adopt(
        source, meta["journals"], same_evaluation=_stored(source, "evaluation") == _wanted(recipe, "evaluation")
    )
    return dict(meta)


def _check_alike(source: Path, recipe: Recipe) -> None:
    stored, wanted = read_toml(source / "recipe.toml"), recipe.resolved()
    differing = [f"[{table}]" for table in SHARED if stored.get(table) != wanted[table]]
    differing += ["[run] seed"] if stored["run"]["seed"] != recipe.run.seed else []
    if differing:
        problem = f"differs in {', '.join(differing)}, so its warm start is another one. Make one of this recipe"
        raise RunFolderError(source, problem)


def _stored(source: Path, table: str) -> Any:
    return read_toml(source / "recipe.toml").get(table)


def _wanted(recipe: Recipe, table: str) -> Any:
    return recipe.resolved()[table]
