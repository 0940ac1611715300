"""Draws from a scene's per-object randomization."""

from __future__ import annotations

import numpy as np

from adversarl_mujoco.scenes.options import ObjectOptions, SceneOptions
from adversarl_mujoco.scenes.variety import between


def draw(options: SceneOptions, rng: np.random.Generator) -> SceneOptions:
    """A scene without randomization, drawn from one with it: factors log-uniformly, all else uniformly.

    Every object takes the same number of draws whatever it randomizes, so that one option does not change the others.
    """
    return options.model_copy(update={"objects": tuple(_draw(thing, rng.random(8)) for thing in options.objects)})


def _draw(thing: ObjectOptions, u: np.ndarray) -> ObjectOptions:
    spread = thing.randomize
    x, y, *above = thing.position
    dx, dy = (2 * u[:2] - 1) * (spread.position or (0.0, 0.0))
    yaw = thing.yaw + float(2 * u[2] - 1) * (spread.yaw or 0.0)
    update: dict[str, object] = {
        "position": (x + float(dx), y + float(dy), *above),
        "yaw": (yaw + 180.0) % 360.0 - 180.0,
        "randomize": type(spread)(),
    }
    if spread.size is not None:
        factor = between(spread.size, float(u[3]))
        update["size"] = tuple(factor * edge for edge in thing.extents)
    if spread.mass is not None:
        update["mass"] = between(spread.mass, float(u[4])) * (thing.mass or thing.kind.mass)
    if spread.color:
        update["color"] = tuple(float(channel) for channel in u[5:])
    return thing.model_copy(update=update)
