"""Evaluation: somebody plays a grid of perturbed episodes, each fixed by its seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Trial
from adversarl.rollouts import Act, Rollouts
from adversarl.types import Cell, CellResult

OnEpisode = Callable[[int, int], None]
Player = Callable[[PerturbableVectorEnv], Act]
"""Who acts in a world, whatever its number of environments."""
MakeWorld = Callable[[Mapping[str, Any]], PerturbableVectorEnv]
"""Makes the world in which these keys of ``[backend]`` differ."""
OnWorldEpisode = Callable[[PerturbableVectorEnv, int, int], None]


def teacher(world: PerturbableVectorEnv) -> Act:
    """The world's scripted expert as a `Player`: what physics allows, whatever the picture shows."""

    def act(observation: Observation) -> Any:
        del observation
        return world.teacher(range(world.num_envs))

    return act


def evaluate(
    act: Act, world: PerturbableVectorEnv, cells: Sequence[Cell], on_episode: OnEpisode | None = None
) -> list[CellResult]:
    """Runs every episode of every cell; see `Rollouts`.

    Args:
        act: Who is judged, such as the deterministic policy ``learner.act``.
        world: Where; whatever is in force in it is restored to nominal at the end.
        cells: The grid.
        on_episode: Called with (finished, total) after every episode.
    """
    trials = [Trial(*one) for cell in cells for one in zip(cell.seeds, cell.perturbations, strict=True)]
    outcomes = iter(Rollouts(world, act).play(trials, on_episode or (lambda done, total: None)))
    results = []
    for cell in cells:
        rows = list(islice(outcomes, len(cell.seeds)))
        success, reward = tuple(row.success for row in rows), tuple(row.total_reward for row in rows)
        results.append(CellResult(cell.axis, cell.intensity, cell.seeds, success, reward))
    return results


def evaluate_everywhere(
    player: Player, make_world: MakeWorld, cells: Sequence[Cell], on_episode: OnWorldEpisode
) -> list[CellResult]:
    """`evaluate` in each of the worlds that the cells ask for, one world after the other.

    Args:
        player: Who is judged.
        make_world: Makes the worlds; each is closed when its cells are done.
        cells: The grid.
        on_episode: Called with (world, finished, total) after every episode.

    Returns:
        Results in the order of the cells.
    """
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        places.setdefault(json.dumps(dict(cell.world), sort_keys=True), []).append(index)
    results: dict[int, CellResult] = {}
    done, total = 0, sum(len(cell.seeds) for cell in cells)
    for indices in places.values():
        here = [cells[index] for index in indices]
        world = make_world(here[0].world)
        try:
            found = evaluate(player(world), world, here, _counted(on_episode, world, done, total))
        finally:
            world.close()
        results |= dict(zip(indices, found, strict=True))
        done += sum(len(cell.seeds) for cell in here)
    return [results[index] for index in range(len(cells))]


def _counted(on_episode: OnWorldEpisode, world: PerturbableVectorEnv, before: int, total: int) -> OnEpisode:
    return lambda done, _: on_episode(world, before + done, total)
