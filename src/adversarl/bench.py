"""Speed of a recipe's worlds beside the bare simulator loop, as ratios measured in one run.

Machines are shared and noisy, so the configurations take turns for several rounds, and every ratio is the median
of the ratios within a round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

import numpy as np

from adversarl.assembly import make_loop
from adversarl.bench_axes import Changes, Samples, axis_costs
from adversarl.errors import LiveWorld
from adversarl.interfaces.backend import Backend, PerturbableVectorEnv
from adversarl.loop import ClosedLoop
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe
from adversarl.seeding import generator

BARE = "bare simulator loop"
CHANGING = ", ten axes changing"
"""What follows the name of a configuration in which visual axes change mid-episode."""
Measure = Callable[[float], float]
"""Seconds → environment steps per second."""


def bench(recipe: Recipe, plugins: Plugins, *, seconds: float, rounds: int) -> dict[str, Any]:
    """Measures env steps/s for 1 and N environments and 1 and 2 threads, and for the whole closed loop.

    Returns:
        ``ratio`` (1 environment, 1 thread, over the bare loop), ``thread_ratio`` (two threads over one), both again as
        ``changing_ratio`` and ``changing_thread_ratio`` with ten visual axes changing mid-episode in every environment
        (the bare loop then draws scenes under such perturbations, but never changes them),
        ``loop_ratio`` (closed loop over its world alone), ``rows`` with each median speed, and ``axes``, the cost of
        each axis; a ratio is None where the backend has no such configuration.

    Raises:
        LiveWorld: The backend's worlds are streams of a service, and several are measured at once.
    """
    if recipe["backend"].make().live:
        problem = "and this would open several at once. Measure the simulator with --set backend.use=NAME"
        raise LiveWorld(recipe["backend"].component.name, problem)
    with ExitStack() as stack:
        world = stack.enter_context(_world(recipe, {"num_envs": 1})).env
        measures = _measures(recipe, plugins, stack, Samples(world))
        for measure in measures.values():
            measure(seconds / 4)
        speeds: dict[str, list[float]] = {name: [] for name in measures}
        for _ in range(rounds):
            for name, measure in measures.items():
                speeds[name].append(measure(seconds))
        image, axes = world.single_observation_space["image"].shape, axis_costs(world)
    first = next(iter(speeds))
    rows = [
        {"what": name, "per_second": median(values), "ratio": _ratio(speeds, name, first)}
        for name, values in speeds.items()
    ]
    many = f"{recipe['backend'].options.num_envs} environments"  # type: ignore[attr-defined]
    return {
        "ratio": _ratio(speeds, "1 environment, 1 thread", BARE),
        "changing_ratio": _ratio(speeds, f"1 environment, 1 thread{CHANGING}", BARE + CHANGING),
        "thread_ratio": _ratio(speeds, f"{many}, 2 threads", f"{many}, 1 thread"),
        "changing_thread_ratio": _ratio(speeds, f"{many}, 2 threads{CHANGING}", f"{many}, 1 thread{CHANGING}"),
        "loop_ratio": _ratio(speeds, "closed loop", many),
        "image": "x".join(map(str, image)),
        "seconds": seconds,
        "rounds": rounds,
        "rows": rows,
        "axes": axes,
    }


def _measures(recipe: Recipe, plugins: Plugins, stack: ExitStack, samples: Samples) -> dict[str, Measure]:
    choice = recipe["backend"]
    backend: Backend = choice.make()
    num_envs: int = choice.options.num_envs  # type: ignore[attr-defined]
    threaded = "threads" in type(choice.options).model_fields
    measures: dict[str, Measure] = {}
    reference = backend.reference_loop(0.01)
    if reference is not None:
        measures[BARE] = lambda seconds: backend.reference_loop(seconds) or 0.0
        measures[BARE + CHANGING] = lambda seconds: backend.reference_loop(seconds, samples.draw()) or 0.0
    configurations = {"1 environment": {"num_envs": 1}, f"{num_envs} environments": {"num_envs": num_envs}}
    if threaded:
        one = {"1 environment, 1 thread": {"num_envs": 1, "threads": 1}}
        many = {
            f"{num_envs} environments, {n} thread{'s'[: n > 1]}": {"num_envs": num_envs, "threads": n} for n in (1, 2)
        }
        configurations = one | many | {f"{num_envs} environments": {"num_envs": num_envs}}
    for name, update in configurations.items():
        measures[name] = _stepper(stack.enter_context(_world(recipe, update)))
        if "threads" in update:
            measures[name + CHANGING] = _stepper(stack.enter_context(_world(recipe, update)), changing=True)
    loop = make_loop(recipe, plugins)
    stack.callback(loop.close)
    loop.reset(seed=0)
    measures["closed loop"] = _stepper(_Closing(loop))
    return measures


class _Closing:
    """A world or a loop that can be stepped with random actions and is closed in the end."""

    def __init__(self, env: PerturbableVectorEnv | ClosedLoop) -> None:
        self.env: Any = env
        self.single_observation_space: Any = env.single_observation_space

    def __enter__(self) -> _Closing:
        return self

    def __exit__(self, *_: object) -> None:
        self.env.close()


def _world(recipe: Recipe, update: dict[str, Any]) -> _Closing:
    choice = recipe["backend"]
    options = type(choice.options).model_validate({**choice.options.model_dump(), **update})
    world: PerturbableVectorEnv = choice.component.load()(options).make(seed=0)
    world.reset(seed=list(range(world.num_envs)))
    return _Closing(world)


def _stepper(closing: _Closing, *, changing: bool = False) -> Measure:
    env = closing.env
    rng = generator(0, "bench")
    actions = [rng.uniform(-1, 1, env.action_space.shape or ()).astype(np.float32) for _ in range(64)]
    resets = isinstance(env, PerturbableVectorEnv)
    changes = Changes(env) if changing else None

    def measure(seconds: float) -> float:
        begun, steps = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            if changes is not None:
                changes.step()
            _, _, terminated, truncated, _ = env.step(actions[steps % 64])
            steps += 1
            done = terminated | truncated
            if resets and done.any():
                if changes is not None:
                    changes.renew(np.flatnonzero(done))
                env.reset(options={"reset_mask": done})
        speed: float = steps * env.num_envs / (time.perf_counter() - begun)
        return speed

    return measure


def _ratio(speeds: dict[str, list[float]], name: str, base: str) -> float | None:
    if name not in speeds or base not in speeds:
        return None
    return median(a / b for a, b in zip(speeds[name], speeds[base], strict=True))
