"""Which sentences change the picture, and by how much more than it changes without them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adversarl_odyssey.measure.change import Arrived, Small, mean_difference
from adversarl_odyssey.measure.figures import median
from adversarl_odyssey.measure.watch import Watched

MEANT = 5
"""Pictures of which the mean is compared; it averages what compression adds."""
LIMIT_S = 5.0
RELIABLE = 2.0
"""A change counts if it is so many times what the picture changes by without a prompt, and `FLOOR`."""
FLOOR = 0.5
"""Grey levels."""


async def effects(
    found: Watched, scene: str, sentences: Mapping[str, str], repeats: int, wait_s: float, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The effect of each sentence, said after the scene, against that of the scene alone; in turns, not in rows.

    Args:
        found: A running stream that began with the scene.
        scene: The complete description of nominal conditions.
        sentences: What is added to it, by axis.
        repeats: How often each is tried.
        wait_s: How long a change has to take effect [s].
        tell: Told the axis under way.
    """
    tries: dict[str, list[dict[str, float]]] = {axis: [] for axis in sentences}
    for repeat in range(repeats):
        for axis, sentence in sentences.items():
            await found.renew()
            tell(f"{axis}, {repeat + 1} of {repeats}")
            tries[axis].append(await _try(found, scene, sentence, wait_s))
    return [_row(axis, sentences[axis], rows) for axis, rows in tries.items()]


async def _try(found: Watched, scene: str, sentence: str, wait_s: float) -> dict[str, float]:
    """Nominal conditions, a wait without a prompt, then the sentence and as long a wait."""
    await found.interact(scene, LIMIT_S)
    await asyncio.sleep(wait_s)
    first = _mean(found.quiet())
    await asyncio.sleep(wait_s)
    before = _mean(found.quiet())
    await found.interact(f"{scene} {sentence}", LIMIT_S)
    await asyncio.sleep(wait_s)
    after = _mean(found.quiet())
    return {
        "changed": mean_difference(after, before),
        "by_itself": mean_difference(before, first),
        "brighter": float((after - before).mean()),
    }


def _mean(pictures: list[Arrived]) -> Small:
    return np.asarray(np.mean([picture.small for picture in pictures[-MEANT:]], axis=0), np.float32)


def _row(axis: str, sentence: str, rows: list[dict[str, float]]) -> dict[str, Any]:
    ratios = [row["changed"] / max(row["by_itself"], 0.05) for row in rows]
    return {
        "axis": axis,
        "sentence": sentence,
        "changed": round(float(np.median([row["changed"] for row in rows])), 2),
        "by_itself": round(float(np.median([row["by_itself"] for row in rows])), 2),
        "brighter": round(float(np.median([row["brighter"] for row in rows])), 2),
        "ratio": {
            name: round(value, 1) if isinstance(value, float) else value for name, value in median(ratios).items()
        },
        "reliable": sum(row["changed"] > RELIABLE * row["by_itself"] and row["changed"] > FLOOR for row in rows),
        "n": len(rows),
    }
