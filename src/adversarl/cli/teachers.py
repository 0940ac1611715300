"""``adversarl bench teachers``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.bench_teachers import TeacherResult, measure_teacher
from adversarl.cli.output import console, interval, print_json, table
from adversarl.cli.prompt import chosen_backend, default_backend, people_frame, save_pictures
from adversarl.errors import RecipeError, UnknownComponent
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.plugins import Plugins

NUM_ENVS = 16
SHARES = (0.0, 0.35, 0.7, 1.0)
"""Where in an episode the pictures of a strip are taken, as shares of its length."""
PICTURE = 300
"""Edge of one of them [pixel]."""


def show_teachers(
    tasks: list[str],
    episodes: int,
    backend: str | None,
    overrides: list[str],
    seed: int,
    render: Path | None,
    plugins: Plugins,
    *,
    as_json: bool,
) -> None:
    """Plays the teacher of every task, or of those named, and prints how often it succeeds."""
    backend = default_backend(plugins, backend)
    known = plugins.registry.get("backend", backend).load().tasks
    for task in tasks:
        if task not in known:
            raise UnknownComponent("task", task, known, "--task")
    for override in overrides:
        if known and len(tasks) != 1 and override.partition("=")[0].strip() == "backend.task":
            raise RecipeError("--set", override, "it would stand for every task. Say which one it is: --task NAME")
    results: dict[str, TeacherResult] = {}
    for task in tasks or known or ("",):
        keys: dict[str, Any] = {"use": backend, "num_envs": min(NUM_ENVS, episodes)}
        choice = chosen_backend(plugins, keys | ({"task": task} if task else {}), overrides, "--set")
        with closing(choice.make().make(seed=0)) as world:
            results[task or world.task] = measure_teacher(world, episodes, seed)
            if render is not None:
                save_pictures(render / f"{task or backend}.png", _strip(world, seed), len(SHARES), PICTURE)
    if as_json:
        print_json([_row(task, result) for task, result in results.items()])
    else:
        _print(results, episodes)


def _row(task: str, result: TeacherResult) -> dict[str, Any]:
    return {"task": task, **asdict(result), "success": result.success.to_json()}


def _print(results: dict[str, TeacherResult], episodes: int) -> None:
    rows = [
        [
            task,
            *interval(result.success.to_json()),
            "-" if result.mean_length is None else f"{result.mean_length:.1f} of {result.limit}",
            f"{result.mean_return:.2f}",
            ", ".join(map(str, result.failed[:5])) + (", ..." if len(result.failed) > 5 else ""),
        ]
        for task, result in results.items()
    ]
    columns = ["task", "success", "95 %", "episodes", "mean length [steps]", "mean return", "failed seeds"]
    console.print(table(f"teachers, {episodes} nominal episodes each", columns, rows))


def _strip(world: PerturbableVectorEnv, seed: int) -> dict[str, NDArray[np.uint8]]:
    """Pictures of one episode of the teacher, by what step they show."""
    length = len(list(_episode(world, seed)))
    wanted = {round(share * (length - 1)) for share in SHARES}
    frames = _episode(world, seed)
    return {
        f"{world.task}, step {step}" if step == 0 else f"step {step}": people_frame(world, observation, PICTURE)
        for step, observation in enumerate(frames)
        if step in wanted
    }


def _episode(world: PerturbableVectorEnv, seed: int) -> Iterator[Any]:
    """The observations of environment 0 from the first state to the last."""
    everyone = range(world.num_envs)
    observation, _ = world.reset(seed=seed)
    yield observation
    over = False
    while not over:
        observation, _, terminated, truncated, _ = world.step(world.teacher(everyone))
        over = bool(terminated[0] | truncated[0])
        yield observation
