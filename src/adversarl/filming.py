"""Pictures and short films of what a policy does in some cells of an evaluation, for trackers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pluggy
from numpy.typing import NDArray

from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Trial
from adversarl.metrics import rate
from adversarl.rollouts import Act, Rollouts
from adversarl.types import Cell, CellResult

MOST = 4
"""Cells that are filmed."""
SIZE = 128
"""Edge of the square pictures [pixel]."""
EVERY, LONGEST = 2, 100
"""A film has the picture of every second control step, or of fewer, so that it has at most `LONGEST`."""
MakeOne = Callable[[Mapping[str, Any]], PerturbableVectorEnv]
"""Makes a world of one environment in which these keys of ``[backend]`` differ."""
Film = NDArray[np.uint8]


def show(
    hook: pluggy.HookRelay, step: int, act: Act, make: MakeOne, cells: Sequence[Cell], results: Sequence[CellResult]
) -> None:
    """Films an evaluation that has ended, if anybody wants to see it.

    Args:
        hook: Whose ``adversarl_media`` is called; without an implementation nothing is done.
        step: Environment steps of training.
        act: The deterministic policy.
        make: Makes the worlds; they are closed.
        cells: The grid.
        results: Its outcomes, in the same order.
    """
    if not hook.adversarl_media.get_hookimpls():
        return
    pictures: dict[str, Film] = {}
    videos: dict[str, Film] = {}
    for index in choose(results):
        cell, name = cells[index], f"{results[index].axis}/{results[index].intensity:.2f}"
        with closing(make(cell.world)) as world:
            film = play(act, world, _trial(cell, results[index]))
        pictures[f"trajectory/image/{name}"], videos[f"trajectory/video/{name}"] = film[0], film
    hook.adversarl_media(step=step, pictures=pictures, videos=videos)


def choose(results: Sequence[CellResult], most: int = MOST) -> list[int]:
    """Indices of the cells to film: the nominal one, then of each axis where it fails first, the weakest axes first.

    An axis fails first at the least intensity at which fewer than half of the episodes succeed; of one that never does
    the cell with the least success counts.
    """
    nominal = [index for index, cell in enumerate(results) if cell.intensity == 0][:1]
    curves: dict[str, list[tuple[bool, float, float, int]]] = {}
    for index, cell in enumerate(results):
        success = rate(cell.success).value
        fails = success < 0.5
        rank = (not fails, cell.intensity if fails else 1 - cell.intensity, success, index)
        if cell.intensity:
            curves.setdefault(cell.axis, []).append(rank)
    hardest = sorted(min(curve) for curve in curves.values())
    return nominal + [index for *_, index in hardest[: most - len(nominal)]]


def play(act: Act, world: PerturbableVectorEnv, trial: Trial, size: int = SIZE) -> Film:
    """One episode as people see it. Shape (n, size, size, 3), or that of observations in worlds without `frames`."""
    stride, seen, pictures = max(EVERY, -(-world.max_episode_steps // LONGEST)), 0, list[Film]()

    def look(observation: Observation) -> NDArray[np.float32]:
        nonlocal seen
        if seen % stride == 0:
            pictures.append(_picture(world, observation, size))
        seen += 1
        return act(observation)

    Rollouts(world, look).play([trial])
    return np.stack(pictures)


def _picture(world: PerturbableVectorEnv, observation: Observation, size: int) -> Film:
    """As people see it, or as the policy does where the world has nothing else."""
    try:
        picture: Film = world.frames([0], size, smooth=False)[0]
    except NotImplementedError:
        picture = observation["image"][0]
    return picture.copy()


def _trial(cell: Cell, result: CellResult) -> Trial:
    """The cell's first failure, or its first episode where there is none or nothing is in force."""
    failed = [index for index, success in enumerate(result.success) if not success and cell.intensity]
    index = failed[0] if failed else 0
    return Trial(cell.seeds[index], cell.perturbations[index])
