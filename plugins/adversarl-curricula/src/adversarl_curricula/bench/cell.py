"""One run of the benchmark: a student trained under one curriculum with one seed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from adversarl.assembly import make_learner, make_loop
from adversarl.hooks import hookimpl
from adversarl.interfaces.trials import Trial
from adversarl.plugins import Plugins, build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.registry import Registrar
from adversarl.rollouts import Rollouts
from adversarl.types import Episode
from adversarl_curricula.bench.hard_set import NOMINAL, PLAYERS, hard_set, judge, success
from adversarl_curricula.bench.world import Compensation

NUM_ENVS = 16
REPORT_EVERY = 300
"""Episodes between two failure reports."""
EVERY = 10
"""One in so many perturbed episodes of training is played again by the teacher, to see whether it could be solved."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run.

    Attributes:
        curriculum: Its name in the report.
        seed: Root seed of the run.
        hard: Success on the hard set, in [0, 1].
        nominal: Success in the nominal world, in [0, 1].
        cells: Success in each cell of the hard set, as (axis or ``together`` or ``mixed``, intensity, success).
        env_steps: Environment steps of training.
        trial_env_steps: Environment steps played aside, by the guard, for scores and for antagonists.
        episodes: Episodes of training, warm start included.
        perturbed: Share of the finished episodes of training with a perturbation, in [0, 1].
        unsolvable: Share of the perturbed episodes of training that the teacher cannot solve, in [0, 1], from a sample.
        refused: Proposals that the guard refused; 0 without a guard.
        training_success: Success over the perturbed episodes of training, in [0, 1].
        seconds: Wall-clock time of training [s].
    """

    curriculum: str
    seed: int
    hard: float
    nominal: float
    cells: tuple[tuple[str, float, float], ...]
    env_steps: int
    trial_env_steps: int
    episodes: int
    perturbed: float
    unsolvable: float
    refused: int
    training_success: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {**asdict(self), "cells": [list(cell) for cell in self.cells]}


class Heard:
    """Keeps the finished episodes of training."""

    def __init__(self) -> None:
        self.episodes: list[Episode] = []

    @hookimpl
    def adversarl_episode_finished(self, episode: Episode) -> None:
        """Keeps an episode, the warm start's left out."""
        if episode.phase == "train":
            self.episodes.append(episode)


def run_cell(name: str, table: Mapping[str, Any], seed: int, steps: int, judged: int) -> Outcome:
    """Trains a student and judges it.

    Args:
        name: Name of the curriculum in the report.
        table: Its ``[curriculum]`` table.
        seed: Root seed.
        steps: Environment steps of training.
        judged: Episodes of each cell of the hard set.
    """
    plugins, heard = with_task(build_plugin_manager()), Heard()
    plugins.manager.register(heard)
    tables = {
        "run": {"seed": seed, "total_steps": steps},
        "backend": {"use": "compensation", "num_envs": NUM_ENVS},
        "failure": {"use": "statistics", "report_every": REPORT_EVERY},
        "curriculum": dict(table),
        "learner": {"use": "student"},
    }
    recipe = parse_recipe(tables, plugins.registry, name)
    loop = make_loop(recipe, plugins)
    try:
        learner = make_learner(recipe, loop)
        loop.connect(learner)
        begun = time.perf_counter()
        loop.phase = "warm_start"
        learner.warm_start(_go_on)
        loop.phase = "train"
        learner.learn(steps, _go_on)
        seconds = time.perf_counter() - begun
        refused = int(loop.scalars().get("curriculum/guard_unsolvable", 0))
        aside, episodes = loop.trial_env_steps, loop.episodes
    finally:
        loop.close()
    results = judge(learner, hard_set(judged))
    rows = tuple((cell.axis, cell.intensity, sum(cell.success) / len(cell.success)) for cell in results)
    nominal = next(rate for axis, _, rate in rows if axis == NOMINAL)
    rows = tuple(row for row in rows if row[0] != NOMINAL)
    perturbed, unsolvable, solved = _shares(heard.episodes)
    return Outcome(
        curriculum=name,
        seed=seed,
        hard=success(results),
        nominal=nominal,
        cells=rows,
        env_steps=learner.env_steps,
        trial_env_steps=aside,
        episodes=episodes,
        perturbed=perturbed,
        unsolvable=unsolvable,
        refused=refused,
        training_success=solved,
        seconds=round(seconds, 3),
    )


def with_task(plugins: Plugins) -> Plugins:
    """The same plugins with the benchmark's own world and student."""
    add = Registrar(plugins.registry.add, "adversarl-curricula", "")
    add.backend("compensation", "adversarl_curricula.bench.world:CompensationBackend", "The task of the benchmark")
    add.learner("student", "adversarl_curricula.bench.student:Student", "The student of the benchmark")
    return plugins


def _go_on(scalars: Mapping[str, float]) -> bool:
    del scalars
    return True


def _shares(episodes: list[Episode]) -> tuple[float, float, float]:
    """The share of perturbed episodes, and of those the shares that cannot be solved and that were."""
    perturbed = [episode for episode in episodes if episode.perturbations]
    if not perturbed:
        return 0.0, 0.0, 0.0
    world = Compensation(PLAYERS, seed=0)
    trials = [Trial(episode.seed, episode.perturbations) for episode in perturbed[::EVERY]]
    outcomes = Rollouts(world, lambda observation: world.teacher(range(PLAYERS))).play(trials)
    unsolvable = sum(not outcome.success for outcome in outcomes) / len(outcomes)
    solved = sum(episode.success for episode in perturbed) / len(perturbed)
    return len(perturbed) / len(episodes), unsolvable, solved
